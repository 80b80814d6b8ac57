"""Volumes without a region: cut, checked, joined. What the command line asks of the engines, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from casemate.crypto import Signer
from casemate.engines.volume_files import Fault, VolumeFile, found
from casemate.engines.volume_join import Join, Taken
from casemate.engines.volume_split import Cut, Told, size_of, split
from casemate.errors import CasemateError
from casemate.transfer.volumes import Carried, Gap, Head, counted, planned

__all__ = ["Cut", "Fault", "Head", "Join", "Taken", "again", "checked", "cut"]


def cut(
    source: Path,
    folder: Path,
    carried: Carried,
    parity: int,
    count: int = 0,
    size: int = 0,
    signer: Signer | None = None,
    told: Told | None = None,
) -> Cut:
    """Into `count` volumes, else into as many as there must be where each may have `size` bytes at most."""
    public = signer.public if signer is not None else b""
    whole = size_of(source)
    layout = counted(whole, count, parity) if count else planned(whole, size, parity, carried, public)
    return split(source, folder, layout, carried, signer, told=told)


def again(
    source: Path, folder: Path, carried: Carried, gap: Gap, signer: Signer | None = None, told: Told | None = None
) -> Cut:
    """Only those that a gap names, of the set that it names. Raises BadInput where the file makes another set."""
    layout = counted(size_of(source), gap.n, gap.n - gap.k)
    return split(source, folder, layout, carried, signer, gap.wanted, gap.set, told)


def checked(places: Sequence[Path]) -> Iterator[tuple[str, Head | None, list[Fault]]]:
    """Each volume that lies there, every byte of it read: its file, its head, and what is wrong with it."""
    files, faults = found(places)
    for path in files:
        try:
            with VolumeFile(path) as volume:
                for _ in volume.frames():
                    pass
                yield path.name, volume.head, volume.faults
        except CasemateError:
            yield path.name, None, [Fault(path.name, "head")]
    for fault in faults:
        yield fault.file, None, [fault]
