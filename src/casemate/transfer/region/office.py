"""Channels: opened by officers at the label of what goes through them, and what is missing in one given up by two.

    where it comes    open(received)        -> a card: name, public key, ceiling          carried to the sender
    where it leaves   open(sent, card)      -> an introduction: channel, label, first root     carried back
    where it comes    trust(introduction)   -> the state against which every bundle is judged

Both are carried by people, who compare what they hold. A channel that nobody has introduced takes nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from casemate.access import Flow
from casemate.accounts import agreed
from casemate.crypto import Keeper, Recipient
from casemate.errors import BadInput, Conflict, Damaged, MarkingError, Refused
from casemate.objects import Found, Put
from casemate.transfer.bundle.roles import read_root
from casemate.transfer.lattice import lattice_of
from casemate.transfer.region.channel import CHANNEL, ChannelRecord
from casemate.transfer.region.inspect import GuardProfile
from casemate.transfer.region.seats import drawn, root_of
from casemate.transfer.state import State, read_state, written

__all__ = [
    "Card", "Introduction", "channels", "introduction", "named", "open_received", "open_sent", "permit", "skip",
    "stated", "text_of", "trust",
]  # fmt: skip

_LONGEST = 64


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a region that takes tells the one that sends. `recipient`: a public key in hexadecimal.

    `guard`: what its guard will be asked of, so that the sender asks its own of the same.
    """

    region: str
    ceiling: str
    recipient: str
    guard: GuardProfile = "known"


class Introduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the sender tells of itself. `label` in canonical text, `root`: the text of its newest root.

    `revoked`: names of its keys that count no more; what it sent up to `sequence`, whose digest is `previous`, went
    with them.
    """

    channel: str
    source: str
    destination: str
    label: str
    banner: str
    root: str
    revoked: tuple[str, ...] = ()
    sequence: int = 0
    previous: str = ""


async def channels(flow: Flow) -> list[Found[ChannelRecord]]:
    """The visible channels by name and label."""
    return sorted(await flow.every(CHANNEL), key=lambda found: (found.id, found.label.text))


async def named(flow: Flow, name: str) -> Found[ChannelRecord]:
    """The channel of that name at the acting label itself. Raises Absent."""
    for found in await flow.read_each(CHANNEL, name[:_LONGEST]):
        if found.ref.class_id == flow.access.id:
            return found
    return await flow.absent(CHANNEL, name[:_LONGEST])


async def open_received(flow: Flow, name: str, source: str, guard: GuardProfile) -> ChannelRecord | None:
    """A channel by which something is to come to the acting label; None where a second officer has to say the same."""
    await _free(flow, name)
    _said(source)
    agreement = await agreed(flow, f"receive {name} from {source} at {flow.acting.text} guard {guard}")
    if agreement is None:
        return None
    vault = flow.gate.vault
    keeper = vault.entropy.draw(f"channel/{flow.access.id}/{name}", 112)
    record = ChannelRecord(
        name=name,
        side="received",
        source=source,
        destination=vault.region.name,
        ceiling=vault.region.ceiling.text,
        recipient=Keeper(keeper).recipient.public.hex(),
        keeper=keeper,
        guard=guard,
        by=flow.session.principal.name,
        at=vault.clock.now(),
    )
    await flow.commit(Put(CHANNEL, name, record, expect=0), *agreement, facts={"channel": name, "side": "received"})
    return record


async def open_sent(flow: Flow, name: str, card: Card, signatures: int = 1, approvals: int = 0) -> ChannelRecord | None:
    """A channel by which what lies at the acting label may go to the region of that card; None as `open_received`.

    So many people sign each bundle and approve it. Raises BadInput, Refused (`accreditation`) where that region does
    not go as high.
    """
    await _free(flow, name)
    _said(card.region)
    vault = flow.gate.vault
    try:
        recipient = Recipient(bytes.fromhex(card.recipient)).public.hex()
        ceiling = vault.region.policies.parse(card.ceiling)
    except (Damaged, MarkingError, ValueError):
        raise BadInput(what="The card of a region: its key or its ceiling cannot be read.") from None
    if not flow.acting <= ceiling:
        raise Refused(rule="accreditation", acting=flow.acting.text)
    people = f"{signatures} {approvals}"
    what = (
        f"send {name} to {card.region} {recipient} {ceiling.text} at {flow.acting.text} guard {card.guard} by {people}"
    )
    agreement = await agreed(flow, what)
    if agreement is None:
        return None
    channel = vault.entropy.draw(f"channel/{flow.access.id}/{name}", 16)
    seats = drawn(flow, name, signatures, approvals)
    now = vault.clock.now()
    record = ChannelRecord(
        name=name,
        side="sent",
        source=vault.region.name,
        destination=card.region,
        channel=channel.hex(),
        label=flow.acting.text,
        ceiling=ceiling.text,
        recipient=recipient,
        guard=card.guard,
        signing=seats.signers[0],
        others=seats.signers[1:],
        approving=seats.approvers,
        roles=seats.roles,
        root=root_of(channel, 1, now, seats),
        by=flow.session.principal.name,
        at=now,
    )
    await flow.commit(Put(CHANNEL, name, record, expect=0), *agreement, facts={"channel": name, "side": "sent"})
    return record


def introduction(flow: Flow, record: ChannelRecord) -> Introduction:
    """What a sender tells the other side of a channel."""
    region = flow.gate.vault.region
    banner = region.policies.banner(region.policies.parse(record.label), "en")
    return Introduction(
        record.channel,
        record.source,
        record.destination,
        record.label,
        banner,
        record.newest,
        record.revoked,
        record.since,
        record.since_previous,
    )


async def trust(flow: Flow, name: str, told: Introduction) -> ChannelRecord | None:
    """Bundles of this channel are judged from now on against that root. Raises BadInput, Conflict, Refused.

    What is to come has to lie no higher than where the channel does: it is adopted there, never below its own label.
    """
    found = await named(flow, name)
    record, region = found.value, flow.gate.vault.region
    if record.side != "received" or record.state:
        raise Conflict(what=f"Channel {name}")
    try:
        label = region.policies.parse(told.label)
        root = read_root(told.root.encode()).trust
    except (Damaged, MarkingError):
        raise BadInput(what="The introduction: its label or its root cannot be read here.") from None
    if (told.source, told.destination) != (record.source, record.destination) or root.channel.hex() != told.channel:
        raise BadInput(what="The introduction speaks of another channel.")
    if label | region.floor is not flow.acting:
        raise Refused(rule="no-write-down", acting=flow.acting.text, asked=(label | region.floor).text)
    said = f"{told.channel} {told.root} {' '.join(told.revoked)} {told.sequence} {told.previous}"
    agreement = await agreed(flow, f"trust {name} {said}")
    if agreement is None:
        return None
    state = State(
        channel=told.channel,
        source=told.source,
        destination=told.destination,
        label=label.text,
        banner=told.banner,
        floor=(label & region.floor).text,
        ceiling=region.ceiling.text,
        lattice=lattice_of(region.policies),
        root=told.root,
        guard="each" if record.guard == "each" else "named",
        revoked=tuple(sorted(set(told.revoked))),
        sequence=told.sequence,
        previous=told.previous,
    )
    try:
        text = text_of(stated(state))
    except Damaged:
        raise BadInput(what="The introduction: what it says of older keys cannot be read here.") from None
    known = replace(record, channel=told.channel, label=label.text, root=told.root, state=text)
    put = Put(CHANNEL, name, known, expect=found.version)
    await flow.commit(put, *agreement, facts={"channel": name, "trusted": root.version})
    return known


async def permit(flow: Flow, name: str, kinds: tuple[str, ...], known: Collection[str]) -> ChannelRecord | None:
    """Of what no channel carries by itself, this one carries these kinds from now on, and no other.

    `known`: what there is of them. None where a second officer has to say the same. Raises BadInput.
    """
    found = await named(flow, name)
    if not set(kinds) <= set(known):
        raise BadInput(what=f"What a channel is let carry is of: {', '.join(sorted(known))}.")
    carries = tuple(sorted(set(kinds)))
    agreement = await agreed(flow, f"permit {name} {found.value.channel} {' '.join(carries)}")
    if agreement is None:
        return None
    told = replace(found.value, carries=carries)
    put = Put(CHANNEL, name, told, expect=found.version)
    await flow.commit(put, *agreement, facts={"channel": name, "carries": ", ".join(carries)})
    return told


async def skip(flow: Flow, name: str, sequence: int) -> ChannelRecord:
    """Give up what is missing up to that sequence: one person asks, another one says the same, and then it counts.

    Raises BadInput where nothing is missing there, Refused (`two-person`) for one who asks twice.
    """
    found = await named(flow, name)
    record = found.value
    state = _state(record)
    if state is None or not state.sequence < sequence < min(state.pending, default=0):
        raise BadInput(what="Nothing is missing up to that number, or nothing waits behind it.")
    me = flow.session.principal.id
    asked = record.skip_by and record.skip_to == sequence
    if asked and record.skip_by == me:
        raise Refused(rule="two-person")
    if asked:
        told = replace(record, skip_by="", skip_to=0, state=text_of(msgspec.structs.replace(state, skip=sequence)))
    else:
        told = replace(record, skip_by=me, skip_to=sequence)
    facts = {"channel": name, "skip": sequence, "agreed": "yes" if asked else "no"}
    await flow.commit(Put(CHANNEL, name, told, expect=found.version), facts=facts)
    return told


def _state(record: ChannelRecord) -> State | None:
    return read_state(record.state.encode()) if record.state else None


def stated(state: State) -> State:
    """The same, as a reader of its bytes would take it. Raises Damaged."""
    return read_state(written(state))


def text_of(state: State) -> str:
    """A state as it is kept."""
    return written(state).decode()


async def _free(flow: Flow, name: str) -> None:
    """Raises BadInput, Conflict where a visible channel bears the name; a hidden one takes no name away."""
    _said(name)
    if await flow.read_each(CHANNEL, name):
        raise Conflict(what=f"Channel {name}")


def _said(name: str) -> None:
    if not 0 < len(name) <= _LONGEST or not name.isprintable() or "/" in name or name.strip() != name:
        raise BadInput(what=f"A channel and a region have names of 1 to {_LONGEST} printable characters without '/'.")
