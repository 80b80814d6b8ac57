"""What a shard knows of a document besides its passages: columns for filters, facets and dates.

All of it may be seen at the shard's own label: a title made of visible portions, the time at which it came, and what
its bringer typed at or below that label. A file's name, its size and its pages stay with the whole.
"""

from __future__ import annotations

import msgspec

from casemate.models.filter import Attribute

__all__ = ["Attribute", "Filed"]


class Filed(msgspec.Struct, frozen=True, array_like=True):
    """A document as far as one shard holds it. `at`: when it came (microseconds). `language`: en, fr, or "" (unknown).

    `media` is a media type; `attributes` are the bringer's own (at most 16, keys of at most 64 characters).
    """

    document: str
    title: str = ""
    at: int = 0
    media: str = ""
    language: str = ""
    attributes: dict[str, Attribute] = {}
