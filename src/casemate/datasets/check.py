"""Whether a dataset is still what was recorded: by what the file system tells, and by its digests, in small steps.

A step of the loop goes class by class, each in a lane of its own, as that class' own session. What it finds is in the
record: how many digests are known, and which files are others now.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from casemate.access import Flow, Gate, Lanes
from casemate.clock import Loop
from casemate.crypto import same
from casemate.datasets.dataset import DATASET, TOLD, Changed, Dataset, Datasets
from casemate.datasets.tree import PART, Item, Why, packed, shown
from casemate.errors import Absent, CasemateError, Conflict, FileChanged
from casemate.labels import AccessClass
from casemate.objects import Found, Put
from casemate.policy import Action

__all__ = ["Digesting", "Opened", "begin", "checked_open", "verify"]

STEP_BYTES = 64 << 20
STEP_FILES = 512
EVERY = 1.0
DIGEST = Action("digest", "dataset")


async def verify(flow: Flow, datasets: Datasets, name: str) -> tuple[Found[Dataset], list[tuple[Item, Why]]]:
    """Look at every file without reading any: those that are not as they were recorded. Raises Absent."""
    found = await datasets.named(flow, name)
    root, under = datasets.place(found.value)
    wrong: list[tuple[Item, Why]] = []
    for part in range(len(found.value.parts)):
        items = await datasets.items(flow, found, part)
        wrong += await datasets.trees.looked_at(root, under, items, flow.access.id)
    return found, wrong


async def begin(flow: Flow, datasets: Datasets, name: str) -> Found[Dataset]:
    """Have the digests taken, or taken again and compared, from the first file on. At the label where it lies."""
    found = await datasets.named(flow, name)
    if found.ref.class_id != flow.access.id:
        raise Absent(kind=DATASET.name, id=name)
    value = msgspec.structs.replace(found.value, cursor=0, changed=(), changes=0)
    await flow.commit(Put(DATASET, found.id, value, expect=found.version), facts={"dataset": found.id})
    return await datasets.named(flow, name)


class Opened:
    """A dataset that is used: each file is checked before, while and after it is read."""

    def __init__(self, flow: Flow, datasets: Datasets, found: Found[Dataset]) -> None:
        self._flow, self._datasets, self.found = flow, datasets, found

    async def items(self) -> AsyncIterator[Item]:
        """The files, in order of their paths."""
        for part in range(len(self.found.value.parts)):
            for item in await self._datasets.items(self._flow, self.found, part):
                yield item

    async def read(self, item: Item) -> AsyncIterator[bytes]:
        """Its bytes. Raises FileChanged, at the latest behind the last one: what was read until then is not it."""
        root, under = self._datasets.place(self.found.value)
        async for piece in self._datasets.trees.read(root, under, item, self._flow.access.id):
            if isinstance(piece, str):
                raise FileChanged(dataset=self.found.value.name, file=shown(item.path), why=piece)
            yield piece


async def checked_open(flow: Flow, datasets: Datasets, name: str) -> Opened:
    """A dataset by its name, for use. Raises Absent, BadInput."""
    found = await datasets.named(flow, name)
    datasets.place(found.value)
    return Opened(flow, datasets, found)


class Digesting:
    """Takes digests, a little at each step."""

    def __init__(self, gate: Gate, datasets: Datasets, patience: float | None = 0.5) -> None:
        self._gate = gate
        self._datasets = datasets
        self._lanes = Lanes(gate, self._lane, patience)

    def loops(self) -> list[Loop]:
        return [Loop("datasets.digest", EVERY, self._lanes.step)]

    async def stop(self) -> None:
        """Let go of what is under way."""
        await self._lanes.stop()

    async def _lane(self, access: AccessClass) -> int:
        """How many files of this class were digested."""
        try:
            flow = await self._gate.open(self._gate.service("datasets", access), DIGEST)
            for found in await flow.every(DATASET):
                if found.ref.class_id == access.id and found.value.cursor >= 0:
                    return await self._some(flow, found)
        except CasemateError:
            return 0  # changed meanwhile, or not to be had now: the next step sees it anew
        return 0

    async def _some(self, flow: Flow, found: Found[Dataset]) -> int:
        """Digest the next files, within one part of the manifest."""
        value = found.value
        if value.cursor >= value.files:
            await self._note(
                flow, found, msgspec.structs.replace(value, cursor=-1, looked=self._gate.vault.clock.now())
            )
            return 0
        part, start = divmod(value.cursor, PART)
        items = await self._datasets.items(flow, found, part)
        root, under = self._datasets.place(value)
        wrong: list[Changed] = []
        done = taken = known = 0
        for place in range(start, len(items)):
            if done >= STEP_FILES or taken >= STEP_BYTES:
                break
            item = items[place]
            answer = await self._datasets.trees.digest(root, under, item, flow.access.id)
            done, taken = done + 1, taken + item.size
            if isinstance(answer, str):
                wrong.append(Changed(item.path, answer))
            elif not item.digest:
                items[place], known = msgspec.structs.replace(item, digest=answer), known + 1
            elif not same(item.digest, answer):
                wrong.append(Changed(item.path, "content"))
        parts = list(value.parts)
        if known:
            parts[part] = await flow.pour(packed(items))
        now = msgspec.structs.replace(
            value,
            parts=tuple(parts),
            cursor=value.cursor + done,
            digested=value.digested + known,
            changed=(*value.changed, *wrong)[:TOLD],
            changes=value.changes + len(wrong),
        )
        await self._note(flow, found, now)
        return done

    async def _note(self, flow: Flow, found: Found[Dataset], value: Dataset) -> None:
        try:
            await flow.commit(Put(DATASET, found.id, value, expect=found.version), facts={"dataset": found.id})
        except Conflict:
            return  # it was removed, or begun anew
