"""What leaves: objects of one class, lent to the region that takes them, in one sealed file that follows the last.

    each object: the guard's verdict, as the card asks -> lend (decided, recorded, durable) -> gathered     in order
    draft of the bundle: sequence + 1, digest of the last release   nobody can fetch it
    ONE commit: the channel's new sequence, and what was sent       whoever was quicker has won: the draft is removed
    where more people have to: sign, approve                        each is another person; until then nothing goes out
    the draft becomes what goes out, signed for all of them

Killed anywhere: a draft whose commit is there goes out after the next start, or waits for its people; another one is
removed. While a bundle waits, its channel sends no other: withdrawn, its number is the next one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from casemate.access import Ceiling, Flow, Gate
from casemate.clock import Loop
from casemate.errors import Absent, BadInput, CasemateError, Conflict, Refused
from casemate.labels import AccessClass
from casemate.objects import Found, Put, Ref, Where
from casemate.policy import Action, Refuse
from casemate.transfer.bundle.face import Role
from casemate.transfer.region.cargo import Cargo, Gathered
from casemate.transfer.region.channel import (
    BUNDLE,
    CHANNEL,
    PREFIX,
    PROPOSED,
    BundleRecord,
    ChannelRecord,
    MemberRecord,
)
from casemate.transfer.region.inspect import GuardProfile, Guards, Inspected, inspected
from casemate.transfer.region.office import named
from casemate.transfer.region.seats import signing_of
from casemate.transfer.region.yard import Made, Outgoing, Packing, Yard

__all__ = ["Departures", "Wanted"]

DAY = 86_400 * 1_000_000
MOST = 1000
MOST_DAYS = 3660


class Wanted(msgspec.Struct, frozen=True):
    """An object that is to go: what kind of thing, and its id or name."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class _Going:
    """An object that was lent; its kind, and what a guard has found of it."""

    kind: str
    gathered: Gathered
    seen: Inspected | None


