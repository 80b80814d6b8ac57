"""What may be called what: buckets as S3 names them, keys of at most 1,024 bytes, and bounds for what is said."""

from __future__ import annotations

import ipaddress
import re

from casemate.access import Flow
from casemate.buckets.kinds import Said
from casemate.buckets.seen import NewObject
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["HIGHEST_PART", "KEY", "named", "said", "whole_key"]

KEY = 1024  # bytes of UTF-8
HIGHEST_PART = 10_000
SAID = 16 << 10  # bytes of everything that is said of an object
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FORBIDDEN = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def named(name: str, language: str = "en") -> str:
    """The name of a bucket, as the rules of Amazon S3 for general purpose buckets allow it. Raises BadInput."""
    wrong = (
        not _BUCKET.fullmatch(name)
        or ".." in name
        or name.startswith(_FORBIDDEN)
        or name.endswith(_SUFFIXES)
        or _address(name)
    )
    if wrong:
        raise BadInput(what=say("buckets.name", language))
    return name


def _address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def whole_key(key: str, language: str = "en") -> str:
    """A key: 1 to 1,024 bytes of UTF-8 without NUL. Raises BadInput."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        size = 0
    if not 0 < size <= KEY or "\x00" in key:
        raise BadInput(what=say("buckets.key", language, most=KEY))
    return key


def said(flow: Flow, new: NewObject) -> Said:
    """What is said of an object, bounded. Raises BadInput."""
    told = Said(new.media, dict(new.headers), dict(new.metadata), dict(new.tags))
    texts = [told.media]
    for each in (told.headers, told.metadata, told.tags):
        texts += [text for pair in each.items() for text in pair]
    try:
        size = sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError:
        size = SAID + 1
    if size > SAID:
        raise BadInput(what=say("buckets.said", flow.session.language, most=SAID))
    return told
