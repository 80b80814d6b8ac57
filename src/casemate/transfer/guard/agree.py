"""The two sides, one after the other, and the verdict: they agree byte for byte, or the object is held."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from casemate.errors import CasemateError, Refused
from casemate.transfer.guard.check import read
from casemate.transfer.guard.formats import may_cross
from casemate.transfer.guard.make import made
from casemate.transfer.guard.profile import Direction, Format, profile_of
from casemate.transfer.guard.schema import Schema
from casemate.transfer.guard.verdict import Verdict

__all__ = ["Asked", "agreed", "judge", "no"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at as what. `schema`: of CSV and JSON. A PDF is not asked about: it becomes text before."""

    format: Format
    direction: Direction
    schema: Schema | None = None


def judge(raw: bytes, asked: Asked, rest: int = 0) -> tuple[Verdict, bytes]:
    """The verdict, and the canonical bytes, b"" where it is held. Raises nothing but what ends the process.

    `rest`: of safetensors, the bytes of data that follow those that are given.
    Both sides run in this process: for what is small and is the region's own. A stranger's file goes by the cell.
    """
    profile = profile_of(asked.direction)
    try:
        may_cross(asked.format, raw[:512], profile)
        canonical = made(asked.format, raw, profile, asked.schema, rest)
        again = read(asked.format, canonical, profile, asked.schema, rest)
    except Refused as error:
        return no(asked, str(error.facts["rule"]), str(error.facts.get("why", ""))), b""
    except MemoryError:
        return no(asked, "guard-memory"), b""
    except RecursionError:
        return no(asked, "guard-depth"), b""
    except (CasemateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        # a defect of a parser must hold what it was read with, never let it through and never end the guard
        return no(asked, "guard-crash", type(error).__name__), b""
    return agreed(raw, canonical, again, asked)


def agreed(raw: bytes, canonical: bytes, again: bytes, asked: Asked) -> tuple[Verdict, bytes]:
    """The verdict on what one side has made and what the other has read of it."""
    if canonical != again:
        return no(asked, "guard-differs"), b""
    verdict = Verdict(
        format=asked.format,
        direction=asked.direction,
        agrees=True,
        digest=hashlib.sha512(canonical).hexdigest(),
        size=len(canonical),
        changed=canonical != raw,
    )
    return verdict, canonical


def no(asked: Asked, rule: str, why: str = "") -> Verdict:
    """What is held, and by which rule."""
    return Verdict(asked.format, asked.direction, agrees=False, rule=rule, why=why)
