"""What comes: judged by the pure verifier against the channel's state, and adopted in one commit, or not at all.

    file -> verify(facts, state, now) -> refuse        a record, and the file is gone
                                      -> quarantine    a record, and the file put aside
                                      -> hold          a record with the gap; the file waits, and is judged again
         -> the guard here, once all else holds, and verify again with what it found
                                      -> accept -> pour all -> ONE commit: the channel's new state, and what came

Everything lies at the label of the channel here: the join of what was sent and this region's floor. Each object comes
in a state in which the loop of its room finds it. The same object is stored once, and each time it came is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from weakref import WeakValueDictionary

from msgspec.structs import replace

from casemate.access import Enrol, Flow, Gate, Lanes
from casemate.clock import Loop
from casemate.errors import Absent, BadInput, CasemateError, Conflict, Damaged, Unavailable
from casemate.labels import AccessClass
from casemate.objects import Change, Delete, Found, Put, Ref, Where
from casemate.policy import Action
from casemate.transfer.region.cargo import Alarming, Arrived, Cargo, Landed, Through
from casemate.transfer.region.channel import (
    BUNDLE,
    CHANNEL,
    PREFIX,
    TAKEN,
    BundleRecord,
    ChannelRecord,
    MemberRecord,
    TakenRecord,
)
from casemate.transfer.region.customs import GUARDED, Customs, Looked, Unfit
from casemate.transfer.region.inspect import Guards, Remade
from casemate.transfer.region.keys import known_before, told_apart
from casemate.transfer.region.office import named
from casemate.transfer.region.yard import LOST, Opened, Place, Yard
from casemate.transfer.state import State, read_state, written
from casemate.transfer.verdict import Verdict
from casemate.transfer.verify import advanced, held, verify

__all__ = ["Arrivals"]


LARGEST = 1 << 40
TRIES = 8


class Arrivals:
    """`cargo`: what can be adopted, by the type of its manifest. `guards`: what looks at its files before.

    Each class has a lane of its own: a large bundle keeps nobody else's waiting. `patience`: as of `Lanes`.
    """

    def __init__(
        self, gate: Gate, yard: Yard, cargo: Mapping[str, Cargo], guards: Guards, patience: float | None = 0.5
    ) -> None:
        self._gate = gate
        self._yard = yard
        self._customs = Customs(cargo, guards)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._lanes = Lanes(gate, self._lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("transfer.inbox", 5.0, self.step)]

    async def take(self, flow: Flow, name: str, pieces: AsyncIterator[bytes]) -> Found[BundleRecord]:
        """A file for a channel at the acting label; what became of it. Raises Absent, BadInput, TooLarge."""
        await self._receiving(flow, name)
        file = await self._yard.receive(pieces, LARGEST)
        try:
            taken = await self._judged(flow, name, file)
        finally:
            await self._yard.forget(file)  # whatever is kept of it lies elsewhere
        await self._waiting(flow, name)
        return taken

    async def step(self) -> int:
        """Files that lie in the inbox, each by a service of the class of its channel; one that is nobody's stays."""
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way: it still lies in the inbox."""
        await self._lanes.stop()

    async def _lane(self, access: AccessClass) -> int:
        moved = 0
        for file in await self._yard.dropped():
            channel = await self._yard.channel(file)
            moved += await self._dropped(access, channel, file) if channel else 0
        return moved

    async def _dropped(self, access: AccessClass, channel: str, file: str) -> int:
        """How many files that class has taken; what goes wrong there is no other's trouble."""
        try:
            flow = await self._flow(access)
            own = [
                each
                for each in await flow.every(CHANNEL, Where((("channel", channel), ("side", "received"))))
                if each.ref.class_id == access.id
            ]
            for each in own:
                await self._judged(flow, each.id, file)
                await self._yard.forget(file)
                await self._waiting(flow, each.id)
            self.problems.pop(access.id, None)
        except (CasemateError, OSError) as error:
            self.problems[access.id] = error.slug if isinstance(error, CasemateError) else Unavailable.slug
            return 0
        return len(own)

    async def _receiving(self, flow: Flow, name: str) -> tuple[Found[ChannelRecord], State]:
        found = await named(flow, name)
        if not found.value.state:
            raise BadInput(what="Nothing comes by this channel: it is one that sends, or nobody has introduced it.")
        return found, read_state(found.value.state.encode())

    async def _judged(self, flow: Flow, name: str, file: str, more: Sequence[Delete] = ()) -> Found[BundleRecord]:
        """One file, one at a time for each channel; where the state was changed meanwhile, it is judged again."""
        lock = self._turns.setdefault(f"{flow.access.id}/{name}", asyncio.Lock())
        async with lock:
            looked: Looked = {}  # what a guard has found is not looked for again
            for _ in range(TRIES):
                found, state = await self._receiving(flow, name)
                opened = await self._yard.open(file, (found.value.keeper, *found.value.keepers))
                now, why = flow.gate.vault.clock.now(), ""
                alarms: tuple[str, ...] = ()
                verdict = told_apart(found.value, state, opened, verify(opened.facts, state, now))
                try:
                    try:
                        if verdict.came is not None or verdict.rule in GUARDED:
                            verdict, why = await self._customs.verdict(
                                opened, state, now, found.value, looked, flow.access.id
                            )
                        if verdict.came is not None:
                            return await self._adopted(flow, found, state, opened, verdict, more, looked)
                    except Unfit as unfit:
                        verdict, why = Verdict("quarantine", unfit.rule, verdict.alarms), str(unfit)
                        alarms = unfit.alarms
                    return await self._kept(flow, found, state, opened, verdict, file, more, why, alarms)
                except Conflict:
                    for each in more:
                        if not await self._stands(flow, each):
                            raise
        raise Conflict(what=f"Channel {name}")

    async def _waiting(self, flow: Flow, name: str) -> None:
        """What was held and follows now is judged again, for as long as one is accepted."""
        while True:
            _, state = await self._receiving(flow, name)
            last = max(state.sequence, state.skip)
            several = await self.kept(flow, name, "hold")
            ready = [each for each in several if each.value.sequence <= last + 1]
            if not ready:
                return
            for each in ready:
                gone = Delete(BUNDLE, each.id, expect=each.version)
                try:
                    await self._judged(flow, name, each.value.file, (gone,))
                except Absent as error:
                    if error.facts["kind"] != LOST:
                        raise
                    await self._lost(flow, name, each.value.sequence, gone)
                await self._yard.forget(each.value.file)

    async def _lost(self, flow: Flow, name: str, sequence: int, gone: Delete) -> None:
        """What waited lies there no more: its number is missing again, so that it is carried once more."""
        found, state = await self._receiving(flow, name)
        told = replace(state, pending=tuple(each for each in state.pending if each != sequence))
        after = replace(found.value, state=written(told).decode())
        facts = {"channel": name, "sequence": sequence, "lost": "yes"}
        await flow.commit(Put(CHANNEL, found.id, after, expect=found.version), gone, facts=facts)

    async def again(self, flow: Flow, name: str) -> None:
        """What waits is judged again: somebody has given up what was missing."""
        await self._waiting(flow, name)

    async def kept(self, flow: Flow, name: str, verdict: str) -> list[Found[BundleRecord]]:
        """The records of a channel at the flow's own label that have that verdict, by sequence."""
        several = await flow.every(BUNDLE, Where((("channel", name),)))
        own = [f for f in several if f.ref.class_id == flow.access.id and f.value.verdict == verdict]
        return sorted(own, key=lambda each: each.value.sequence)

    async def _kept(
        self,
        flow: Flow,
        found: Found[ChannelRecord],
        state: State,
        opened: Opened,
        verdict: Verdict,
        file: str,
        more: Sequence[Delete],
        why: str,
        alarms: tuple[str, ...],
    ) -> Found[BundleRecord]:
        """Nothing of it is adopted: a record says why, and where its bytes are."""
        id = _fresh(flow, found.id)
        place: dict[str, Place] = {"hold": "held", "quarantine": "quarantine"}
        changes: list[Change] = []
        if verdict.state == "hold" and opened.sequence not in state.pending:
            after = replace(found.value, state=written(held(state, opened.sequence)).decode())
            changes.append(Put(CHANNEL, found.id, after, expect=found.version))
        elif verdict.state == "hold":
            same = [each for each in await self.kept(flow, found.id, "hold") if each.value.bundle == opened.bundle]
            if same:
                return same[0]
        where = place.get(verdict.state)
        kept = await self._yard.keep(file, where, id.removeprefix(PREFIX)) if where else ""
        record = _record(flow, found.id, opened, verdict, kept, (), why)
        record = replace(record, alarms=(*record.alarms, *alarms))
        put = Put(BUNDLE, id, record, expect=0)
        try:
            receipt = await flow.commit(put, *changes, *more, facts=_facts(found.id, record))
        except Conflict:
            if kept:
                await self._yard.forget(kept)  # it is judged again: nobody would ever find this name of it
            raise
        return Found(Ref(BUNDLE.name, id, flow.access.id), receipt.versions[0], flow.acting, record)

    async def _adopted(
        self,
        flow: Flow,
        found: Found[ChannelRecord],
        state: State,
        opened: Opened,
        verdict: Verdict,
        more: Sequence[Delete],
        looked: Looked,
    ) -> Found[BundleRecord]:
        """Pour all, then one commit. Where it is sure that there is none, nothing is left of what was laid down."""
        landed: list[Landed] = []
        try:
            done = await self._landed(flow, found, state, opened, verdict, more, looked, landed)
        except (Conflict, Unfit):
            for one in landed:
                await one.undo()
            raise
        for one in landed:
            await one.after()
        return done

    async def _landed(
        self,
        flow: Flow,
        found: Found[ChannelRecord],
        state: State,
        opened: Opened,
        verdict: Verdict,
        more: Sequence[Delete],
        looked: Looked,
        landed: list[Landed],
    ) -> Found[BundleRecord]:
        """What the commit gives; `landed` grows by each object that was poured for it."""
        came = verdict.came
        assert came is not None
        id = _fresh(flow, found.id)
        ref = Ref(BUNDLE.name, id, flow.access.id)
        changes: list[Change] = []
        enrolled: list[Enrol] = []
        members: list[MemberRecord] = []
        by = Through(found.value.source, came.sequence)
        for type, arrived in opened.objects():
            seen = looked.get(arrived.digest)
            guard = seen.verdict if seen else ""
            try:
                cargo = self._customs.cargo(type, found.value)
                before = await self._before(flow, cargo, arrived)
                if before is not None:
                    members.append(
                        MemberRecord(
                            type, arrived.name, arrived.digest, before.kind, before.id, known=True, guard=guard
                        )
                    )
                    continue
                made = Remade(arrived, seen.made) if seen else arrived
                one = await cargo.arrive(flow, made, ref, by)
            except Alarming as told:
                raise Unfit(arrived.name, told.rule, (told.rule,)) from None
            except (BadInput, Damaged):
                raise Unfit(arrived.name) from None
            if any(one.ref == other.ref for other in landed):  # two in one place: neither is what was sent
                await one.undo()
                raise Unfit(arrived.name)
            landed.append(one)
            enrolled.extend(one.enrolled)
            changes.extend(one.changes)
            taken = TakenRecord(one.ref.kind, one.ref.id, id, one.mark)
            changes.append(Put(TAKEN, arrived.digest.partition(":")[2], taken))
            members.append(MemberRecord(type, arrived.name, arrived.digest, one.ref.kind, one.ref.id, guard=guard))
        record = _record(flow, found.id, opened, verdict, "", tuple(members), "")
        after = replace(
            found.value,
            state=written(advanced(state, came)).decode(),
            sequence=came.sequence,
            previous=came.previous,
            before=known_before(found.value, state.root, came.root),
            skip_by="",
            skip_to=0,
        )
        first = (Put(CHANNEL, found.id, after, expect=found.version), Put(BUNDLE, id, record, expect=0))
        facts = _facts(found.id, record)
        receipt = await flow.commit(*first, *_once(changes), *more, *enrolled, facts=facts)
        return Found(ref, receipt.versions[1], flow.acting, record)

    async def _before(self, flow: Flow, cargo: Cargo, arrived: Arrived) -> TakenRecord | None:
        """Where the very same object lies that came before, if it still does."""
        for each in await flow.read_each(TAKEN, arrived.digest.partition(":")[2]):
            before = each.value
            own = each.ref.class_id == flow.access.id
            if own and await cargo.there(flow, before.id, before.mark):
                return before
        return None

    async def _stands(self, flow: Flow, gone: Delete) -> bool:
        """Whether what was to be removed is still as it was."""
        return any(
            (f.ref.class_id, f.version) == (flow.access.id, gone.expect) for f in await flow.read_each(BUNDLE, gone.id)
        )

    async def _flow(self, access: AccessClass) -> Flow:
        return await self._gate.open(self._gate.service("transfer", access), Action("take", "bundle"))


