"""A spill: an object turned out to be higher than it said. What came of it is found, held back, raised or destroyed.

The officer acts at the true label, which therefore dominates what he is told of; he reads no content. What he orders is
done at each class's own label (`access.contain`): while he waits in all that he sees, and then, by a loop whose work he
neither sees nor waits for, everywhere else. Two people agree to raise or destroy, where the region has
two; to freeze, one suffices, since a freeze is lifted again and a delay is not.

Whoever orders waits until it is done; a process that dies in between is followed by `resume`, which goes on with every
case that has not ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from casemate.access import FROZEN, Flow, Gate
from casemate.access.contain import everything, land, seen_from, summit
from casemate.accounts.agreed import agreed
from casemate.clock import Loop
from casemate.custody.case import (
    BEYOND,
    ENDED,
    KNOWN,
    SPILL,
    Alike,
    Beyond,
    Case,
    How,
    Item,
    Known,
    Left,
    Remains,
    Report,
    Saw,
)
from casemate.custody.derived import Derived, derive
from casemate.custody.hold import View, free, freeze, lift
from casemate.custody.kinds import Kinds
from casemate.custody.lineage import told
from casemate.custody.quotes import Words
from casemate.custody.remedy import remedy
from casemate.custody.walk import Trace, found_at
from casemate.errors import BadInput, CasemateError, Conflict
from casemate.ids import fresh
from casemate.labels import Label
from casemate.objects import Delete, Found, Put, Where
from casemate.words import say

__all__ = ["Spill"]

FREE = "free"  # how far `Beyond` comes when nothing is left to be done


class Spill:
    """One per control process. It holds no truth: all of it lies in the cases and in what is frozen."""

    def __init__(self, gate: Gate, kinds: Kinds) -> None:
        self._gate = gate
        self.kinds = kinds
        self._working: dict[str, asyncio.Lock] = {}
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("custody.spill", 5.0, self.resume)]

    async def report(self, flow: Flow, named: str) -> Report:
        """What a containment at the acting label would find. Nothing is changed. Raises Absent, BadInput."""
        own, roots = await self._roots(flow, named)
        frozen = frozenset((each.value.kind, each.value.id, each.ref.class_id) for each in await own.every(FROZEN))
        return self._report(flow, named, await derive(own, self.kinds, roots), frozen)

    async def cases(self, flow: Flow) -> list[Found[Case]]:
        """The cases that the acting label sees, newest first."""
        return sorted(await flow.every(SPILL), key=lambda each: (-each.value.at, each.id))

    async def case(self, flow: Flow, id: str) -> Found[Case]:
        """Raises Absent."""
        return await flow.read(SPILL, id)

    async def contain(self, flow: Flow, named: str, how: How) -> Found[Case]:
        """Freeze at once, then raise or destroy where two agree. Raises Absent, BadInput, Refused."""
        case = await self._open(flow, named, how)
        await self._go_on(case.id, case.ref.class_id)
        if how:
            case = await self._decide(flow, case.id, how)
            await self._go_on(case.id, case.ref.class_id)
        return await flow.read(SPILL, case.id)

    async def lift(self, flow: Flow, id: str) -> Found[Case]:
        """It was a mistake: what is frozen is served again. Two agree, as to everything that cannot be seen through.

        Raises Absent, Conflict where it has been decided already, Refused.
        """
        case = await self._here(flow, id)
        if case.value.state not in ("open", "frozen"):
            raise Conflict(what=f"Spill {id}")
        done = await agreed(flow, f"spill lift {id}")
        if done is None:
            return case
        async with self._turn(id):
            await lift(self._gate, id, lambda: seen_from(self._gate, flow.acting))
            lifted = self._at(case.value, "lifted", second=flow.session.principal.name)
            await flow.commit(Put(SPILL, id, lifted, expect=case.version), *done, facts={"case": id})
        return await flow.read(SPILL, id)

    async def resume(self) -> int:
        """Go on with whatever has not ended, and do beyond each case's own label what was done below; how much was."""
        flow, count = await everything(self._gate), 0
        for each in await flow.every(SPILL):
            try:
                if each.value.state in ("open", "working") and not self._turn(each.id).locked():
                    await self._go_on(each.id, each.ref.class_id)
                    count += 1
                count += await self._beyond(each.id, each.ref.class_id)
                self.problems.pop(each.id, None)
            except CasemateError as error:
                self.problems[each.id] = error.slug
        return count

    async def _beyond(self, id: str, class_id: str) -> int:
        """What the officer does not see and does not wait for: as far as his case is, everywhere else."""
        top = await everything(self._gate)
        here = self._gate.classes.of(summit(self._gate))
        case = next(each.value for each in await top.read_each(SPILL, id) if each.ref.class_id == class_id)
        known = [each for each in await top.read_each(BEYOND, id) if each.ref.class_id == here.id]
        if case.state in ("open", "working") or (known and known[0].value.state in (case.state, FREE)):
            return await self._free(id, known)
        true = self._gate.classes.by_id(class_id).label
        if case.state == "lifted":
            await lift(self._gate, id, self._all)
        else:
            await self._step(id, case, true, self._all)
        if case.state in ENDED:
            await land(self._gate, self._gate.classes.by_id(class_id), [Delete(KNOWN, id)], {"case": id})
        done = Put(BEYOND, id, Beyond(case.state), expect=known[0].version if known else 0)
        await land(self._gate, here, [done], {"case": id})
        return 1

    async def _free(self, id: str, known: Sequence[Found[Beyond]]) -> int:
        """What a case has emptied everywhere may be taken again: nobody looks for what lay there any more."""
        if not known or known[0].value.state != "done":
            return 0
        await free(self._gate, self.kinds, id, self._all)
        here = self._gate.classes.by_id(known[0].ref.class_id)
        await land(self._gate, here, [Put(BEYOND, id, Beyond(FREE), expect=known[0].version)], {"case": id})
        return 1

    async def _step(self, id: str, case: Case, true: Label, view: View) -> Derived:
        """Freeze, and where it is decided raise or destroy, all that a view shows."""
        decided = case.state in ("working", "done")
        whole = decided and case.how == "shred"
        known = await self._known(id, true)
        derived = await freeze(
            self._gate, self.kinds, id, case.object, true, everything_of_it=whole, view=view, known=known
        )
        if decided:
            await remedy(self._gate, self.kinds, id, case.how, true, derived, view)
        return derived

    async def _known(self, id: str, true: Label) -> Known:
        """What was found when it was frozen first."""
        flow, here = await seen_from(self._gate, true), self._gate.classes.of(true).id
        found = [each.value for each in await flow.read_each(KNOWN, id) if each.ref.class_id == here]
        return found[0] if found else Known((), Words())

    async def _all(self) -> Flow:
        return await everything(self._gate)

    async def _roots(self, flow: Flow, named: str) -> tuple[Flow, list[Found[Any]]]:
        """Custody's view from the acting label, and the object there, frozen or not. Raises Absent, BadInput."""
        own = await seen_from(self._gate, flow.acting)
        roots = await found_at(own, self.kinds, named, everybody=True, raises=False)
        if not roots:
            await found_at(flow, self.kinds, named, everybody=True)
        return own, roots

    async def _open(self, flow: Flow, named: str, how: How) -> Found[Case]:
        """The case of that object that has not ended, or a new one."""
        for each in await flow.every(SPILL, Where((("object", named),))):
            if each.ref.class_id == flow.access.id and each.value.state not in ENDED:
                return each
        _, roots = await self._roots(flow, named)
        if how == "relabel" and all(flow.acting <= root.label for root in roots):
            raise BadInput(what=say("custody.nothing_to_raise", flow.session.language))
        id = fresh("spl", self._gate.vault.entropy, f"spill/{flow.access.id}/{flow.session.id}")
        now = self._gate.vault.clock.now()
        empty = self._report(flow, named, Derived(_only(roots)))
        case = Case(named, flow.acting.text, flow.session.principal.name, now, empty, times={"open": now})
        case = replace(case, solo=not self._gate.directory.two_person())
        await flow.commit(Put(SPILL, id, case, expect=0), facts={"case": id})
        return await flow.read(SPILL, id)

    async def _decide(self, flow: Flow, id: str, how: How) -> Found[Case]:
        case = await self._here(flow, id)
        if case.value.state != "frozen":
            return case
        done = await agreed(flow, f"spill {how} {id}")
        if done is None:
            return case
        decided = self._at(case.value, "working", how=how, second=flow.session.principal.name)
        await flow.commit(Put(SPILL, id, decided, expect=case.version), *done, facts={"case": id, "how": how})
        return await flow.read(SPILL, id)

    async def _here(self, flow: Flow, id: str) -> Found[Case]:
        found = await flow.read(SPILL, id)
        if found.ref.class_id != flow.access.id:
            await flow.absent(SPILL, id)
        return found

    async def _go_on(self, id: str, class_id: str) -> None:
        """Every step from where the case stands, as far as its label sees: whoever waits waits for nothing above."""
        async with self._turn(id):
            access = self._gate.classes.by_id(class_id)

            async def view() -> Flow:
                return await seen_from(self._gate, access.label)

            flow = await view()
            found = next(each for each in await flow.read_each(SPILL, id) if each.ref.class_id == class_id)
            case = found.value
            if case.state not in ("open", "working"):
                return
            derived = await self._step(id, case, access.label, view)
            if case.state == "working":
                report = _untitled(case.report) if case.how == "shred" else case.report
                now = _remains(flow, self.kinds, derived, case.how)
                before = (each for each in report.remains if each.outside)  # their records may be gone by now
                report = replace(report, remains=tuple(dict.fromkeys((*before, *now))))
                case = self._at(replace(case, report=report), "done")
            else:
                report = self._report(flow, case.object, derived) if derived.trace.roots else case.report
                case = self._at(replace(case, report=report), "frozen")
            places = tuple((one.ref.kind, one.id, one.ref.class_id) for one in derived.trace.found.values())
            known = [Put(KNOWN, id, Known(places, derived.words))] if case.state == "frozen" else []
            await land(self._gate, access, [Put(SPILL, id, case, expect=found.version), *known], {"case": id})

    def _turn(self, id: str) -> asyncio.Lock:
        return self._working.setdefault(id, asyncio.Lock())

    def _at(self, case: Case, state: Any, **more: Any) -> Case:
        return replace(case, state=state, times={**case.times, state: self._gate.vault.clock.now()}, **more)

    def _report(
        self, flow: Flow, named: str, derived: Derived, frozen: frozenset[tuple[str, str, str]] = frozenset()
    ) -> Report:
        """What is told of it: everything here is visible at the acting label, and so are its titles."""
        policies = flow.gate.vault.region.policies
        picture = told(flow, self.kinds, derived.trace)
        titles = {node.ref: node.title for node in picture.nodes}
        items = [
            Item(
                ref := f"{one.ref.kind}/{one.id}@{one.ref.class_id}",
                one.ref.kind,
                one.id,
                one.label.text,
                policies.portion(one.label),
                titles.get(ref, ""),
                one.ref in derived.quoting,
                flow.acting <= one.label,
                (one.ref.kind, one.id, one.ref.class_id) in frozen,
            )
            for one in sorted(derived.objects(), key=lambda one: (one.ref.kind, one.label.text, one.id))
        ]
        counts: dict[tuple[str, str], int] = {}
        for item in items:
            counts[item.label, item.kind] = counts.get((item.label, item.kind), 0) + 1
        return Report(
            object=named,
            true=flow.acting.text,
            at=self._gate.vault.clock.now(),
            solo=not self._gate.directory.two_person(),
            items=tuple(items),
            counts=tuple((label, kind, count) for (label, kind), count in sorted(counts.items())),
            alike=tuple(
                Alike(f"{one.ref.kind}/{one.id}@{one.ref.class_id}", one.label.text, policies.portion(one.label))
                for one in derived.alike
            ),
            saw=_saw(derived),
            left=_left(self.kinds, derived.objects()),
            picture=picture,
            remains=_remains(flow, self.kinds, derived, ""),
        )


