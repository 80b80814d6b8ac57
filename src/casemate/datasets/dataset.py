"""A dataset: a tree that is recorded where it lies, at a label, and found to have changed when it has.

    add -> walk (beneath a root that the acting label sees) -> manifest in parts, blobs of the class -> one commit

A root has a label: nothing in it is registered below that, and where it is not visible there is none. The record lies
at the acting label, and so does its manifest: names of files are content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import msgspec

from casemate.access import Flow
from casemate.datasets.tree import PART, Item, Trees, packed, unpacked
from casemate.errors import Ambiguous, BadInput, Conflict, Damaged
from casemate.labels import Label
from casemate.objects import Delete, Found, Kind, Put, Ref

__all__ = ["DATASET", "Changed", "Dataset", "DatasetRequest", "Datasets", "Root"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LONGEST = 4096
TOLD = 100  # files that are named as changed; more are counted


class DatasetRequest(msgspec.Struct, frozen=True):
    """`path`: absolute, where the region's own processes see it."""

    name: str
    path: str
    title: str = ""


class Changed(msgspec.Struct, frozen=True, array_like=True):
    """A file that is not as it was recorded."""

    path: bytes
    why: str


class Dataset(msgspec.Struct, frozen=True):
    """`root` and `under`: where it lies. `parts`: blobs of its manifest. `digested`: files whose digest is known.

    `cursor`: the next file whose digest is taken, or -1 while nobody takes any. `changed`: the first that were found to
    be other files than those recorded, `changes` how many in all. Times in microseconds.
    """

    name: str
    root: str
    under: str
    files: int
    size: int
    links: int
    parts: tuple[str, ...]
    title: str = ""
    added_by: str = ""
    at: int = 0
    digested: int = 0
    cursor: int = -1
    changed: tuple[Changed, ...] = ()
    changes: int = 0
    looked: int = 0


DATASET = Kind("dataset", Dataset, blobs=lambda value: value.parts)


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the machine that the settings allow, and the label of what lies there.

    `real`: the same without a link in it, by which it is reached; "" where `path` has none.
    """

    path: str
    label: Label
    real: str = ""

    @property
    def place(self) -> str:
        """By which path it is reached."""
        return self.real or self.path


@dataclass(frozen=True, slots=True)
class Datasets:
    """What reads trees, and beneath which roots. `most`: files of one dataset."""

    trees: Trees
    roots: Mapping[str, Root] = field(default_factory=dict)
    most: int = 200_000

    async def add(self, flow: Flow, request: DatasetRequest) -> Found[Dataset]:
        """Record a tree at the acting label. Raises BadInput, Conflict where one of that name is visible, Absent."""
        if not _NAME.fullmatch(request.name):
            raise BadInput(what="A dataset's name has 1 to 64 letters, digits, '.', '-' and '_'.")
        if len(request.title) > 200 or not request.title.isprintable():
            raise BadInput(what="A title has at most 200 printable characters.")
        own = Ref(DATASET.name, request.name, flow.access.id)
        if await flow.read_each(DATASET, request.name) or own in flow.barred(DATASET):
            raise Conflict(what=f"Dataset {request.name}")
        root, under = self._placed(flow, request.path)
        walked = await self.trees.walk(self.roots[root].place, under, self.most, flow.access.id)
        parts = [await flow.pour(packed(part)) for part in _parts(walked.items)]
        value = Dataset(
            name=request.name,
            root=root,
            under=under,
            files=len(walked.items),
            size=sum(item.size for item in walked.items),
            links=walked.links,
            parts=tuple(parts),
            title=request.title,
            added_by=flow.session.principal.name,
            at=flow.gate.vault.clock.now(),
        )
        await flow.commit(Put(DATASET, value.name, value, expect=0), facts={"dataset": value.name})
        return await self.named(flow, value.name)

    async def every(self, flow: Flow) -> list[Found[Dataset]]:
        """The visible datasets by name."""
        return sorted(await flow.every(DATASET), key=lambda found: (found.id, found.label.text))

    async def named(self, flow: Flow, name: str) -> Found[Dataset]:
        """The highest visible one of that name. Raises Absent; Ambiguous where two are incomparable."""
        found = await flow.read_each(DATASET, name[:64])
        if not found:
            await flow.absent(DATASET, name[:64])
        top = [f for f in found if not any(f.label <= o.label and f.label is not o.label for o in found)]
        if len(top) > 1:
            raise Ambiguous(key=name, labels="; ".join(sorted(f.label.text for f in top)))
        return top[0]

    async def remove(self, flow: Flow, name: str) -> None:
        """Forget the one that lies at the acting label; the files stay where they are. Raises Absent."""
        for found in await flow.read_each(DATASET, name[:64]):
            if found.ref.class_id == flow.access.id:
                await flow.commit(Delete(DATASET, found.id, found.version), facts={"dataset": found.id})
                return
        await flow.absent(DATASET, name[:64])

    async def items(self, flow: Flow, found: Found[Dataset], part: int) -> list[Item]:
        """A part of its manifest. Raises Damaged."""
        try:
            return unpacked(await flow.blob(found.ref.class_id, found.value.parts[part]))
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise Damaged(what="manifest") from None

    async def stretch(self, flow: Flow, found: Found[Dataset], after: int, many: int) -> list[Item]:
        """So many of its files, in order, from a place on."""
        part, start = divmod(after, PART)
        items: list[Item] = []
        while len(items) < many and part < len(found.value.parts):
            items += (await self.items(flow, found, part))[start:]
            part, start = part + 1, 0
        return items[:many]

    def place(self, value: Dataset) -> tuple[str, str]:
        """Where it lies. Raises BadInput where the settings no longer allow that root."""
        root = self.roots.get(value.root)
        if root is None:
            raise BadInput(what="No root of the settings holds this dataset any more.")
        return root.place, value.under

    def _placed(self, flow: Flow, path: str) -> tuple[str, str]:
        """The root that holds a path, and the path beneath it; one that is not visible holds nothing."""
        if len(path) > LONGEST or "\0" in path or not path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise BadInput(what="A path is absolute, and does not step back.")
        for name, root in self.roots.items():
            for top in dict.fromkeys((root.path, root.place)) if root.label <= flow.acting else ():
                if PurePosixPath(path).is_relative_to(top):
                    return name, str(PurePosixPath(path).relative_to(top)).removeprefix(".")
        raise BadInput(what="No root of the settings holds this path ([datasets.roots] in casemate.toml).")


def _parts(items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    return [items[at : at + PART] for at in range(0, len(items), PART)]