def _once(changes: Sequence[Change]) -> list[Change]:
    """Two objects may need the same beside them (a bucket): it is made once."""
    found: dict[tuple[str, str], Change] = {}
    for change in changes:
        found.setdefault((change.kind.name, change.id), change)
    return list(found.values())


def _fresh(flow: Flow, name: str) -> str:
    return PREFIX + flow.gate.vault.entropy.draw(f"bundle/{flow.access.id}/{name}", 16).hex()


def _record(
    flow: Flow, name: str, opened: Opened, verdict: Verdict, file: str, members: tuple[MemberRecord, ...], why: str
) -> BundleRecord:
    came = verdict.came
    return BundleRecord(
        channel=name,
        side="received",
        bundle=opened.bundle,
        sequence=opened.sequence,
        verdict=verdict.state,
        rule=verdict.rule,
        size=opened.facts.size,
        at=flow.gate.vault.clock.now(),
        by=flow.session.principal.name,
        alarms=verdict.alarms,
        gap=verdict.gap or (),
        digest=came.previous if came is not None else "",
        file=file,
        why=why,
        members=members,
    )


def _facts(name: str, record: BundleRecord) -> dict[str, str | int]:
    facts: dict[str, str | int] = {
        "channel": name,
        "sequence": record.sequence,
        "bundle": record.bundle,
        "verdict": record.verdict,
        "rule": record.rule,
        "why": record.why,
        "objects": len(record.members),
        "known": sum(member.known for member in record.members),
    }
    facts |= {"alarms": ", ".join(record.alarms)} if record.alarms else {}
    return facts | ({"gap": f"{record.gap[0]}-{record.gap[1]}"} if record.gap else {})