class Departures:
    """`cargo`: what can travel, by the name of its kind. `guards`: what looks at it before it goes."""

    def __init__(self, gate: Gate, yard: Yard, cargo: Mapping[str, Cargo], guards: Guards) -> None:
        self._gate = gate
        self._yard = yard
        self._cargo = cargo
        self._guards = guards
        self._packing: set[str] = set()
        self._waiting: set[str] = set()

    def loops(self) -> list[Loop]:
        return [Loop("transfer.outbox", 5.0, self.step)]

    async def send(self, flow: Flow, name: str, wanted: tuple[Wanted, ...], days: int) -> Found[BundleRecord]:
        """A bundle of these objects for a channel at the acting label. Raises Absent, BadInput, Conflict, Refused."""
        if not 0 < len(wanted) <= MOST or not 0 < days <= MOST_DAYS or len(set(wanted)) < len(wanted):
            raise BadInput(what=f"A bundle has 1 to {MOST} objects, none twice, and lasts 1 to {MOST_DAYS} days.")
        found = await named(flow, name)
        if found.value.side != "sent":
            raise BadInput(what="Nothing is sent by a channel by which something comes.")
        if found.value.waits:
            raise Conflict(what=f"Channel {name}")
        gathered = [await self._lent(flow, found.value, each) for each in wanted]
        bundle = flow.gate.vault.entropy.draw(f"bundle/{flow.access.id}/{found.id}", 16).hex()
        packing = _packing(flow, found.value, bundle, days, self._outgoing(flow, gathered))
        self._packing.add(bundle)
        try:
            return await self._sent(flow, found, packing, gathered)
        finally:
            self._packing.discard(bundle)

    async def step(self) -> int:
        """Drafts that a start has found: those that were committed go out or wait, the others are removed."""
        moved = 0
        for bundle in await self._yard.drafts():
            if bundle in self._packing or bundle in self._waiting:
                continue
            try:
                found = await self._committed(bundle)
            except CasemateError:  # what cannot be read now may have sent it: the draft stays
                continue
            flow, value = found if found is not None else (None, None)
            if value is not None and value.verdict == "waiting":
                self._waiting.add(bundle)
            elif flow is not None and value is not None and value.verdict == "sent":
                await self._yard.publish(bundle, signing_of((await named(flow, value.channel)).value))
            else:
                await self._yard.discard(bundle)
            moved += 1
        return moved

    async def countersign(self, flow: Flow, id: str, role: Role) -> Found[BundleRecord]:
        """Another person signs or approves a bundle that waits for him; the last one lets it go out.

        Raises Absent, Conflict where it waits for no such person, Refused (`two-person`) for one who has done either.
        """
        found, channel = await self._waits(flow, id)
        value, record = found.value, channel.value
        me = flow.session.principal.id
        done = {"signer": value.signed, "approver": value.approved}
        signers, approvers = record.needed
        if len(done[role]) >= {"signer": signers, "approver": approvers}[role]:
            raise Conflict(what=f"Bundle {id}")
        if me in (*value.signed, *value.approved):
            raise Refused(rule="two-person")
        done[role] = (*done[role], me)
        whole = (len(done["signer"]), len(done["approver"])) == (signers, approvers)
        after = replace(value, signed=done["signer"], approved=done["approver"])
        changes = [Put(BUNDLE, found.id, after, expect=found.version)]
        if whole:
            after = replace(after, verdict="sent", file="outbox")
            free = replace(record, waits="", waits_previous="")
            changes = [
                Put(BUNDLE, found.id, after, expect=found.version),
                Put(CHANNEL, channel.id, free, expect=channel.version),
            ]
        facts = {"channel": channel.id, "sequence": value.sequence, "bundle": value.bundle, "as": role}
        receipt = await flow.commit(*changes, facts={**facts, "released": "yes" if whole else "no"})
        if whole:
            self._waiting.discard(value.bundle)
            await self._yard.publish(value.bundle, signing_of(record))
        return Found(found.ref, receipt.versions[0], found.label, after)

    async def withdraw(self, flow: Flow, id: str) -> Found[BundleRecord]:
        """A bundle that waits goes nowhere, and its number is the next one's. Raises Absent, Conflict."""
        found, channel = await self._waits(flow, id)
        value, record = found.value, channel.value
        after = replace(value, verdict="withdrawn", file="")
        free = replace(record, sequence=value.sequence - 1, previous=record.waits_previous, waits="", waits_previous="")
        receipt = await flow.commit(
            Put(BUNDLE, found.id, after, expect=found.version),
            Put(CHANNEL, channel.id, free, expect=channel.version),
            facts={"channel": channel.id, "sequence": value.sequence, "bundle": value.bundle},
        )
        self._waiting.discard(value.bundle)
        await self._yard.discard(value.bundle)
        return Found(found.ref, receipt.versions[0], found.label, after)

    async def _waits(self, flow: Flow, id: str) -> tuple[Found[BundleRecord], Found[ChannelRecord]]:
        """A bundle of the flow's own class that waits for people, and its channel. Raises Absent, Conflict."""
        found = await flow.read(BUNDLE, id[:64])
        if found.ref.class_id != flow.access.id:
            return await flow.absent(BUNDLE, id[:64])
        if found.value.verdict != "waiting":
            raise Conflict(what=f"Bundle {id[:64]}")
        return found, await named(flow, found.value.channel)

    async def _lent(self, flow: Flow, record: ChannelRecord, wanted: Wanted) -> _Going:
        """One object, which the region that takes it may have.

        Raises Refused: by a rule of the guard, which is asked first, or as `accreditation`, `orcon`, `not-carried`.
        """
        cargo = self._cargo.get(wanted.kind)
        if cargo is None:
            raise BadInput(what=f"What travels is one of: {', '.join(sorted(self._cargo))}.")
        if cargo.asks and wanted.kind not in record.carries:
            await flow.refuse(Refuse("not-carried", {"kind": wanted.kind}))
        gathered = await cargo.gather(flow, wanted.id)
        if gathered.ref.class_id != flow.access.id:
            raise Absent(kind=gathered.ref.kind, id=wanted.id)
        flow.use(gathered.ref)
        seen = await self._seen(cargo, gathered, record.guard, flow.access.id)
        ceiling = flow.gate.vault.region.policies.parse(record.ceiling)
        lent = await flow.lend(flow.take(gathered).raised(flow.acting), Ceiling(_region(record), ceiling, outside=True))
        return _Going(wanted.kind, lent, seen)

    async def _seen(self, cargo: Cargo, gathered: Gathered, profile: GuardProfile, domain: str) -> Inspected | None:
        """What the guard here says of it, as the one there will say again. Raises Refused by its rule."""
        if profile == "none":
            return None
        lying = self._yard.lying(cargo.kind, gathered.contents)
        seen = await inspected(self._guards, lying, await cargo.shown(lying), profile, domain)
        if seen is not None and seen.verdict != "agree":
            raise Refused(rule=seen.verdict, why=seen.why)
        return seen

    def _outgoing(self, flow: Flow, gathered: list[_Going]) -> tuple[Outgoing, ...]:
        """Names that say nothing but the order: a bundle is read by programs, and titles stand in the objects."""
        return tuple(
            Outgoing(
                f"{each.kind}-{number:04d}",
                self._cargo[each.kind].type,
                flow.acting.text,
                each.gathered.contents,
                ((each.seen.digest, each.seen.guard, each.seen.verdict),) if each.seen else (),
            )
            for number, each in enumerate(gathered, 1)
        )

    async def _sent(
        self, flow: Flow, found: Found[ChannelRecord], packing: Packing, gathered: list[_Going]
    ) -> Found[BundleRecord]:
        record = found.value
        waits = record.needed != (1, 0)
        made = await self._yard.pack(packing)
        sent = BundleRecord(
            channel=found.id,
            side="sent",
            bundle=packing.bundle,
            sequence=packing.sequence,
            verdict="waiting" if waits else "sent",
            rule="",
            size=made.size,
            at=packing.issued,
            by=flow.session.principal.name,
            digest=made.digest,
            file="draft" if waits else "outbox",
            members=_members(packing, made, gathered),
            signed=(flow.session.principal.id,),
        )
        parents = tuple(
            dict.fromkeys(each.gathered.ref for each in gathered if each.gathered.ref.kind != PROPOSED.name)
        )
        after = replace(record, sequence=packing.sequence, previous=made.digest)
        if waits:
            after = replace(after, waits=packing.bundle, waits_previous=record.previous)
        facts = {"channel": found.id, "sequence": packing.sequence, "bundle": packing.bundle, "to": record.destination}
        changes = (
            Put(CHANNEL, found.id, after, expect=found.version),
            Put(BUNDLE, PREFIX + packing.bundle, sent, parents, expect=0),
        )
        try:
            receipt = await flow.commit(
                *changes, facts={**facts, "objects": len(gathered), "release": made.digest[:32]}
            )
        except Conflict:
            await self._yard.discard(packing.bundle)
            raise
        if waits:
            self._waiting.add(packing.bundle)
        else:
            await self._yard.publish(packing.bundle)
        ref = Ref(BUNDLE.name, PREFIX + packing.bundle, flow.access.id)
        return Found(ref, receipt.versions[1], flow.acting, sent)

    async def _committed(self, bundle: str) -> tuple[Flow, BundleRecord] | None:
        """What some class knows of it, with a flow there: each is asked by a service of its own."""
        for access in self._gate.classes.everything():
            if access.originator or access.need:
                continue
            flow = await self._flow(access)
            for found in await flow.every(BUNDLE, Where((("bundle", bundle),))):
                if found.ref.class_id == flow.access.id and found.value.side == "sent":
                    return flow, found.value
        return None

    async def _flow(self, access: AccessClass) -> Flow:
        return await self._gate.open(self._gate.service("transfer", access), Action("tend", "bundle"))


