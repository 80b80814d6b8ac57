"""The keys of a channel that is open: changed in time, given up when they are lost, and what was under way told apart.

    where it leaves   rotate          new keys; both sign, until the next time        no hand carries anything
                      rotate(revoke)  new keys alone                                  an introduction is carried
                      renew(card)     sealed to that key from now on
    where it comes    rotate          a new card is carried; the older keys still open
                      revoke          names: of signers that count no more, of own keys that open no more
                      renew(told)     a root that follows from nothing here: two people, always

A bundle brings the roots of a channel, so what was rotated in time needs nobody. Who has stolen the keys of a sender
has those of its roles too, and could sign any root: after that only people can say which one is true.
"""

from __future__ import annotations

import hashlib
import re

import msgspec
from msgspec.structs import replace

from casemate.access import Flow
from casemate.accounts import agreed
from casemate.crypto import Keeper, KeySigner, Recipient, key_id
from casemate.errors import BadInput, Conflict, Damaged, MarkingError, Refused
from casemate.objects import Put
from casemate.transfer.bundle import hint_of, read_root
from casemate.transfer.region.channel import CHANNEL, ChannelRecord
from casemate.transfer.region.office import Card, Introduction, named, stated, text_of
from casemate.transfer.region.seats import drawn, root_of
from casemate.transfer.region.yard import Opened
from casemate.transfer.state import Newest, State, read_state, written
from casemate.transfer.verdict import Verdict

__all__ = ["Keys", "keys_of", "known_before", "renew_card", "renew_root", "revoke", "rotate", "told_apart"]

MOST_KEPT, MOST_ROOTS, MOST_NAMES = 8, 200, 256
_NAME = re.compile(r"(?:hybrid|mldsa87)-[a-z2-7]{16}")


class Keys(msgspec.Struct, frozen=True):
    """The names of a channel's keys. `opens`: what comes is sealed to one of these, the first by now."""

    version: int
    signers: tuple[str, ...]
    approvers: tuple[str, ...]
    roles: tuple[str, ...]
    opens: tuple[str, ...]
    revoked: tuple[str, ...]


def keys_of(record: ChannelRecord) -> Keys:
    """As whoever sees the channel may compare them with the other side."""
    state = read_state(record.state.encode()) if record.state else None
    root = state.root if state is not None else record.newest
    opens = tuple(Keeper(each).recipient.name for each in (record.keeper, *record.keepers) if each)
    opens = opens or (Recipient(bytes.fromhex(record.recipient)).name,)
    revoked = state.revoked if state is not None else record.revoked
    if not root:
        return Keys(0, (), (), (), opens, tuple(revoked))
    found = read_root(root.encode())
    signers, approvers = (tuple(map(key_id, each)) for each in (found.trust.signers, found.trust.approvers))
    return Keys(found.trust.version, signers, approvers, tuple(sorted(found.root.keys)), opens, tuple(revoked))


async def rotate(
    flow: Flow, name: str, revoke: bool, signatures: int = 0, approvals: int | None = None
) -> ChannelRecord | None:
    """New keys at this end. `revoke`: the old ones are not to count any more. Of a sender, for so many people.

    None where a second officer has to say the same. Raises BadInput, Conflict while a bundle waits for people.
    """
    found = await named(flow, name)
    record = found.value
    full = len(record.keepers) >= MOST_KEPT or len(record.roots) >= MOST_ROOTS
    if record.waits or (full and not revoke):
        raise Conflict(what=f"Channel {name}")
    signatures = signatures or 1 + len(record.others)
    approvals = len(record.approving) if approvals is None else approvals
    what = f"rotate {name} {found.version} {revoke} {signatures} {approvals}"
    agreement = await agreed(flow, what)
    if agreement is None:
        return None
    if record.side == "received":
        after = _another_card(flow, record, revoke)
    else:
        after = _other_keys(flow, record, revoke, signatures, approvals)
    facts = {"channel": name, "rotated": record.side, "revoked": "yes" if revoke else "no"}
    await flow.commit(Put(CHANNEL, name, after, expect=found.version), *agreement, facts=facts)
    return after


