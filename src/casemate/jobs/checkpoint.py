"""Checkpoints: what an attempt left at a path below /out is there for the next one, in the same class and engine.

The folder of the last attempt that left one stays until its job has ended. What is copied is only ever what an earlier
attempt of the same job wrote at the same label; it counts as nothing, and is no output until it is sealed as one.
"""

from __future__ import annotations

from casemate.errors import Absent, BadInput, TooLarge
from casemate.jobs.executor import Scratch
from casemate.jobs.job import Attempt, Job, Spec
from casemate.jobs.seal import FILES

__all__ = ["CHECKPOINT", "Uncarried", "carry", "former", "settled"]

CHECKPOINT = "CHECKPOINT"


class Uncarried(Exception):
    """What an earlier attempt left cannot be copied: without it another program would run than the one asked for."""


def former(job: Job, attempt: Attempt, spec: Spec) -> list[str]:
    """The tokens of earlier attempts that may have left a checkpoint, the newest first."""
    if not spec.checkpoint.path:
        return []
    before = job.attempts[: attempt.n - 1]
    return [one.token for one in reversed(before) if one.engine == attempt.engine]


async def carry(scratch: Scratch, domain: str, token: str, before: list[str], spec: Spec) -> None:
    """Into the fresh folder of an attempt, from the newest that has one. Raises Uncarried, StorageFull."""
    try:
        for one in before:
            if await scratch.carry(domain, one, token, spec.checkpoint.path, spec.resources.disk_mb << 20):
                return
    except (BadInput, TooLarge) as error:
        raise Uncarried from error


async def settled(scratch: Scratch, domain: str, job: Job, token: str, spec: Spec | None) -> bool:
    """An attempt is over: whether its folder stays for the next one. Those before it go where nobody asks for them."""
    path = spec.checkpoint.path if spec is not None else ""
    if not path:
        return False
    stays = job.open == "yes" and await _left(scratch, domain, token, path)
    if stays or job.open == "no":
        for one in job.attempts:
            if one.token != token:
                await scratch.remove(domain, one.token)
    return stays


async def _left(scratch: Scratch, domain: str, token: str, path: str) -> bool:
    try:
        return bool(await scratch.outputs(domain, token, path.strip("./"), FILES))
    except TooLarge:
        return True  # it is told when it is to be carried
    except (Absent, BadInput):
        return False
