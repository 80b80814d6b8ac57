"""Channels to other regions and the bundles that leave and come by them, at the acting label and nowhere else."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.objects import Found
from casemate.policy import Action
from casemate.transfer.region import (
    BUNDLE,
    BundleRecord,
    Card,
    ChannelRecord,
    Introduction,
    Wanted,
    channels,
    introduction,
    named,
    open_received,
    open_sent,
    permit,
    requests,
    settle,
    skip,
    trust,
)
from casemate.transfer.region.channel import RequestRecord
from casemate.transfer.state import read_state

__all__ = ["routes"]

LARGEST = 1 << 40
DAYS = 365


class Opening(msgspec.Struct, frozen=True):
    """A channel by which something is to come from the region `source`; or one to the region of a `card`."""

    name: str
    source: str = ""
    card: Card | None = None


class Sending(msgspec.Struct, frozen=True):
    """What is to go, and for how many days the bundle counts."""

    members: tuple[Wanted, ...]
    days: int = DAYS


class Skipping(msgspec.Struct, frozen=True):
    """Up to which sequence what is missing is given up."""

    sequence: int


class Permitting(msgspec.Struct, frozen=True):
    """What the channel may carry of what no channel carries by itself."""

    kinds: tuple[str, ...]


class Settling(msgspec.Struct, frozen=True):
    """A person's yes or no to a request, and the job of his own that he runs for it."""

    accepts: bool
    job: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """Transfer routes."""
    at, every, told = _Transfer(rooms), "/api/transfer/channels", dict[str, Any]
    asked, settles = "/api/transfer/requests", Action("settle", "job-request")
    one, bundles = f"{every}/{{name}}", "/api/transfer/bundles"
    sees, opens = Action("list", "channel"), Action("open", "channel")
    lists, takes = Action("list", "bundle"), Action("take", "bundle")
    send, skips = Action("send", "bundle"), Action("skip", "channel")
    return [
        Route("GET", every, "native", sees, at.channels, gives=list[dict[str, Any]]),
        Route("POST", every, "native", opens, at.open, takes=Opening, gives=told, texts=_said),
        Route("GET", one, "native", sees, at.channel, gives=told),
        Route("GET", f"{one}/introduction", "native", sees, at.introduction, gives=told),
        Route("POST", f"{one}/trust", "native", opens, at.trust, takes=Introduction, gives=told),
        Route("POST", f"{one}/skip", "native", skips, at.skip, takes=Skipping, gives=told),
        Route("POST", f"{one}/permit", "native", Action("permit", "channel"), at.permit, takes=Permitting, gives=told),
        Route("POST", f"{one}/bundles", "native", send, at.send, takes=Sending, gives=told),
        Route("PUT", f"{one}/bundles", "native", takes, at.take, gives=told, limit=LARGEST, streams=True),
        Route("GET", asked, "native", Action("list", "job-request"), at.requests, gives=list[dict[str, Any]]),
        Route("POST", f"{asked}/{{id}}", "native", settles, at.settle, takes=Settling, gives=told),
        Route("GET", bundles, "native", lists, at.bundles, gives=list[dict[str, Any]]),
        Route("GET", f"{bundles}/{{id}}/file", "native", Action("fetch", "bundle"), at.fetch),
    ]


def _said(request: Opening) -> tuple[str, ...]:
    return request.name, request.source


