"""From held bytes to passages at the labels of their marks: one document at a time, one commit each.

    held -> extract (a cell) -> read marks -> Marked: passages per label -> vectors -> shard per label -> settle
                                           -> Unmarked: waits until its owner states a label
                                           -> Quarantine: kept at the label at which it was held, with the reason

Repeating a step changes nothing: what has settled is no longer held, and the commit that settles it is keyed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from casemate.access import HELD, Ceiling, Flow, Gate, HeldRecord, Lanes
from casemate.clock import Loop
from casemate.errors import CasemateError, Damaged, Unreadable
from casemate.ids import fresh
from casemate.knowledge import extract, portions
from casemate.knowledge.document import DOCUMENT, PART, SEGMENT, Document, Part, Segment
from casemate.knowledge.library import Embedder
from casemate.knowledge.passage import Passage, passages
from casemate.knowledge.shard import build, decode, encode, merge
from casemate.labels import AccessClass, Label
from casemate.objects import Delete, Found, Put
from casemate.policy import Action

__all__ = ["Ingest"]

SEGMENTS = 8


@dataclass(slots=True)
class _Gathered:
    """What a file gives, before it is committed."""

    documents: list[tuple[str, Document, Label]] = field(default_factory=list)
    parts: list[tuple[str, Part, Label]] = field(default_factory=list)
    passages: dict[Label, list[Passage]] = field(default_factory=dict)
    unmarked: int = 0
    total: int = 0


class Ingest:
    """The loops of the knowledge room.

    Each access class has a lane of its own: a document that takes long, or that kills its parser, keeps only those of
    its own class waiting. `patience` is how long (seconds) a step waits for its lanes before it lets them run on; None
    waits for all of them. `problems` says per class why it cannot go on just now.
    """

    def __init__(
        self, gate: Gate, extractor: extract.Extractor, embedder: Embedder | None, patience: float | None = 0.5
    ) -> None:
        self._gate = gate
        self._extractor = extractor
        self._embedder = embedder
        self._lanes = Lanes(gate, self._lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("knowledge.ingest", 0.2, self.step), Loop("knowledge.compact", 5.0, self.compact)]

    async def step(self) -> int:
        """Settle what is held, every class in its own lane; how many documents have moved."""
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way: it is still held, and is settled after the next start."""
        await self._lanes.stop()

    async def _lane(self, access: AccessClass) -> int:
        """The documents that one class holds now, oldest first; one that cannot be done now does not stop the next.

        Nothing that happens here leaves the lane: another class would feel it.
        """
        moved = 0
        self.problems.pop(access.id, None)
        try:
            held = await self._held(access)
        except CasemateError as error:
            self.problems[access.id] = error.slug
            return 0
        for id in held:
            try:
                await self._one(access, id)
                moved += 1
            except CasemateError as error:
                self.problems[access.id] = error.slug
            except Exception:  # noqa: BLE001 - a defect that this document meets: kept, it would meet it for ever
                moved += await self._put_aside(access, id)
        return moved

    async def _put_aside(self, access: AccessClass, id: str) -> int:
        try:
            flow = await self._flow(access)
            await self._refuse(flow, await flow.read(HELD, id), "defect", {})
        except CasemateError as error:
            self.problems[access.id] = error.slug
            return 0
        return 1

    async def _flow(self, access: AccessClass) -> Flow:
        return await self._gate.open(self._gate.service("knowledge", access), Action("settle", "document"))

    async def _held(self, access: AccessClass) -> list[str]:
        flow = await self._flow(access)
        found = await flow.every(HELD)
        return [f.id for f in found if f.ref.class_id == access.id and f.value.state == "new"]

    async def _one(self, access: AccessClass, id: str) -> None:
        flow = await self._flow(access)
        held = await flow.read(HELD, id)
        try:
            raw = await flow.blob(access.id, held.value.blob)
            lent = await flow.lend(flow.take(raw), Ceiling("extract", self._gate.vault.region.ceiling))
            extracted = await self._extractor.extract(held.value.name, lent, access.id)
        except Unreadable as error:
            await self._refuse(flow, held, "unreadable", {"why": str(error.facts.get("why", ""))})
            return
        except Damaged:
            await self._refuse(flow, held, "damaged", {})
            return
        await self._settle(flow, held, extracted)

    async def _settle(self, flow: Flow, held: Found[HeldRecord], extracted: extract.Extracted) -> None:
        gathered = _Gathered()
        region = self._gate.vault.region
        floor = region.policies.parse(held.value.floor)
        stated = region.policies.parse(held.value.stated) if held.value.stated else None
        many = len(extracted.parts) > 1
        around = portions.outer([portions.Block(p.text, 0, p.kind) for p in extracted.outside], region.policies)
        for part in extracted.parts:
            id = fresh("doc", self._gate.vault.entropy, f"part/{flow.access.id}/{held.id}") if many else held.id
            as_text = held.value.marks == "text"
            outcome = await flow.beside(portions.read, _blocks(part), region.policies, floor, stated, as_text, around)
            if isinstance(outcome, portions.Unmarked):
                gathered.unmarked += 1
            elif isinstance(outcome, portions.Quarantine) or not outcome.label <= flow.acting:
                reason, facts = _why(outcome)
                await self._refuse(flow, held, reason, facts)
                return
            else:
                _gather(gathered, id, held.value, part.title if many else "", outcome)
        if gathered.unmarked:
            await self._ask(flow, held)
            return
        if not gathered.total:
            await self._refuse(flow, held, "unreadable", {"why": "There is no text in it."})
            return
        await self._land(flow, held, gathered)

    async def _land(self, flow: Flow, held: Found[HeldRecord], gathered: _Gathered) -> None:
        settling = flow.settle(held)
        for id, document, label in gathered.documents:
            kept = msgspec.structs.replace(document, source=held.value.blob if len(gathered.documents) == 1 else "")
            settling.change(label, Put(DOCUMENT, id, kept, expect=0))
        for id, part, label in gathered.parts:
            settling.change(label, Put(PART, id, part, expect=0))
        for label in sorted(gathered.passages, key=_text):
            chosen = gathered.passages[label]
            raw = await flow.beside(_encoded, label, chosen, await self._vectors(chosen, flow.access.id))
            blob = await settling.pour(label, raw)
            settling.change(label, Put(SEGMENT, f"seg_{blob[:32]}", Segment(held.value.base, blob, len(chosen))))
        facts = {"documents": len(gathered.documents), "passages": gathered.total}
        await settling.commit("settled", facts)

    async def _vectors(self, chosen: Sequence[Passage], domain: str) -> list[bytes]:
        """One access class at a time, so that no batch ever mixes two."""
        if self._embedder is None:
            return []
        return await self._embedder.embed([passage.indexed for passage in chosen], domain)

    async def _ask(self, flow: Flow, held: Found[HeldRecord]) -> None:
        settled = msgspec.structs.replace(held.value, state="unmarked")
        await flow.commit(Put(HELD, held.id, settled, expect=held.version), facts={"outcome": "unmarked"})

    async def _refuse(self, flow: Flow, held: Found[HeldRecord], reason: str, facts: dict[str, str | int]) -> None:
        document = Document(
            name=held.value.name,
            base=held.value.base,
            title="",
            digest=held.value.digest,
            state="quarantined",
            reason=reason,
            facts=facts,
            added_by=held.value.principal,
            at=held.value.at,
            source=held.value.blob,
        )
        settling = flow.settle(held)
        settling.change(flow.acting, Put(DOCUMENT, held.id, document))
        await settling.commit("quarantined", {"reason": reason})

    async def compact(self) -> int:
        """Merge the many small segments of a class and base into one; no result changes by it."""
        merged = 0
        for access in self._gate.classes.everything():
            if not access.originator and not access.need:
                try:
                    merged += await self._compact(access)
                except CasemateError as error:
                    self.problems[access.id] = error.slug
        return merged

    async def _compact(self, access: AccessClass) -> int:
        flow = await self._flow(access)
        bases: dict[str, list[Found[Segment]]] = {}
        for found in await flow.every(SEGMENT):
            if found.ref.class_id == access.id:
                bases.setdefault(found.value.base, []).append(found)
        done = 0
        for base, several in bases.items():
            if len(several) > SEGMENTS:
                raws = [await flow.blob(access.id, item.value.blob) for item in several]
                merged_raw, count = await flow.beside(_merged, access.label, raws)
                blob = await flow.pour(merged_raw)
                whole = Put(SEGMENT, f"seg_{blob[:32]}", Segment(base, blob, count))
                gone = [Delete(SEGMENT, item.id, expect=item.version) for item in several]
                await flow.commit(whole, *gone, facts={"merged": len(several)})
                done += 1
        return done


