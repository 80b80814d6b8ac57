"""What comes out of an attempt becomes the region's: poured in pieces, digested, and named by one commit.

Nothing here commits. What was poured and is never named is swept like any other blob; so an attempt that is fenced in
between has left nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection

from casemate.access import Flow
from casemate.errors import Absent, BadInput, TooLarge
from casemate.jobs.executor import Scratch
from casemate.jobs.job import Artefact, Output, Spec
from casemate.jobs.logs import PIECE

__all__ = ["FILES", "Unsealed", "seal", "streams"]

FILES = 10_000
"""Files of one output."""


class Unsealed(Exception):
    """An output is not there, or is nothing that could be kept: the attempt has not succeeded."""


async def seal(flow: Flow, scratch: Scratch, domain: str, token: str, spec: Spec) -> tuple[Artefact, ...]:
    """Every output of an attempt, as artefacts of the flow's class. Raises Unsealed, StorageFull."""
    found: list[Artefact] = []
    for output in spec.outputs:
        try:
            files = await scratch.outputs(domain, token, output.path, FILES)
            for name, size in files:
                found.append(await _file(flow, scratch, domain, token, output, name, size))
        except (Absent, BadInput, TooLarge) as error:
            raise Unsealed(output.name) from error
    return tuple(found)


async def streams(
    flow: Flow, scratch: Scratch, domain: str, token: str, printed: Collection[str]
) -> tuple[Artefact, ...]:
    """What the attempt printed. `printed`: where there may be anything; the others are empty unread."""
    found: list[Artefact] = []
    for stream in ("out", "err"):

        async def read(at: int, stream: str = stream) -> bytes:
            return await scratch.read(domain, token, "log", stream, at, PIECE) if stream in printed else b""

        size, digest, pieces = await _poured(flow, read)
        found.append(Artefact(stream, size, digest, pieces))
    return tuple(found)


async def _file(
    flow: Flow, scratch: Scratch, domain: str, token: str, output: Output, name: str, size: int
) -> Artefact:
    path = "/".join(part for part in (output.path.strip("/"), name) if part)
    said = f"{output.name}/{name}" if name else output.name

    async def read(at: int) -> bytes:
        return await scratch.read(domain, token, "out", path, at, min(PIECE, size - at)) if at < size else b""

    if output.keep == "place":
        digest, at = hashlib.sha384(), 0
        while piece := await read(at):
            digest.update(piece)
            at += len(piece)
        return Artefact(said, at, digest.hexdigest(), place=path)
    size, told, pieces = await _poured(flow, read)
    return Artefact(said, size, told, pieces)


async def _poured(flow: Flow, read: Callable[[int], Awaitable[bytes]]) -> tuple[int, str, tuple[str, ...]]:
    """Size, digest and blobs of what `read` gives from each place on, until it gives nothing."""
    digest, at, pieces = hashlib.sha384(), 0, list[str]()
    waiting = b""
    while data := await read(at):
        at += len(data)
        digest.update(data)
        waiting += data
        while len(waiting) >= PIECE:  # a short read must not make a short piece: places are counted by them
            pieces.append(await flow.pour(waiting[:PIECE]))
            waiting = waiting[PIECE:]
    if waiting:
        pieces.append(await flow.pour(waiting))
    return at, digest.hexdigest(), tuple(pieces)
