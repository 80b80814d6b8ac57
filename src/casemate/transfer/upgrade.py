"""A release of Casemate itself, as it lies in a bundle: what it says of itself, and which of two is older. Pure.

    casemate/release.json     {"casemate": 1, "version": "1.4.0", "wheels": {NAME.whl: SHA-256}}
    casemate/NAME.whl         Casemate and all that it needs, for one Python on one kind of machine

It must never fetch, unpack or start anything.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from casemate.errors import BadInput

__all__ = ["DESCRIBED", "OBJECT", "ReleaseOfCasemate", "order_of", "read_description", "slot_of"]

OBJECT = "casemate"
"""The name of the object in its bundle."""
DESCRIBED = "release.json"
LONGEST = 1 << 20
_VERSION = re.compile(r"(\d{1,9}(?:\.\d{1,9}){0,4})(?:(a|b|rc)(\d{1,9}))?(?:\.post(\d{1,9}))?(?:\.dev(\d{1,9}))?")
Version = Annotated[str, msgspec.Meta(pattern=rf"^{_VERSION.pattern}\Z", max_length=64)]
Wheel = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.+!-]{1,200}\.whl\Z")]
Sum = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ReleaseOfCasemate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`casemate`: the form of this description. `wheels`: all files of the release, with their SHA-256."""

    casemate: Literal[1]
    version: Version
    wheels: Annotated[dict[Wheel, Sum], msgspec.Meta(min_length=1, max_length=2000)]


def read_description(raw: bytes) -> ReleaseOfCasemate:
    """Raises BadInput."""
    try:
        if len(raw) > LONGEST:
            raise BadInput(what=DESCRIBED)
        return msgspec.json.decode(raw, type=ReleaseOfCasemate)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput(what=DESCRIBED) from None


def order_of(version: str) -> tuple[int, ...]:
    """What versions are sorted by (PEP 440, as far as ours go): a pre-release comes before its release."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise BadInput(what=f"version {version[:64]}")
    numbers = [int(each) for each in found[1].split(".")]
    before, post, dev = found[2], found[4], found[5]
    stage = {"a": 1, "b": 2, "rc": 3}.get(before or "", 4)
    if dev is not None and before is None and post is None:
        stage = 0
    last = 1 << 40  # behind every number that a version may have
    return (
        *_nine(numbers),
        stage,
        int(found[3] or 0),
        -1 if post is None else int(post),
        last if dev is None else int(dev),
    )


def _nine(numbers: list[int]) -> tuple[int, ...]:
    """1.2 and 1.2.0 are one."""
    return (*numbers, *[0] * (9 - len(numbers)))


def slot_of(version: str, sequence: int) -> str:
    """The name of the folder of a release: two bundles never share one."""
    return f"{version}-{sequence}"
