"""From held bytes to passages at the labels of their marks: one document at a time, one commit each.

    held -> extract (a cell) -> read marks -> Marked: passages per label -> vectors -> shard per label -> settle
                                           -> Unmarked: waits until its owner states a label
                                           -> Quarantine: kept at the label at which it was held, with the reason

Repeating a step changes nothing: what has settled is no longer held, and the commit that settles it is keyed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from casemate.access import HELD, Ceiling, Flow, Gate, HeldRecord, Lanes, Settling
from casemate.clock import Loop
from casemate.errors import CasemateError, Damaged, Unreadable
from casemate.ids import fresh
from casemate.knowledge.documents.document import DOCUMENT, MEMBERS, PART, SEGMENT, Document, Members, Segment
from casemate.knowledge.documents.gone import GONE, GoneRecord
from casemate.knowledge.embedders import Embedder, Embedders, ModelEmbedder, vectors
from casemate.knowledge.gather import Gathered, blocks, gather, why
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.index.make import build
from casemate.knowledge.index.shard import encode
from casemate.knowledge.reading import extract, portions
from casemate.knowledge.reading.passage import Passage
from casemate.labels import AccessClass, Label
from casemate.objects import Found, Put
from casemate.policy import Action

__all__ = ["Ingest"]


class Ingest:
    """The loops of the knowledge room.

    Each access class has a lane of its own: a document that takes long, or that kills its parser, keeps only those of
    its own class waiting. `patience` is how long (seconds) a step waits for its lanes before it lets them run on; None
    waits for all of them. `problems` says per class why it cannot go on just now.
    """

    def __init__(
        self,
        gate: Gate,
        extractor: extract.Extractor,
        embedders: Embedders | Embedder | None,
        patience: float | None = 0.5,
    ) -> None:
        self._gate = gate
        self._extractor = extractor
        self._embedders = embedders if isinstance(embedders, Embedders) else Embedders(embedders)
        self._lanes = Lanes(gate, self._lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("knowledge.ingest", 0.2, self.step)]

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
        if held.value.withdrawn:
            await self._withdraw(flow, held)
            return
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
        await self._settle(flow, held, extracted, raw)

    async def _settle(self, flow: Flow, held: Found[HeldRecord], extracted: extract.Extracted, raw: bytes) -> None:
        gathered = Gathered(extracted.media)
        region = self._gate.vault.region
        floor = region.policies.parse(held.value.floor)
        stated = region.policies.parse(held.value.stated) if held.value.stated else None
        many = len(extracted.parts) > 1
        around = portions.outer([portions.Block(p.text, 0, p.kind) for p in extracted.outside], region.policies)
        for part in extracted.parts:
            id = fresh("doc", self._gate.vault.entropy, f"part/{flow.access.id}/{held.id}") if many else held.id
            as_text = held.value.marks == "text"
            outcome = await flow.beside(portions.read, blocks(part), region.policies, floor, stated, as_text, around)
            if isinstance(outcome, portions.Unmarked):
                gathered.unmarked += 1
            elif isinstance(outcome, portions.Quarantine) or not outcome.label <= flow.acting:
                await self._refuse(flow, held, *why(outcome))
                return
            else:
                await flow.beside(gather, gathered, id, held.value, part.title if many else "", outcome)
        if gathered.unmarked:
            await self._ask(flow, held)
            return
        if not gathered.total:
            await self._refuse(flow, held, "unreadable", {"why": "There is no text in it."})
            return
        if len(gathered.documents) == 1:  # what is told of a whole file stays with the one document that it is
            [(id, document, label)] = gathered.documents
            gathered.documents = [(id, msgspec.structs.replace(document, notes=extracted.notes), label)]
        await self._land(flow, held, gathered, raw)

    async def _land(self, flow: Flow, held: Found[HeldRecord], gathered: Gathered, raw: bytes) -> None:
        settling = flow.settle(held)
        for id, document, label in gathered.documents:
            source = await settling.pour(label, raw) if len(gathered.documents) == 1 else ""
            settling.change(label, Put(DOCUMENT, id, msgspec.structs.replace(document, source=source), expect=0))
        for id, part, label in gathered.parts:
            settling.change(label, Put(PART, id, part, expect=0))
        for label in sorted(gathered.passages, key=_text):
            await self._segment(flow, settling, held.value, label, gathered)
        if len(gathered.documents) > 1:
            several = tuple(id for id, _, _ in gathered.documents)
            settling.change(flow.acting, Put(MEMBERS, held.id, Members(held.value.base, several, held.value.principal)))
        self._replace(settling, held)
        facts = {"documents": len(gathered.documents), "passages": gathered.total}
        await settling.commit("settled", facts)

    async def _segment(
        self, flow: Flow, settling: Settling, held: HeldRecord, label: Label, gathered: Gathered
    ) -> None:
        """One access class at a time, so that no batch of the embedder ever mixes two."""
        chosen, filed = gathered.passages[label], gathered.filed[label]
        embedder = self._embedders.serving(held.embedder, label)
        if isinstance(embedder, ModelEmbedder):  # asked by `reembed`, which acts at exactly the passages' label
            embedder = None
        made = await vectors(embedder, [passage.indexed for passage in chosen], flow)
        name = embedder.name if embedder is not None else ""
        raw, plane = await flow.beside(_encoded, label, chosen, made, filed, name)
        blob = await settling.pour(label, raw)
        poured = await settling.pour(label, plane) if plane else ""
        segment = Segment(held.base, blob, len(chosen), poured, name)
        settling.change(label, Put(SEGMENT, f"seg_{blob[:32]}", segment))

    async def _withdraw(self, flow: Flow, held: Found[HeldRecord]) -> None:
        settling = flow.settle(held)
        self._replace(settling, held)
        await settling.commit("withdrawn", {"document": held.value.replaces})

    def _replace(self, settling: Settling, held: Found[HeldRecord]) -> None:
        """What this takes the place of is gone with the same commit, wherever its bringer saw something of it.

        Nowhere else: a label at which it never was must not hear of it.
        """
        record = GoneRecord(held.value.principal, held.value.at, held.value.base)
        for text in held.value.gone_at:
            label = self._gate.vault.region.policies.parse(text)
            for id in held.value.replaces.split(","):
                settling.change(label, Put(GONE, id, record))

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
            origin=held.value.origin,
            attributes=held.value.attributes,
            marks=held.value.marks,
            replaces=held.value.replaces,
            floor=held.value.floor,
        )
        settling = flow.settle(held)
        settling.change(flow.acting, Put(DOCUMENT, held.id, document))
        await settling.commit("quarantined", {"reason": reason})


def _encoded(
    label: Label, chosen: Sequence[Passage], made: Sequence[bytes], filed: Sequence[Filed], embedder: str
) -> tuple[bytes, bytes]:
    return encode(build(label, chosen, made, filed, embedder))


def _text(label: Label) -> str:
    return label.text