def _encoded(label: Label, chosen: Sequence[Passage], vectors: Sequence[bytes]) -> bytes:
    return encode(build(label, chosen, vectors))


def _merged(label: Label, raws: Sequence[bytes]) -> tuple[bytes, int]:
    shard = merge([decode(raw, label) for raw in raws])
    return encode(shard), shard.count


def _blocks(part: extract.Part) -> list[portions.Block]:
    paged = len(part.pages) > 1
    return [
        portions.Block(paragraph.text, number if paged else 0, paragraph.kind)
        for number, page in enumerate(part.pages, start=1)
        for paragraph in page
    ]


def _gather(into: _Gathered, id: str, held: HeldRecord, title: str, marked: portions.Marked) -> None:
    """Passages and parts of one document, per label."""
    count = 0
    named = title if title or marked.by_portions else _stem(held.name)
    for label in marked.labels():
        made = passages(marked.portions, label, id, "" if marked.by_portions else named)
        if made:
            into.passages.setdefault(label, []).extend(made)
            into.parts.append((id, Part(held.base, made[0].title, tuple(made)), label))
            count += len(made)
    shown = named or next((part.title for other, part, _ in into.parts if other == id), held.name)
    document = Document(
        name=held.name,
        base=held.base,
        title=shown,
        digest=held.digest,
        passages=count,
        added_by=held.principal,
        at=held.at,
    )
    into.documents.append((id, document, marked.label))
    into.total += count


def _why(outcome: portions.Outcome) -> tuple[str, dict[str, str | int]]:
    if isinstance(outcome, portions.Quarantine):
        return outcome.reason, dict(outcome.facts)
    return "above-acting", {}


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0].replace("_", " ")


def _text(label: Label) -> str:
    return label.text
