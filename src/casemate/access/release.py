"""The release door: the only way down, with code of its own.

    ask ──▶ a request, at the label of whoever asks, with the digest of what lies there and of exactly what would leave
    approve (two people, each with a key of his own) ──▶ an approval beside it, the signature in it
    carry ──▶ one batch: the object below under an identifier of its own, the signed release above, an entry in each log

Who may is `policy.release`; what a text loses is `release_text`. Everything but the object and its one entry lies at
the label of the request, so nothing of it is seen from below: not that something was asked, approved or refused.
Carrying out reads everything anew and commits once: before that nothing has happened, after it the same call tells what
was done and does nothing. Nothing else in the house writes below its own label, and this never calls `commit`'s path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.access.release_batch import land
from casemate.access.release_kinds import (
    APPROVAL,
    RELEASE,
    REQUEST,
    Releasable,
    ReleaseAsk,
    ReleaseRequest,
    approval_key,
)
from casemate.access.release_quota import today
from casemate.access.release_text import Clean, Guard, PlainText, Sanitiser
from casemate.clock import SECOND
from casemate.errors import BadInput, Conflict
from casemate.identity.approval import digest_of_text, signed_by
from casemate.identity.release import Approval, Release
from casemate.ids import fresh
from casemate.labels import Label
from casemate.objects import Found, Put, Ref, Where
from casemate.policy import Need, Refuse
from casemate.policy.origin import originators
from casemate.policy.release import PRINCIPALS, Approving, Leaving, Room, may_approve, may_leave

__all__ = ["LONGEST_DAYS", "MOST", "ReleaseDoor", "Viewed"]

DAY = 86_400 * SECOND
LONGEST_DAYS = 30
REASON = 500
MOST = 1 << 20  # characters of a text that may go down at once
_NOT_YET = Room(0, 0, 0, 0)  # before it is carried out, the day has no say


@dataclass(frozen=True, slots=True)
class Viewed:
    """A request as one of its people sees it. `text` is exactly what would leave, "" where that is no longer so."""

    request: Found[ReleaseRequest]
    text: str
    approvals: tuple[Approval, ...]
    release: Release | None = None


@dataclass(frozen=True, slots=True)
class _Lies:
    """What lies there now: `clean` is None where the object is gone or is no longer what was asked for."""

    found: Found[Any] | None
    clean: Clean | None

    @property
    def text(self) -> str | None:
        return self.clean.text if self.clean is not None else None


class ReleaseDoor:
    """One per control process. It holds no truth: kinds and sanitisers by name, the guard, and the gate."""

    def __init__(
        self,
        gate: Gate,
        guard: Guard,
        releasable: Iterable[Releasable],
        sanitisers: Sequence[Sanitiser] = (PlainText(),),
    ) -> None:
        self._gate, self._guard = gate, guard
        self._kinds = {each.kind.name: each for each in releasable}
        self._sanitisers = {each.name: each for each in sanitisers}
        self._usual = sanitisers[0].name

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds whose text may be asked to go down."""
        return tuple(sorted(self._kinds))

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that leave."""
        return self._guard.formats

    def stands(self) -> bool:
        """Whether there is a release door here: it takes three principals."""
        return self._principals() >= PRINCIPALS

    async def ask(self, flow: Flow, ask: ReleaseAsk) -> Found[ReleaseRequest]:
        """A request that waits for two people. Raises BadInput, Absent, or Refused (`release-...`)."""
        kind = self._kinds.get(ask.kind)
        if kind is None:
            raise BadInput(what=f"What can be released is of the kinds {', '.join(self.kinds)}.")
        sanitiser = self._sanitisers.get(ask.sanitiser or self._usual)
        if sanitiser is None:
            raise BadInput(what=f"The sanitisers are {', '.join(sorted(self._sanitisers))}.")
        reason = " ".join(ask.reason.split())
        if not 0 < len(reason) <= REASON or not reason.isprintable() or not 0 < ask.days <= LONGEST_DAYS:
            raise BadInput(what=f"A release has a reason of 1 to {REASON} characters, and 1 to {LONGEST_DAYS} days.")
        source = await self._named(flow, kind, ask)
        text = kind.text(source.value, ask.part)
        if text is None:
            await flow.absent(kind.kind, ask.id)
        region, now = self._gate.vault.region, self._gate.vault.clock.now()
        format, schema = self._form(kind, source.value, ask)
        request = ReleaseRequest(
            kind=ask.kind,
            object=source.id,
            class_id=source.ref.class_id,
            source=source.label.text,
            target=region.label(ask.to).text,
            part=ask.part,
            content=digest_of_text(text),
            leaves="",
            sanitiser=sanitiser.name,
            reason=reason,
            requester=flow.session.principal.id,
            name=flow.session.principal.name,
            at=now,
            expires=now + ask.days * DAY,
            format=format,
            schema=schema,
        )
        leaving = self._leaving(request, flow.access.label, "")
        refusal = may_leave(leaving, (), self._principals(), region.floor, now)
        if isinstance(refusal, Refuse) and refusal.rule != "release-approvals":
            await flow.refuse(refusal)
        clean = await self._clean(flow, text, request)
        if isinstance(clean, Refuse):
            await flow.refuse(clean)
        request = msgspec.structs.replace(request, leaves=digest_of_text(clean.text))
        id = fresh("rel", self._gate.vault.entropy, f"release/{flow.access.id}/{flow.session.id}")
        await flow.commit(
            Put(REQUEST, id, request, parents=(source.ref,), expect=0),
            facts={"release": id, "target": request.target, "reason": reason},
        )
        return await flow.read(REQUEST, id)

    async def asked(self, flow: Flow) -> list[Found[ReleaseRequest]]:
        """The requests that are this caller's business, oldest first: his own; a releaser's, all that he sees."""
        classes = {access.id for access in flow.classes()}
        found = [each for each in await flow.every(REQUEST) if self._his(flow, each, classes)]
        return sorted(found, key=lambda each: (each.value.at, each.id))

    async def view(self, flow: Flow, id: str) -> Viewed:
        """A request, and exactly what would leave, rendered anew. Raises Absent."""
        found = await self._one(flow, id)
        lies = await self._lies(flow, found.value) if found.value.state == "asked" else _Lies(None, None)
        released = [each for each in await flow.read_each(RELEASE, id) if each.ref.class_id == found.ref.class_id]
        text = lies.clean.text if lies.clean is not None else ""
        return Viewed(found, text, await self._given(flow, found), released[0].value if released else None)

    async def approve(self, flow: Flow, id: str, key: str, signature: str) -> Approval:
        """One approver's yes, with his key's signature over his statement. Raises Absent, Refused, Conflict."""
        found = await self._open(flow, id)
        me, now = flow.session.principal, self._gate.vault.clock.now()
        record = approval_key(self._gate, key)
        public = record.public if record is not None else ""
        given = Approval(id, me.id, me.name, key, public, signature, now)
        others = await self._given(flow, found)
        lies = await self._lies(flow, found.value)
        decision = may_approve(
            self._leaving(found.value, found.label, lies.text),
            self._approving(found, given),
            [self._approving(found, each) for each in others],
            self._principals(),
            self._gate.vault.region.floor,
            now,
        )
        if isinstance(decision, Refuse):
            await flow.refuse(decision)
        await flow.commit(
            Put(APPROVAL, f"{id}/{me.id}", given, parents=(found.ref,), expect=0),
            Put(REQUEST, id, found.value, parents=self._parents(found.value), expect=found.version),
            facts={"release": id, "key": key},
        )
        return given

    async def end(self, flow: Flow, id: str, why: str) -> ReleaseRequest:
        """A releaser's no, or the requester's change of mind: final either way. Raises Absent, Conflict."""
        found = await self._open(flow, id)
        me, said = flow.session.principal, " ".join(why.split())
        if len(said) > REASON or not said.isprintable():
            raise BadInput(what=f"A reason has at most {REASON} printable characters.")
        mine = found.value.requester == me.id
        ended = msgspec.structs.replace(
            found.value, state="withdrawn" if mine else "refused", ended_by=me.name, why=said
        )
        await flow.commit(
            Put(REQUEST, id, ended, parents=self._parents(ended), expect=found.version),
            facts={"release": id, "state": ended.state},
        )
        return ended

    async def carry(self, flow: Flow, id: str) -> Release:
        """Carry it out, or tell what was done where it has been. Raises Absent, Refused, Conflict."""
        found = await self._here(flow, id)
        if found.value.state == "carried":
            return await self._done(flow, id)
        self._still_asked(found)
        lies, given = await self._lies(flow, found.value), await self._given(flow, found)
        now = self._gate.vault.clock.now()
        day = await today(flow, now)
        decision = may_leave(
            self._leaving(found.value, found.label, lies.text, day.room()),
            [self._approving(found, each) for each in given],
            self._principals(),
            self._gate.vault.region.floor,
            now,
        )
        if isinstance(decision, Refuse):
            await flow.refuse(decision)
        assert lies.found is not None
        assert lies.clean is not None  # a rule has said so
        kind, text = self._kinds[found.value.kind], lies.clean.text
        await land(flow, self._gate, kind, found, lies.found, text, given, day.after(len(text.encode())))
        return await self._done(flow, id)

    # ---- what is looked up ---------------------------------------------------------------------------------------

    def _principals(self) -> int:
        return len(self._gate.directory.stored.principals())

    async def _named(self, flow: Flow, kind: Releasable, ask: ReleaseAsk) -> Found[Any]:
        """The object that somebody asks for, if he sees it."""
        found = await flow.read_each(kind.kind, ask.id)
        if ask.label:
            wanted = self._gate.vault.region.label(ask.label)
            found = [each for each in found if each.label is wanted]
        if not found:
            await flow.absent(kind.kind, ask.id)
        if len(found) > 1:
            raise BadInput(what="The object lies at several labels: say which.")
        return found[0]

    def _his(self, flow: Flow, found: Found[ReleaseRequest], classes: set[str]) -> bool:
        me = flow.session.principal
        return found.value.class_id in classes and (found.value.requester == me.id or "releaser" in me.roles)

    async def _one(self, flow: Flow, id: str) -> Found[ReleaseRequest]:
        classes = {access.id for access in flow.classes()}
        found = [each for each in await flow.read_each(REQUEST, id) if self._his(flow, each, classes)]
        if not found:
            await flow.absent(REQUEST, id)
        return found[0]

    async def _here(self, flow: Flow, id: str) -> Found[ReleaseRequest]:
        """The request at the acting label: what is done to it lies beside it."""
        found = await self._one(flow, id)
        if found.ref.class_id != flow.access.id:
            await flow.absent(REQUEST, id)
        return found

    async def _open(self, flow: Flow, id: str) -> Found[ReleaseRequest]:
        found = await self._here(flow, id)
        self._still_asked(found)
        return found

    def _still_asked(self, found: Found[ReleaseRequest]) -> None:
        if found.value.state != "asked":
            raise Conflict(what=f"Release {found.id}")

    async def _given(self, flow: Flow, found: Found[ReleaseRequest]) -> tuple[Approval, ...]:
        every = await flow.every(APPROVAL, Where((("request", found.id),)))
        return tuple(each.value for each in every if each.ref.class_id == found.ref.class_id)

    async def _done(self, flow: Flow, id: str) -> Release:
        return next(each.value for each in await flow.read_each(RELEASE, id) if each.ref.class_id == flow.access.id)

    async def _lies(self, flow: Flow, request: ReleaseRequest) -> _Lies:
        """What lies there now, if it is what was asked for and gives what was shown."""
        kind = self._kinds.get(request.kind)
        every = await flow.read_each(kind.kind, request.object) if kind is not None else []
        found = [each for each in every if each.ref.class_id == request.class_id]
        if kind is None or not found:
            return _Lies(None, None)
        text = kind.text(found[0].value, request.part)
        same = text is not None and digest_of_text(text) == request.content
        clean = await self._clean(flow, text, request) if text is not None and same else None
        if not isinstance(clean, Clean) or digest_of_text(clean.text) != request.leaves:
            return _Lies(found[0], None)
        return _Lies(found[0], clean)

    async def _clean(self, flow: Flow, text: str, request: ReleaseRequest) -> Clean | Refuse:
        sanitiser, policies = self._sanitisers.get(request.sanitiser), self._gate.vault.region.policies
        if sanitiser is None or len(text) > MOST:
            return Refuse("release-sanitiser", {"sanitiser": request.sanitiser, "most": str(MOST)})
        target = policies.parse(request.target)
        clean = await flow.beside(sanitiser.clean, text, target, policies)
        if isinstance(clean, Refuse):
            return clean
        made = await flow.beside(self._guard.remade, clean.text, request.format, request.schema)
        if isinstance(made, Refuse) or made == clean.text:
            return made if isinstance(made, Refuse) else clean
        again = await flow.beside(sanitiser.clean, made, target, policies)  # for marks in what would really leave
        return again if isinstance(again, Refuse) else Clean(made, clean.dropped)

    def _form(self, kind: Releasable, value: Any, ask: ReleaseAsk) -> tuple[str, str]:
        """The format and schema by which the guard looks at it. Raises BadInput."""
        form = kind.form(value) if kind.form is not None else (ask.format or "text", ask.schema)
        if form[0] not in self.formats or (kind.form is not None and ask.format not in ("", form[0])):
            raise BadInput(what=f"What leaves is of the formats {', '.join(self.formats)}.")
        if (form[0] == "text") != (not form[1]):
            raise BadInput(what="A table and JSON leave by a schema, a text without one.")
        return form

    def _parents(self, request: ReleaseRequest) -> tuple[Ref, ...]:
        return (Ref(request.kind, request.object, request.class_id),)

    # ---- what the rules are told ---------------------------------------------------------------------------------

    def _leaving(self, request: ReleaseRequest, lies: Label, text: str | None, room: Room = _NOT_YET) -> Leaving:
        """`text`: what would leave, None where that is not what was asked for."""
        parse = self._gate.vault.region.policies.parse
        source = parse(request.source)
        return Leaving(
            source=source,
            target=parse(request.target),
            lies=lies,
            requester=request.requester,
            expires=request.expires,
            size=len((text or "").encode()),
            room=room,
            originators=originators(source),
            need=Need.parse(self._gate.classes.by_id(request.class_id).need),
            changed=text is None,
        )

    def _approving(self, found: Found[ReleaseRequest], given: Approval) -> Approving:
        """An approval as it counts now: the person, the key and the signature are looked at anew."""
        record = approval_key(self._gate, given.key)
        region = self._gate.vault.region
        said = found.value.statement(region.name, found.id, given.approver, given.key)
        return Approving(
            id=given.approver,
            key=given.key,
            approver=self._gate.directory.principal(given.approver),
            owner=record.principal if record else "",
            lowest=region.policies.parse(record.lowest) if record else None,
            ends=record.ends if record else 0,
            registrar=record.registrar if record else "",
            signed=record is not None and signed_by(said, record.public, given.signature),
            speaks=frozenset(record.speaks) if record else frozenset(),
        )