def _only(roots: Sequence[Found[Any]]) -> Trace:
    return Trace(roots=[one.ref for one in roots], found={one.ref: one for one in roots})


def _untitled(report: Report) -> Report:
    """What was destroyed leaves no title behind."""
    nodes = tuple(replace(node, title="") for node in report.picture.nodes)
    items = tuple(replace(item, title="") for item in report.items)
    return replace(report, items=items, picture=replace(report.picture, nodes=nodes))


def _saw(derived: Derived) -> tuple[Saw, ...]:
    told = [each for each in derived.entries if not each.entry.principal.startswith("service:")]
    return tuple(
        Saw(
            each.entry.principal,
            each.entry.session,
            each.entry.action,
            each.entry.outcome,
            each.entry.at,
            each.entry.id,
            each.access.label.text,
        )
        for each in told
    )


def _left(kinds: Kinds, objects: Sequence[Found[Any]]) -> tuple[Left, ...]:
    found: list[Left] = []
    for one in objects:
        traced = kinds.traced.get(one.ref.kind)
        if traced is not None and traced.landed is not None:
            found.append(Left(one.id, one.value.statement.target, traced.landed(one.value), one.value.at))
    return tuple(found)


def _remains(flow: Flow, kinds: Kinds, derived: Derived, how: How) -> tuple[Remains, ...]:
    """What is not destroyed, and where it lies."""
    portion, found = flow.gate.vault.region.policies.portion, list[Remains]()
    for one in sorted(derived.objects(), key=lambda one: (one.ref.kind, one.label.text, one.id)):
        traced, ref = kinds.traced[one.ref.kind], f"{one.ref.kind}/{one.id}@{one.ref.class_id}"
        if traced.stays(how or "shred") and not (how == "relabel" and flow.acting <= one.label):
            found.append(Remains(ref, one.label.text, portion(one.label)))
        if traced.outside is not None:
            found.append(Remains(ref, one.label.text, portion(one.label), True, traced.outside(flow, one.value)))
    return tuple(found)
