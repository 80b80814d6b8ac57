"""What a job printed and what came out of it, given to whoever its label lets see it: from blobs once it was sealed,
from the attempt's folder while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator

from casemate.access import Flow
from casemate.errors import Absent
from casemate.jobs import life
from casemate.jobs.job import JOB, Artefact, Job
from casemate.jobs.sites import Sites
from casemate.objects import Found

__all__ = ["PIECE", "artefact", "log"]

PIECE = 8 << 20
"""Bytes of a blob; every piece of an artefact but the last is as large."""


async def log(flow: Flow, sites: Sites, found: Found[Job], stream: str, at: int, most: int) -> tuple[bytes, int, bool]:
    """Bytes of a stream from a place on, where the next ones begin, and whether no more will come."""
    job = found.value
    for kept in job.logs:
        if kept.name == stream:
            data = await _stretch(flow, found, kept, at, most)
            return data, at + len(data), at + len(data) >= kept.size
    attempt = life.live(job)
    site = sites.site(attempt.engine) if attempt is not None else None
    if attempt is None or site is None:
        return b"", at, job.open == "no"
    try:
        data = await site.scratch.read(found.ref.class_id, attempt.token, "log", stream, at, most)
    except Absent:
        data = b""  # its folder is not there yet, or has just been sealed: whoever asks again is told
    return data, at + len(data), False


async def artefact(flow: Flow, sites: Sites, found: Found[Job], name: str) -> AsyncIterator[bytes]:
    """Its bytes, piece by piece. Raises Absent, also where it was left in a folder that is no longer there."""
    one = next((each for each in found.value.artefacts if each.name == name), None)
    if one is None:
        raise Absent(kind=JOB.name, id=f"{found.id}/{name[:200]}")
    if not one.place:
        for piece in one.pieces:
            yield await flow.blob(found.ref.class_id, piece)
        return
    attempt = found.value.attempts[-1]
    site = sites.site(attempt.engine)
    if site is None:
        raise Absent(kind=JOB.name, id=f"{found.id}/{name[:200]}")
    at = 0
    while at < one.size:
        data = await site.scratch.read(
            found.ref.class_id, attempt.token, "out", one.place, at, min(PIECE, one.size - at)
        )
        if not data:
            raise Absent(kind=JOB.name, id=f"{found.id}/{name[:200]}")
        at += len(data)
        yield data


async def _stretch(flow: Flow, found: Found[Job], kept: Artefact, at: int, most: int) -> bytes:
    if at >= kept.size:
        return b""
    number, start = divmod(at, PIECE)
    piece = await flow.blob(found.ref.class_id, kept.pieces[number])
    return piece[start : start + most]
