"""What the guard says of one object, and the rules by which it says no."""

from __future__ import annotations

from typing import Final

import msgspec

from casemate.errors import Refused

__all__ = ["RULES", "Verdict", "held"]

RULES: Final = (
    "guard-archive",
    "guard-bomb",
    "guard-code",
    "guard-count",
    "guard-crash",
    "guard-depth",
    "guard-differs",
    "guard-encoding",
    "guard-executable",
    "guard-format",
    "guard-formula",
    "guard-hidden",
    "guard-letters",
    "guard-memory",
    "guard-name",
    "guard-office",
    "guard-outward",
    "guard-pickle",
    "guard-schema",
    "guard-size",
    "guard-structure",
    "guard-time",
    "guard-trailing",
)
"""Each is a sentence in `words`, under `guard.rule`."""


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`agrees`: both sides came to the same bytes, `size` of them, with this SHA-512 (hex).

    Where they did not, `rule` names why, `why` where in a few words, and there is no digest: the object is held.
    `format` is that of the canonical bytes. `changed`: they are not the bytes that came.
    """

    format: str
    direction: str
    agrees: bool
    rule: str = ""
    why: str = ""
    digest: str = ""
    size: int = 0
    changed: bool = False


def held(rule: str, why: str = "") -> Refused:
    """The error with which a parser of the guard says no. `why` never quotes what was read."""
    if rule not in RULES:
        raise ValueError(rule)
    return Refused(rule=rule, why=why)
