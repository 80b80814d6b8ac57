"""Cases of one bundle's parts with another's, and of what binds whoever signed a face to what is inside."""

from __future__ import annotations

import hashlib
from functools import cache

from tests.transfer.conformance.case import Case, case
from tests.transfer.conformance.forge import AREA, Bundle, root_of

__all__ = ["MIXED"]


@cache
def another() -> bytes:
    """The next bundle of the same channel."""
    return Bundle(sequence=2).make()


@cache
def others(root: str = "") -> tuple[bytes, bytes]:
    """The content of another bundle and its inner digest: the next one, or this one with a root that is not read."""
    made = Bundle(roots={"1": root_of(), root: root_of()}) if root else Bundle(sequence=2)
    members = made._members()
    small = [(path, data) for path, data in members if not path.startswith("blobs/")]
    return made._content(members), hashlib.sha512(made._tar(small)[:-1024]).digest()


def mixed() -> bytes:
    """The area of one bundle before the frames of another."""
    return Bundle(sequence=1).make()[:AREA] + another()[AREA:]


def told(raw: bytes) -> bytes:
    """A face that tells the digest of the other's frames."""
    return raw[:68] + hashlib.sha512(another()[AREA:]).digest() + raw[132:]


MIXED = [
    Case("the area of one, the frames of another", "refuse frames", mixed),
    case(
        "a face that tells the other's digest, with the old signatures",
        "refuse signature",
        {"area": told, "sealed": lambda raw: another()[AREA:]},
    ),
    case("the other's frames, and signed", "refuse frames", {"raw": told, "sealed": lambda raw: another()[AREA:]}),
    case("the other's inside, and signed", "refuse inside", {"content": lambda content: others()[0]}),
    case(
        "the other's inside and its digest, and signed",
        "refuse release",
        {"content": lambda content: others()[0], "face": lambda face: face.update(inner=others()[1])},
    ),
    case(
        "a root more than was signed, sealed with the true key",
        "refuse inside",
        {"content": lambda content: others("9")[0]},
    ),
    case(
        "the same root, and signed",
        "accept accepted",
        {"content": lambda content: others("9")[0], "face": lambda face: face.update(inner=others("9")[1])},
    ),
    case(
        "frames that nobody signed, and a key: what opens is bound by what is in it",
        "accept accepted",
        {"face": lambda face: face.update(digest=bytes(64))},
    ),
    case(
        "frames that nobody signed, and no key",
        "refuse frames",
        {"face": lambda face: face.update(digest=bytes(64))},
        keys=(),
    ),
]
