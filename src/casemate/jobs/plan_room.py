"""What nodes have left while a plan is made: nodes alike stand together, so that a place is found among few kinds.

It starts nothing and keeps nothing. A node's face is what it has left, and what it has left beyond a reservation; the
order of faces is the order of choice: nodes of the class before clean ones, few GPUs first, then the tightest fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

__all__ = ["ENDLESS", "Face", "Room", "Size", "chosen", "fits"]

ENDLESS = 1 << 62


class Size(NamedTuple):
    """What a job takes: `nodes` of them, and on each of these CPUs, MiB and GPUs of a type ("" for any)."""

    nodes: int
    cpus: int
    memory_mb: int
    gpus: int
    gpu_type: str


class Face(NamedTuple):
    """What a node has left. `late_*`: what of that may be held beyond the time of the reservation."""

    clean: bool
    gpus: int
    cpus: int
    memory_mb: int
    gpu_type: str
    late_gpus: int = ENDLESS
    late_cpus: int = ENDLESS
    late_memory_mb: int = ENDLESS


def fits(face: Face, size: Size) -> bool:
    """Whether a job of this size finds its part on such a node now."""
    return (
        face.cpus >= size.cpus
        and face.memory_mb >= size.memory_mb
        and face.gpus >= size.gpus
        and (not size.gpus or not size.gpu_type or face.gpu_type == size.gpu_type)
    )


def _late(face: Face, size: Size) -> bool:
    return face.late_cpus >= size.cpus and face.late_memory_mb >= size.memory_mb and face.late_gpus >= size.gpus


def _less(face: Face, size: Size, long: bool) -> Face:
    """The face once a job has its part. What ends before the reservation leaves what is kept for it alone."""
    bound = long and face.late_cpus < ENDLESS
    return Face(
        face.clean,
        face.gpus - size.gpus,
        face.cpus - size.cpus,
        face.memory_mb - size.memory_mb,
        face.gpu_type,
        face.late_gpus - size.gpus * bound,
        face.late_cpus - size.cpus * bound,
        face.late_memory_mb - size.memory_mb * bound,
    )


def chosen(faces: Iterable[tuple[Face, str]], size: Size) -> tuple[str, ...]:
    """The nodes that a job of this size would be given first, or () where it does not fit."""
    found = sorted((face, name) for face, name in faces if fits(face, size))
    return tuple(name for _, name in found[: size.nodes]) if len(found) >= size.nodes else ()


class Room:
    """The nodes of one class by their faces. Nodes only lose here: who ends gives back in the next plan."""

    def __init__(self, faces: Iterable[tuple[Face, str]]) -> None:
        self.alike: dict[Face, list[str]] = {}
        for name, face in sorted((name, face) for face, name in faces):
            self.alike.setdefault(face, []).append(name)

    def faces(self) -> dict[str, Face]:
        """Every node's face by its name."""
        return {name: face for face, names in self.alike.items() for name in names}

    def most(self, size: Size) -> int:
        """No more jobs of this size than this have a place now."""
        parts = 0
        for face, names in self.alike.items():
            if fits(face, size):
                each = face.cpus // size.cpus if size.cpus else ENDLESS
                each = min(each, face.memory_mb // size.memory_mb) if size.memory_mb else each
                each = min(each, face.gpus // size.gpus) if size.gpus else each
                parts += each * len(names)
        return parts // size.nodes

    def take(self, size: Size, long: bool) -> tuple[str, ...]:
        """Nodes for a job, taken; () where it does not fit. `long`: it may hold them beyond the reservation."""
        able = [
            face for face, names in self.alike.items() if names and fits(face, size) and (not long or _late(face, size))
        ]
        if sum(len(self.alike[face]) for face in able) < size.nodes:
            return ()
        able.sort()
        taken: list[str] = []
        for face in able:
            names, left = self.alike[face], _less(face, size, long)
            while names and len(taken) < size.nodes:
                name = heappop(names)
                taken.append(name)
                if left != face:
                    heappush(self.alike.setdefault(left, []), name)
            if left == face:  # sizes of nothing at all: the node stays as it was
                for name in taken:
                    heappush(names, name)
            if not names:
                del self.alike[face]
            if len(taken) == size.nodes:
                break
        return tuple(taken)

    def keep(self, on: Sequence[str], beyond: dict[str, tuple[int, int, int]]) -> None:
        """A reservation on these nodes: GPUs, CPUs and MiB of each that others may hold beyond its time."""
        faces = self.faces()
        for name in on:
            gpus, cpus, memory_mb = beyond[name]
            faces[name] = faces[name]._replace(late_gpus=gpus, late_cpus=cpus, late_memory_mb=memory_mb)
        self.alike = {}
        for name in sorted(faces):
            self.alike.setdefault(faces[name], []).append(name)