class _Transfer:
    """The handlers."""

    def __init__(self, rooms: Rooms) -> None:
        self._room = rooms.transfer
        self._jobs = rooms.jobs

    async def channels(self, call: Call) -> Reply:
        """The channels that the acting label sees, with what waits in each."""
        return reply(call.flow, [_channel(call, found) for found in await channels(call.flow)])

    async def channel(self, call: Call) -> Reply:
        """One, with the card that the sending region needs, where it is one by which something comes."""
        found = await named(call.flow, call.path["name"])
        value, data = found.value, _channel(call, found)
        if value.side == "received":
            data["card"] = Card(value.destination, value.ceiling, value.recipient)
        return reply(call.flow, data)

    async def open(self, call: Call) -> Reply:
        """A new channel at the acting label; without data where a second officer has to say the same."""
        asked: Opening = call.body
        if bool(asked.source) == (asked.card is not None):
            raise BadInput(what="A channel comes from a source, or goes to the region of a card.")
        opened = (
            await open_sent(call.flow, asked.name, asked.card)
            if asked.card is not None
            else await open_received(call.flow, asked.name, asked.source)
        )
        return await self._changed(call, opened, asked.name, 201)

    async def introduction(self, call: Call) -> Reply:
        """What a sender tells the region that takes: to be carried there, and compared."""
        found = await named(call.flow, call.path["name"])
        if found.value.side != "sent":
            raise BadInput(what="The region that sends introduces a channel.")
        answer = reply(call.flow, introduction(call.flow, found.value))
        answer.secret = True
        return answer

    async def trust(self, call: Call) -> Reply:
        """From now on bundles of this channel are judged; without data where a second officer has to say the same."""
        return await self._changed(call, await trust(call.flow, call.path["name"], call.body), call.path["name"], 200)

    async def skip(self, call: Call) -> Reply:
        """What is missing is given up, once a second person has said the same."""
        name = call.path["name"]
        await skip(call.flow, name, call.body.sequence)
        await self._room.arrivals.again(call.flow, name)
        return reply(call.flow, _channel(call, await named(call.flow, name)))

    async def permit(self, call: Call) -> Reply:
        """What this channel carries that none does by itself; without data where a second officer has to agree."""
        name = call.path["name"]
        return await self._changed(call, await permit(call.flow, name, call.body.kinds, self._room.asking), name, 200)

    async def send(self, call: Call) -> Reply:
        """A bundle of these objects, which all lie at the acting label exactly."""
        asked: Sending = call.body
        sent = await self._room.departures.send(call.flow, call.path["name"], asked.members, asked.days)
        return reply(call.flow, _bundle(call, sent), status=201)

    async def take(self, call: Call) -> Reply:
        """The file is the body; what became of it."""
        assert call.incoming is not None
        taken = await self._room.arrivals.take(call.flow, call.path["name"], call.incoming)
        return reply(call.flow, _bundle(call, taken), status=201 if taken.value.verdict == "accept" else 200)

    async def requests(self, call: Call) -> Reply:
        """Requests for jobs that rose from below, with what was said to each."""
        return reply(call.flow, [_request(call, each) for each in await requests(call.flow)])

    async def settle(self, call: Call) -> Reply:
        """Yes or no to a request, once. Nothing is begun by it: whoever says yes names the job that he runs himself."""
        asked: Settling = call.body
        if asked.job:
            found = await self._jobs.named(call.flow, asked.job)
            if not asked.accepts or found.value.owner != call.flow.session.principal.id:
                raise BadInput(what="A yes names a job of one's own, a no names none.")
        return reply(call.flow, _request(call, await settle(call.flow, call.path["id"], asked.accepts, asked.job)))

    async def bundles(self, call: Call) -> Reply:
        """What was sent and what came, as far as the acting label sees it, by channel and sequence."""
        found = sorted(await call.flow.every(BUNDLE), key=_order)
        return reply(call.flow, [_bundle(call, each) for each in found])

    async def fetch(self, call: Call) -> Reply | Stream:
        """The file of a bundle that was sent, as it is carried."""
        found = await call.flow.read(BUNDLE, call.path["id"][:64])
        if found.value.file != "outbox":
            return await call.flow.absent(BUNDLE, found.id)
        pieces = self._room.yard.given(found.value.bundle)
        return Stream(pieces, "application/octet-stream", length=found.value.size, secret=True, subjects=(found.ref,))

    async def _changed(self, call: Call, record: ChannelRecord | None, name: str, status: int) -> Reply:
        if record is None:
            return reply(call.flow, None, status=202)
        return reply(call.flow, _channel(call, await named(call.flow, name)), status=status)


def _request(call: Call, found: Found[RequestRecord]) -> dict[str, Any]:
    value = found.value
    told = {name: getattr(value, name) for name in ("by", "bundle", "at", "state", "settled_by", "job")}
    return {"id": found.id, "request": msgspec.json.decode(value.text), **told, **marked(call.flow, found.label)}


def _order(found: Found[BundleRecord]) -> tuple[str, str, int, int, str]:
    value = found.value
    return found.label.text, value.channel, value.sequence, value.at, found.id


def _channel(call: Call, found: Found[ChannelRecord]) -> dict[str, Any]:
    value = found.value
    state = read_state(value.state.encode()) if value.state else None
    waiting = state.pending if state is not None else ()
    last = max(state.sequence, state.skip) if state is not None else value.sequence
    return {
        "name": value.name,
        "side": value.side,
        "source": value.source,
        "destination": value.destination,
        "channel": value.channel,
        "sequence": value.sequence,
        "previous": value.previous,
        "introduced": value.side == "sent" or state is not None,
        "waiting": waiting,
        "gap": [last + 1, waiting[0] - 1] if waiting and waiting[0] > last + 1 else [],
        "skip": value.skip_to,
        "carries": value.carries,
        "by": value.by,
        "at": value.at,
        **marked(call.flow, found.label),
    }


def _bundle(call: Call, found: Found[BundleRecord]) -> dict[str, Any]:
    value = found.value
    told = {name: getattr(value, name) for name in (
        "channel", "side", "bundle", "sequence", "verdict", "rule", "size", "at", "by", "alarms", "gap",
    )}  # fmt: skip
    members = [
        {
            "name": each.name,
            "type": each.type,
            "digest": each.digest,
            "kind": each.kind,
            "id": each.id,
            "known": each.known,
        }
        for each in value.members
    ]
    return {"id": found.id, **told, "members": members, **marked(call.flow, found.label)}
