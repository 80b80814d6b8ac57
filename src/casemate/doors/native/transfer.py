"""Channels to other regions and the bundles that leave and come by them, at the acting label and nowhere else."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route, Stream
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.objects import Found
from casemate.policy import Action
from casemate.transfer.bundle import Role
from casemate.transfer.region import (
    BUNDLE,
    BundleRecord,
    Card,
    ChannelRecord,
    GuardProfile,
    Introduction,
    Wanted,
    accredit_fetching,
    channels,
    introduction,
    keys_of,
    named,
    open_received,
    open_sent,
    permit,
    renew_card,
    renew_root,
    requests,
    revoke,
    rotate,
    settle,
    skip,
    trust,
)
from casemate.transfer.region.channel import RequestRecord
from casemate.transfer.state import read_state
from casemate.transfer.timetable import Timetable

__all__ = ["routes"]

LARGEST = 1 << 40
DAYS = 365


class Opening(msgspec.Struct, frozen=True):
    """A channel by which something is to come from the region `source`; or one to the region of a `card`.

    `guard`: of what comes, what the guard here is asked of; of what is sent the card says it. So many people sign each
    bundle that is sent, and approve it besides.
    """

    name: str
    source: str = ""
    card: Card | None = None
    guard: GuardProfile = "known"
    signatures: int = 1
    approvals: int = 0


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


class Rotating(msgspec.Struct, frozen=True):
    """New keys. `revoke`: the old ones count no more. Of a sender, for so many people; left out, for as many as now."""

    revoke: bool = False
    signatures: int = 0
    approvals: int | None = None


class Renewing(msgspec.Struct, frozen=True):
    """What the other end has told anew: a card to the sender, an introduction to the region that takes."""

    card: Card | None = None
    introduction: Introduction | None = None


class FetchingBy(msgspec.Struct, frozen=True):
    """By which timetable a channel may be fetched; without one it may not."""

    timetable: Timetable | None = None


class Revoking(msgspec.Struct, frozen=True):
    """Names of keys."""

    keys: tuple[str, ...]


def routes(rooms: Rooms) -> list[Route]:
    """Transfer routes."""
    at, every, told = _Transfer(rooms), "/api/transfer/channels", dict[str, Any]
    asked, settles = "/api/transfer/requests", Action("settle", "job-request")
    one, bundles = f"{every}/{{name}}", "/api/transfer/bundles"
    sees, opens = Action("list", "channel"), Action("open", "channel")
    lists, takes = Action("list", "bundle"), Action("take", "bundle")
    send, skips, keys = Action("send", "bundle"), Action("skip", "channel"), Action("key", "channel")
    bundle, fetches = f"{bundles}/{{id}}", Action("accredit", "channel")
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
        Route("GET", f"{bundle}/file", "native", Action("fetch", "bundle"), at.fetch),
        Route("POST", f"{one}/rotate", "native", keys, at.rotate, takes=Rotating, gives=told),
        Route("POST", f"{one}/renew", "native", keys, at.renew, takes=Renewing, gives=told),
        Route("POST", f"{one}/revoke", "native", keys, at.revoke, takes=Revoking, gives=told),
        Route("POST", f"{one}/fetching", "native", fetches, at.fetching, takes=FetchingBy, gives=told),
        Route("POST", f"{bundle}/sign", "native", Action("sign", "bundle"), at.sign, gives=told),
        Route("POST", f"{bundle}/approve", "native", Action("approve", "bundle"), at.approve, gives=told),
        Route("POST", f"{bundle}/withdraw", "native", Action("withdraw", "bundle"), at.withdraw, gives=told),
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
        data["keys"] = keys_of(value)
        data["people"] = value.needed
        data["fetching"] = _fetching(value)
        if value.side == "received":
            data["card"] = Card(value.destination, value.ceiling, value.recipient, value.guard)
        return reply(call.flow, data)

    async def open(self, call: Call) -> Reply:
        """A new channel at the acting label; without data where a second officer has to say the same."""
        asked: Opening = call.body
        if bool(asked.source) == (asked.card is not None):
            raise BadInput(what="A channel comes from a source, or goes to the region of a card.")
        opened = (
            await open_sent(call.flow, asked.name, asked.card, asked.signatures, asked.approvals)
            if asked.card is not None
            else await open_received(call.flow, asked.name, asked.source, asked.guard)
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

    async def rotate(self, call: Call) -> Reply:
        """New keys at this end; without data where a second officer has to say the same."""
        name, asked = call.path["name"], call.body
        changed = await rotate(call.flow, name, asked.revoke, asked.signatures, asked.approvals)
        return await self._changed(call, changed, name, 200)

    async def renew(self, call: Call) -> Reply:
        """What the other end has told anew counts; without data where a second person has to say the same."""
        name, asked = call.path["name"], call.body
        if asked.card is not None and asked.introduction is None:
            return await self._changed(call, await renew_card(call.flow, name, asked.card), name, 200)
        if asked.introduction is None or asked.card is not None:
            raise BadInput(what="A channel is renewed by a card, or by an introduction.")
        changed = await renew_root(call.flow, name, asked.introduction)
        if changed is not None:
            await self._room.arrivals.again(call.flow, name)
        return await self._changed(call, changed, name, 200)

    async def revoke(self, call: Call) -> Reply:
        """These keys count no more; without data where a second officer has to say the same."""
        name = call.path["name"]
        changed = await revoke(call.flow, name, call.body.keys)
        return await self._changed(call, changed, name, 200)

    async def fetching(self, call: Call) -> Reply:
        """It may be fetched by that timetable; without data where a second officer has to say the same."""
        name = call.path["name"]
        return await self._changed(call, await accredit_fetching(call.flow, name, call.body.timetable), name, 200)

    async def sign(self, call: Call) -> Reply:
        """One signature more of a bundle that waits."""
        return await self._counted(call, "signer")

    async def approve(self, call: Call) -> Reply:
        """One approval more of a bundle that waits."""
        return await self._counted(call, "approver")

    async def withdraw(self, call: Call) -> Reply:
        """A bundle that waits goes nowhere."""
        return reply(call.flow, self._bundle(call, await self._room.departures.withdraw(call.flow, call.path["id"])))

    async def _counted(self, call: Call, role: Role) -> Reply:
        done = await self._room.departures.countersign(call.flow, call.path["id"], role)
        return reply(call.flow, self._bundle(call, done))

    async def send(self, call: Call) -> Reply:
        """A bundle of these objects, which all lie at the acting label exactly."""
        asked: Sending = call.body
        sent = await self._room.departures.send(call.flow, call.path["name"], asked.members, asked.days)
        return reply(call.flow, self._bundle(call, sent), status=201)

    async def take(self, call: Call) -> Reply:
        """The file is the body; what became of it."""
        assert call.incoming is not None
        taken = await self._room.arrivals.take(call.flow, call.path["name"], call.incoming)
        return reply(call.flow, self._bundle(call, taken), status=201 if taken.value.verdict == "accept" else 200)

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
        return reply(call.flow, [self._bundle(call, each) for each in found])

    async def fetch(self, call: Call) -> Reply | Stream:
        """The file of a bundle that was sent, as it is carried."""
        found = await call.flow.read(BUNDLE, call.path["id"][:64])
        if found.value.file != "outbox":
            return await call.flow.absent(BUNDLE, found.id)
        pieces = self._room.yard.given(found.value.bundle)
        return Stream(pieces, "application/octet-stream", length=found.value.size, secret=True, subjects=(found.ref,))

    def _bundle(self, call: Call, found: Found[BundleRecord]) -> dict[str, Any]:
        return _bundle(call, found, self._room.retention.until(found.value))

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
        "guard": value.guard,
        "carries": value.carries,
        "by": value.by,
        "at": value.at,
        **marked(call.flow, found.label),
    }


def _fetching(value: ChannelRecord) -> dict[str, Any] | None:
    """Who has accredited it, by which timetable, and how much it tells in a day."""
    said = value.fetching
    if said is None:
        return None
    bits = round(said.timetable.bits_per_day, 3)
    return {"timetable": said.timetable, "accreditor": said.accreditor, "at": said.at, "bits_per_day": bits}


def _bundle(call: Call, found: Found[BundleRecord], until: int) -> dict[str, Any]:
    value = found.value
    told = {name: getattr(value, name) for name in (
        "channel", "side", "bundle", "sequence", "verdict", "rule", "why", "size", "at", "by", "alarms", "gap",
    )}  # fmt: skip
    members = [
        {
            "name": each.name,
            "type": each.type,
            "digest": each.digest,
            "kind": each.kind,
            "id": each.id,
            "known": each.known,
            "guard": each.guard,
        }
        for each in value.members
    ]
    more = {"until": until, "signed": len(value.signed), "approved": len(value.approved)}
    return {"id": found.id, **told, **more, "members": members, **marked(call.flow, found.label)}