async def renew_card(flow: Flow, name: str, card: Card) -> ChannelRecord | None:
    """Bundles of this channel are sealed to the key of that card from now on; None as `rotate`.

    Raises BadInput, Conflict, Refused (`accreditation`) where the region does not go as high any more.
    """
    found = await named(flow, name)
    record, region = found.value, flow.gate.vault.region
    if record.side != "sent" or card.region != record.destination:
        raise BadInput(what="The card is of another region, or nothing is sent by this channel.")
    try:
        recipient = Recipient(bytes.fromhex(card.recipient)).public.hex()
        ceiling = region.policies.parse(card.ceiling)
    except (Damaged, MarkingError, ValueError):
        raise BadInput(what="The card of a region: its key or its ceiling cannot be read.") from None
    if not flow.acting <= ceiling:
        raise Refused(rule="accreditation", acting=flow.acting.text)
    if (recipient, ceiling.text, card.guard) == (record.recipient, record.ceiling, record.guard):
        raise Conflict(what=f"Channel {name}")
    agreement = await agreed(flow, f"renew {name} {found.version} {recipient} {ceiling.text} guard {card.guard}")
    if agreement is None:
        return None
    after = replace(record, recipient=recipient, ceiling=ceiling.text, guard=card.guard)
    facts = {"channel": name, "recipient": Recipient(bytes.fromhex(recipient)).name}
    await flow.commit(Put(CHANNEL, name, after, expect=found.version), *agreement, facts=facts)
    return after


async def renew_root(flow: Flow, name: str, told: Introduction) -> ChannelRecord | None:
    """Bundles are judged against that root from now on, and what its sender has revoked counts no more.

    Two people say it, also in a region with one officer: None for the first. Where keys are revoked the channel goes
    on behind the last number that went with them. Raises BadInput, Conflict, Refused (`two-person`).
    """
    found = await named(flow, name)
    record = found.value
    if record.side != "received" or not record.state:
        raise BadInput(what="Nobody has introduced this channel, or nothing comes by it.")
    state = read_state(record.state.encode())
    after = _renewed(state, told, record)
    asked = hashlib.sha384(written(after)).hexdigest()
    me = flow.session.principal.id
    if record.asked != asked or not record.asked_by:
        await flow.commit(
            Put(CHANNEL, name, replace(record, asked=asked, asked_by=me), expect=found.version),
            facts={"channel": name, "asked": asked[:16]},
        )
        return None
    if record.asked_by == me:
        raise Refused(rule="two-person")
    known = replace(
        record,
        root=told.root,
        state=text_of(after),
        sequence=after.sequence,
        previous=after.previous,
        before=known_before(record, state.root, told.root),
        asked="",
        asked_by="",
    )
    facts = {"channel": name, "trusted": read_root(told.root.encode()).trust.version, "revoked": len(after.revoked)}
    await flow.commit(Put(CHANNEL, name, known, expect=found.version), facts=facts)
    return known


async def revoke(flow: Flow, name: str, keys: tuple[str, ...]) -> ChannelRecord | None:
    """Signers' keys count no more, own older keys open no more; None where a second officer has to say the same.

    Raises BadInput for a name that is none here, and for the own key by which bundles come now.
    """
    found = await named(flow, name)
    record = found.value
    if record.side != "received":
        raise BadInput(what="A sender gives its own keys up by rotating them.")
    own = {Keeper(each).recipient.name: each for each in record.keepers}
    theirs = keys_of(record)
    known = {*theirs.signers, *theirs.approvers, *theirs.roles, *record.before}
    if not keys or len(keys) > MOST_NAMES or not set(keys) <= {*own, *known}:
        raise BadInput(what="One of these names is none of this channel's, or is the key by which bundles come now.")
    agreement = await agreed(flow, f"revoke {name} {' '.join(sorted(set(keys)))}")
    if agreement is None:
        return None
    gone = [own[each] for each in keys if each in own]
    after = replace(
        record,
        keepers=tuple(each for each in record.keepers if each not in gone),
        retired=(*record.retired, *map(_hint, gone))[-MOST_NAMES:],
    )
    if record.state and set(keys) & known:
        state = read_state(record.state.encode())
        revoked = tuple(sorted({*state.revoked, *(set(keys) & known)}))
        after = replace(after, state=text_of(msgspec.structs.replace(state, revoked=revoked)))
    facts = {"channel": name, "revoked": " ".join(sorted(set(keys)))[:400]}
    await flow.commit(Put(CHANNEL, name, after, expect=found.version), *agreement, facts=facts)
    return after


