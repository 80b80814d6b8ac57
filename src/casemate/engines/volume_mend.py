"""The draft of a join made whole: each stripe read, held against its digests, and repaired from parity where needed.

At the end every data volume must have the root that its set names: then the draft is what was cut, byte for byte.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from casemate.engines.volume_files import read_at, write_at
from casemate.errors import Damaged
from casemate.transfer.volumes.gaps import bits
from casemate.transfer.volumes.parity import add_up, repair_rows
from casemate.transfer.volumes.volume import DIGEST, PAGE, SIZE, Head, content_digest, root_of, said_size

__all__ = ["mend"]

Told = Callable[[int, int], None]
Bytes = NDArray[np.uint8]


def mend(
    folder: Path, head: Head, have: Mapping[int, Bytes], told: Told | None = None
) -> tuple[dict[int, list[int]], int]:
    """Frames that are not what was noted of them, by volume; where there are none, the size of the file.

    Nothing may be missing by the notes. Raises Damaged where the data does not have the roots of the set.
    """
    with ExitStack() as stack:
        kept = _Kept(folder, head, have, stack)
        roots = [_Root() for _ in range(head.layout.k)]
        lost: dict[int, list[int]] = {}
        for frame in range(head.layout.frames):
            for number in kept.stripe(frame):
                lost.setdefault(number, []).append(frame)
            for root, data in zip(roots, kept.data, strict=True):
                root.add(data.data)
            if told is not None:
                told(frame + 1, head.layout.frames)
        if lost:
            return lost, 0
        for number, root in enumerate(roots, 1):
            if root.digest() != head.roots[number - 1]:
                raise Damaged(what=f"volume {number} of {head.layout.n}")
        return {}, said_size(read_at(kept.draft, SIZE, head.layout.total - SIZE), head.layout)


class _Root:
    """The root of a volume, from its frames."""

    def __init__(self) -> None:
        self._pages, self._page = bytearray(), bytearray()

    def add(self, data: memoryview) -> None:
        self._page += content_digest(data)
        if len(self._page) == PAGE * DIGEST:
            self._turn()

    def _turn(self) -> None:
        self._pages += content_digest(self._page)
        self._page = bytearray()

    def digest(self) -> bytes:
        if self._page:
            self._turn()
        return root_of(bytes(self._pages))


class _Kept:
    """What was kept of the volumes. `data`: the data frames of the stripe that was last asked for."""

    def __init__(self, folder: Path, head: Head, have: Mapping[int, Bytes], stack: ExitStack) -> None:
        self._layout = head.layout
        self._have = have
        self._files: dict[int, tuple[int, int, int]] = {}  # by volume: its frames, from where on, its digests
        self.draft = _opened(folder / "draft", stack)
        for number in have:
            data = number <= self._layout.k
            body = self.draft if data else _opened(folder / f"parity-{number:03}", stack)
            table = _opened(folder / f"table-{number:03}", stack)
            self._files[number] = body, (number - 1) * self._layout.own if data else 0, table
        self.data = [np.zeros(self._layout.frame, np.uint8) for _ in range(self._layout.k)]
        self._first, self._there = -PAGE, dict[int, Bytes]()

    def stripe(self, frame: int) -> list[int]:
        """Read it, and mend it in the draft; which volumes gave other bytes than were noted."""
        if frame >= self._first + PAGE:
            self._first = frame
            self._there = {n: bits(self._have, n, self._layout.frames)[frame : frame + PAGE] for n in self._have}
        k, m, wrong = self._layout.k, self._layout.n - self._layout.k, list[int]()
        lost = [j for j in range(k) if not self._read(j + 1, frame, self.data[j], wrong)]
        if not lost:
            return wrong
        sums: dict[int, Bytes] = {}
        for i in range(m):
            if len(sums) < len(lost) and self._read(k + i + 1, frame, own := np.empty_like(self.data[0]), wrong):
                sums[i] = own
        if len(sums) < len(lost):
            return wrong
        rows = repair_rows(k, m, tuple(lost), tuple(sums))
        kept = [self.data[j] for j in range(k) if j not in lost]
        add_up(rows, [*kept, *sums.values()], [self.data[j] for j in lost])
        for j in lost:
            write_at(self.draft, self.data[j].data, j * self._layout.own + frame * self._layout.frame)
        return wrong

    def _read(self, number: int, frame: int, into: Bytes, wrong: list[int]) -> bool:
        """Whether that frame is there and is what its digest says."""
        if number not in self._there or not self._there[number][frame - self._first]:
            return False
        body, base, table = self._files[number]
        data = read_at(body, self._layout.frame, base + frame * self._layout.frame)
        if content_digest(data) != read_at(table, DIGEST, frame * DIGEST):
            wrong.append(number)
            return False
        into[:] = np.frombuffer(data, np.uint8)
        return True


def _opened(path: Path, stack: ExitStack) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    stack.callback(os.close, file)
    return file
