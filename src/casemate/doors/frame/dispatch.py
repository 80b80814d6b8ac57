"""The dispatcher, bare ASGI: admit, open, look, record, handle, release. The only catcher of errors.

    request -> route -> admit -> body (bounded) -> open at the acting label -> decode -> look for marks
            -> BEGIN -> handler -> END -> response          (a stream: BEGIN -> head -> pieces -> END)

An error takes the same way out: one Problem, in the protocol's own brackets, with its label and its entry.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from collections.abc import AsyncIterator, Iterable, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec

from casemate.access import Flow, Gate
from casemate.doors.frame.apart import Apart
from casemate.doors.frame.enter import (
    Receive,
    Request,
    announced,
    arriving,
    form_as_json,
    query_of,
    read_body,
    request_of,
    spoken,
)
from casemate.doors.frame.leave import Send, marking_headers, send_piece, send_start, send_whole
from casemate.doors.frame.leaving import Watch
from casemate.doors.frame.plane import Plane, Whereabouts
from casemate.doors.frame.pump import Pump
from casemate.doors.frame.route import Call, Reply, Route, Stream, Table
from casemate.doors.frame.spell import spelled
from casemate.errors import Absent, BadInput, CasemateError, Internal, Unauthenticated
from casemate.identity import Credential, Principal, Session, Signed, SignedHead
from casemate.labels import Label, Policies
from casemate.policy import Action, authorizations
from casemate.words import language_of, say

__all__ = ["App"]

ACTING = "casemate-acting-label"
NEEDS = "casemate-acting-needs"
KEPT = 16 << 20
NOWHERE = Action("read", "page")  # what a request for a path that nobody serves is recorded as


class App:
    """The ASGI application of a process: its routes, its planes, its gate."""

    def __init__(self, gate: Gate, table: Table, planes: Iterable[Plane]) -> None:
        self.gate = gate
        self.planes = {plane.name: plane for plane in planes}
        self.table = table

    @property
    def table(self) -> Table:
        """Every route."""
        return self._table

    @table.setter
    def table(self, table: Table) -> None:
        names = {route.plane for route in table.routes if route.apart}
        self._table = table
        self._apart = {name: Apart(r for r in table.routes if r.plane == name) for name in names}

    def claimed(self, request: Request) -> Plane | None:
        """The plane whose request this is wherever its path leads."""
        return next((p for p in self.planes.values() if p.claims is not None and p.claims(request)), None)

    def match(self, request: Request, claimed: Plane | None) -> tuple[Route, dict[str, str]] | None:
        """The route of a request, and the parts of its path."""
        if claimed is None:
            return self._table.match(request.method, request.raw_path, request.headers)
        return self._apart[claimed.name].match(request.method, request.raw_path, request.headers, request.query)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = request_of(scope)
        turn = _Turn(self, request, scope, receive, send)
        try:
            await turn.run()
        except CasemateError as error:
            await turn.tell(error)
        except asyncio.CancelledError:
            await asyncio.shield(turn.cut_off())
            raise
        except Exception as error:  # noqa: BLE001 - a defect is told too, and by its place alone
            _say_where(error)
            await turn.tell(Internal())
        finally:
            turn.over()


class _Turn:
    """One request on its way through."""

    def __init__(
        self, app: App, request: Request, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        self.app = app
        self.scope = scope
        self.gate = app.gate
        self.request = request
        self.receive = receive
        self.send = send
        self.claimed = app.claimed(request)
        self.route: Route | None = None
        self.session: Session | None = None
        self.flow: Flow | None = None
        self.started = False
        self.watch = app.gate.telemetry.watch()
        self.spoken = spoken(request)
        self.language = self.spoken or language_of(request.headers.get("accept-language", ""))

    async def run(self) -> None:
        self.request.query = query_of(self.request.query_string, self.language)
        matched = self.app.match(self.request, self.claimed)
        if matched is None:
            raise Absent(kind="page", id=self.request.raw_path[:200])
        self.route, path = matched
        announced(self.request.headers, self.route.limit, self.language)
        credential = self._shown(self.route)
        if not isinstance(credential, Signed):  # a signature is over the body; no other stranger's is read
            self.session = self._admit(self.route, credential)
        body, incoming = await self._body(self.route, credential)
        self.request.body = body
        flow = await self._open(self.route, path)
        if self.route.takes is not None:
            body = form_as_json(self.request.headers, body, flow.session.language)
        value = _decode(self.route, body, flow.session.language)
        if self.route.texts is not None and not (self.route.plain and not self._policies.may_hold(body)):
            await flow.inspect(self.route.texts(self.request.query if self.route.takes is None else value))
        if self.route.asks:
            await flow.begin(
                body or self.request.query_string.encode(), {"operation": f"{self.route.method} {self.route.path}"}
            )
        call = Call(self.gate, flow, path, self.request.query, self.request.headers, value, body, incoming=incoming)
        answer = await self._handled(self.route, call)
        if answer is None:
            self.watch.outcome = "cancelled"
            await flow.release(b"", "cancelled")
        elif isinstance(answer, Stream):
            await self._stream(flow, answer)
        else:
            await self._whole(flow, answer)

    async def _handled(self, route: Route, call: Call) -> Reply | Stream | None:
        """The handler's answer. A client that leaves while he is being answered stops the work: then None."""
        if not route.asks:
            return await route.handler(call)
        with Watch(self.scope, self.receive):
            return await route.handler(call)
        return None

    async def _body(self, route: Route, credential: Credential | None) -> tuple[bytes, AsyncIterator[bytes] | None]:
        """The body, whole or, where the route streams, as it will arrive."""
        take = self.app.planes[route.plane].incoming
        if take is None and not route.streams:
            return await read_body(self.receive, route.limit, self.language), None
        pieces = arriving(self.receive, route.limit, self.language)
        if take is not None and isinstance(credential, SignedHead):
            pieces = take(self.request, pieces, partial(self.gate.chain, credential))
        return (b"", pieces) if route.streams else (b"".join([piece async for piece in pieces]), None)

    async def _open(self, route: Route, path: dict[str, str]) -> Flow:
        self.session = self.session or self._admit(route, self._shown(route))
        acting = None if route.public else self._acting(route, self.session, path)
        self.flow = await self.gate.open(self.session, route.action, acting)
        return self.flow

    def _acting(self, route: Route, session: Session, path: dict[str, str]) -> Label | None:
        """Where the request says that it acts, and with which authorizations beside those of its floor."""
        headers, query, region = self.request.headers, self.request.query, self.gate.vault.region
        needs = headers.get(NEEDS) or query.get("needs", "")
        if route.acts is not None:
            stated = route.acts(self.request, path)
            label = region.label(stated) if stated else session.floor
        else:
            asked = headers.get(ACTING) or query.get("acting", "")
            if not asked and not needs:
                return None
            label = region.reach(asked) if asked else session.usual
        named = authorizations(name.strip() for name in needs.split(",")) if needs else ()
        return label.with_needs((*named, *session.floor.needs))

    def _shown(self, route: Route) -> Credential | None:
        return None if route.public else self.app.planes[route.plane].credential(self.request)

    def _admit(self, route: Route, credential: Credential | None) -> Session:
        if route.public:
            return self._visitor()
        if credential is None:
            raise Unauthenticated
        session = self.gate.admit(credential)
        return replace(session, language=self.spoken) if self.spoken else session

    def _visitor(self) -> Session:
        floor = self.gate.vault.region.floor
        visitor = Principal("visitor", "stranger", floor, frozenset({"user"}))  # a name that no principal may have
        return Session("visitor", visitor, floor, floor, self.language)

    async def _whole(self, flow: Flow, reply: Reply) -> None:
        entry, self.watch.outcome = flow.begun, reply.outcome
        if self.route is not None and not self.route.public:
            kept = b"" if reply.secret else reply.body[:KEPT]
            entry = (await flow.release(kept, reply.outcome, reply.facts, reply.subjects)).entry
        headers = [*self._marks(flow.label, entry), *reply.headers]
        self.started = True
        await send_whole(self.send, reply.status, reply.media, headers, reply.body, self.request.method == "HEAD")

    async def _stream(self, flow: Flow, stream: Stream) -> None:
        kept = bytearray()

        async def send(pieces: bytes) -> None:
            if len(kept) < KEPT and not stream.secret:
                kept.extend(pieces[: KEPT - len(kept)])
            flow.still()
            await send_piece(self.send, pieces, True)

        try:
            await flow.durable()  # BEGIN, before the head that shows its marking
            self.started = True
            headers = [*self._marks(flow.label, flow.begun), *stream.headers]
            if stream.length is not None:
                headers.append(("Content-Length", str(stream.length)))
            await send_start(self.send, stream.status, stream.media, headers)
            comes = self.route is not None and self.route.streams  # its body: the handler hears who leaves
            with Watch(self.scope, None if comes else self.receive) as watch:
                await Pump(stream.pieces, send)
        except CasemateError as error:
            if not self.started:
                raise
            await self._broken(flow, stream, bytes(kept), error)
            return
        except (asyncio.CancelledError, ConnectionError):
            self.watch.outcome = "cancelled"
            await asyncio.shield(flow.release(bytes(kept), "cancelled", stream.facts, sent=True))
            raise
        except Exception as error:  # noqa: BLE001 - a defect is told too, and by its place alone
            _say_where(error)
            await self._broken(flow, stream, bytes(kept), Internal())
            return
        finally:
            with contextlib.suppress(Exception):
                await stream.pieces.aclose()  # type: ignore[attr-defined]
        self.watch.outcome = "cancelled" if watch.left else stream.outcome
        await flow.release(bytes(kept), self.watch.outcome, stream.facts, stream.subjects, sent=True)
        await send_piece(self.send, b"", False)

    async def _broken(self, flow: Flow, stream: Stream, kept: bytes, error: CasemateError) -> None:
        """A failure in mid-stream is reported in the stream, and never restarted; one of a known length breaks off."""
        self.watch.failed(error)
        entry = (await flow.release(kept, "failed", {**stream.facts, "error": error.slug}, sent=True)).entry
        if stream.length is not None:
            return
        told = spelled(error, self._policies, flow.session.language, flow.label.text, entry)
        plane = self.app.planes[self.route.plane] if self.route else next(iter(self.app.planes.values()))
        await send_piece(self.send, plane.event(told), False)

    async def cut_off(self) -> None:
        """The process stops, or whoever serves has given up: what began is ended in the record."""
        self.watch.outcome = "cancelled"
        if self.flow is not None and self.flow.begun in self.gate.running:
            with contextlib.suppress(CasemateError):
                await self.flow.release(b"", "cancelled")

    def over(self) -> None:
        """Nothing of this request runs any more."""
        if self.flow is not None:
            self.gate.running.end(self.flow.begun)
        self._count()

    def _count(self) -> None:
        """In the numbers of the acting label. Where there is none, as high as the session may be: nobody lower may see.

        Of a public page, or of somebody who could not be admitted, nobody knows how high the session is.
        """
        flow, session, route = self.flow, self.session, self.route
        if route is None or route.public or session is None:
            label, who = self.gate.vault.region.ceiling, ""
        else:
            label, who = flow.domain if flow is not None else session.ceiling, session.principal.id
        method, path, operation = (route.method, route.path, route.action.name) if route else ("", "", NOWHERE.name)
        begun, facts = (flow.begun, flow.facts) if flow is not None else ("", None)
        self.watch.end(label, method, path, operation, begun, who, self.request.headers.get("traceparent", ""), facts)

    async def tell(self, error: CasemateError) -> None:
        """The error as this protocol tells it, recorded first. Where a response has begun there is nothing to add."""
        if self.started:
            return
        self.watch.failed(error)
        label, language = self._told_at()
        entry = await self._record(error)
        plane = self._plane()
        said = spelled(error, self._policies, language, label.text, entry)
        if plane.page is not None:
            told = plane.page(said, self.request, Whereabouts(self.gate, label, language, self.session, self.flow))
        elif plane.coded is not None:
            told = plane.coded(error, said, self.request)
        else:
            told = plane.tell(said, self.request)
        headers = [*self._marks(label, entry), *told.headers]
        if "retry_after" in error.facts:
            headers.append(("Retry-After", str(error.facts["retry_after"])))
        self.started = True
        await send_whole(self.send, told.status, told.media, headers, told.body, self.request.method == "HEAD")

    @property
    def _policies(self) -> Policies:
        return self.gate.vault.region.policies

    def _told_at(self) -> tuple[Label, str]:
        if self.flow is not None:
            return self.flow.label, self.flow.session.language
        if self.session is not None:
            return self.session.floor, self.session.language
        return self.gate.vault.region.floor, self.language

    async def _record(self, error: CasemateError) -> str:
        """The entry of what was told; where even that cannot be written, the caller still gets his answer."""
        if self.route is not None and self.route.public:
            return ""
        action = self.route.action if self.route is not None else NOWHERE
        session = self.session
        begun = self.flow.begun if self.flow is not None else ""
        with contextlib.suppress(CasemateError):
            if session is None:
                await self.gate.record_stranger(action, error)
            elif begun or not error.entry:
                acting = self.flow.acting if self.flow is not None else session.ceiling
                await self.gate.record_error(session, acting, action, error, ref=begun)
        return begun or error.entry

    def _plane(self) -> Plane:
        if self.route is not None:
            return self.app.planes[self.route.plane]
        if self.claimed is not None:
            return self.claimed
        planes = [plane for plane in self.app.planes.values() if plane.claims is None]
        fitting = [p for p in planes if self.request.raw_path.startswith(p.prefix)]
        longest = max(fitting or planes, key=lambda p: len(p.prefix))
        if fitting and len(longest.prefix) > 1:
            return longest
        return next((p for p in planes if self._speaks(p)), longest)

    def _speaks(self, plane: Plane) -> bool:
        """Whether the caller shows a credential of this protocol: then he reads its problems too."""
        try:
            return plane.credential(self.request) is not None
        except CasemateError:
            return True

    def _marks(self, label: Label, entry: str) -> list[tuple[str, str]]:
        language = self.session.language if self.session is not None else self.language
        marks = marking_headers(self.gate.vault.region.policies, label, entry, language)
        numbered = self._plane().numbered if entry else ""
        return [*marks, (numbered, entry)] if numbered else marks


def _decode(route: Route, body: bytes, language: str) -> Any:
    if route.takes is None:
        return None
    try:
        return msgspec.json.decode(body or b"{}", type=route.takes)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(what=say("frame.shape", language, why=str(error)[:200])) from None
    except RecursionError:
        raise BadInput(what=say("frame.deep", language)) from None


def _say_where(error: Exception) -> None:
    """A defect's place on standard error: files and lines only, since a message may hold what a caller wrote."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    print(f"casemate: defect {type(error).__name__} at {' < '.join(reversed(places))}", file=sys.stderr)