def told_apart(record: ChannelRecord, state: State, opened: Opened, verdict: Verdict) -> Verdict:
    """The same verdict by a rule that says more: a bundle that was under way when keys were changed.

    `key-retired`: sealed to a key that this end has given up. `key-revoked`, `key-rotated`: signed by one that counts
    no more. One that is sealed to others, whoever they are, is put aside: nothing will ever open it here.
    """
    if verdict.rule == "sealed":
        gone = set(opened.recipients) & set(record.retired)
        return Verdict("quarantine", "key-retired" if gone else "sealed", verdict.alarms)
    if verdict.rule == "threshold":
        signers, trusted = set(opened.signers), set(map(key_id, read_root(state.root.encode()).trust.signers))
        rotated = signers & set(record.before) and not signers & trusted
        rule = "key-revoked" if signers & set(state.revoked) else "key-rotated" if rotated else verdict.rule
        return Verdict(verdict.state, rule, verdict.alarms)
    return verdict


def known_before(record: ChannelRecord, old: str, new: str) -> tuple[str, ...]:
    """The names of the signers whom a channel trusted, and does no more."""
    if old == new:
        return record.before
    was, now = (read_root(each.encode()).trust for each in (old, new))
    gone = [key_id(each) for each in (*was.signers, *was.approvers) if each not in (*now.signers, *now.approvers)]
    return (*record.before, *(each for each in gone if each not in record.before))[-MOST_NAMES:]


def _another_card(flow: Flow, record: ChannelRecord, revoke: bool) -> ChannelRecord:
    keeper = flow.gate.vault.entropy.draw(f"channel/{flow.access.id}/{record.name}", 112)
    kept = replace(record, keeper=keeper, recipient=Keeper(keeper).recipient.public.hex())
    if revoke:
        return replace(kept, retired=(*record.retired, _hint(record.keeper))[-MOST_NAMES:])
    return replace(kept, keepers=(record.keeper, *record.keepers))


def _other_keys(flow: Flow, record: ChannelRecord, revoke: bool, signatures: int, approvals: int) -> ChannelRecord:
    """The record with keys of the next root. Those of the root before go on signing, unless they are revoked."""
    seats = drawn(flow, record.name, signatures, approvals)
    channel, now = bytes.fromhex(record.channel), flow.gate.vault.clock.now()
    version = read_root(record.newest.encode()).trust.version + 1
    made = root_of(channel, version, now, seats, b"" if revoke else record.roles)
    signers, approvers = (record.signing, *record.others), record.approving
    kept = replace(
        record, signing=seats.signers[0], others=seats.signers[1:], approving=seats.approvers, roles=seats.roles
    )
    if not revoke:
        return replace(kept, roots=(*record.roots, made), former=signers, former_approving=approvers)
    old = (*signers, *approvers, *record.former, *record.former_approving, record.roles)
    gone = (*record.revoked, *(KeySigner(each).key_id for each in old))[-MOST_NAMES:]
    return replace(
        kept,
        root=made,
        roots=(),
        former=(),
        former_approving=(),
        revoked=gone,
        since=record.sequence,
        since_previous=record.previous,
    )


def _renewed(state: State, told: Introduction, record: ChannelRecord) -> State:
    """What a channel knows once it was introduced anew. Raises BadInput, Conflict where there is nothing new."""
    try:
        root = read_root(told.root.encode()).trust
        if not all(map(_NAME.fullmatch, told.revoked)):
            raise Damaged(what="name of a key")
        said = (told.channel, told.source, told.destination, told.label, root.channel.hex())
        if said != (state.channel, state.source, state.destination, state.label, state.channel):
            raise Damaged(what="channel")
        fresh = set(told.revoked) - set(state.revoked)
        if not fresh and root.version <= read_root(state.root.encode()).trust.version:
            raise Conflict(what=f"Channel {record.name}")
        known = msgspec.structs.replace(
            state, root=told.root, revoked=tuple(sorted({*state.revoked, *told.revoked}))[:MOST_NAMES]
        )
        if fresh:
            known = msgspec.structs.replace(
                known,
                versions=Newest(),
                sequence=told.sequence,
                previous=told.previous,
                bundle="",
                skip=0,
                pending=tuple(each for each in state.pending if each > told.sequence),
            )
        return stated(known)
    except Damaged:
        raise BadInput(what="The introduction speaks of another channel, or cannot be read here.") from None


def _hint(keeper: bytes) -> str:
    """What stands outside a bundle of the key to which it is sealed."""
    return hint_of(Keeper(keeper).recipient).hex()