def _region(record: ChannelRecord) -> str:
    return f"region:{record.destination}"


def _packing(flow: Flow, record: ChannelRecord, bundle: str, days: int, objects: tuple[Outgoing, ...]) -> Packing:
    region, now = flow.gate.vault.region, flow.gate.vault.clock.now()
    return Packing(
        bundle=bundle,
        channel=record.channel,
        sequence=record.sequence + 1,
        previous=record.previous,
        source=record.source,
        destination=record.destination,
        label=record.label,
        banner=region.policies.banner(flow.acting, "en"),
        issued=now,
        expires=now + days * DAY,
        recipient=bytes.fromhex(record.recipient),
        root=record.root.encode(),
        signing=record.signing,
        roles=record.roles,
        objects=objects,
        roots=tuple(each.encode() for each in record.roots),
        former=record.former[:1],
    )


def _members(packing: Packing, made: Made, gathered: list[_Going]) -> tuple[MemberRecord, ...]:
    pairs = zip(packing.objects, gathered, strict=True)
    return tuple(
        MemberRecord(
            out.type,
            each.gathered.title[:200],
            made.manifests[out.name],
            each.gathered.ref.kind,
            each.gathered.ref.id,
            guard=each.seen.verdict if each.seen else "",
        )
        for out, each in pairs
    )
