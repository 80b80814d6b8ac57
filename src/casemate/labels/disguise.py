"""Text as it looks to a reader: what hides, mirrors or imitates letters is undone, so that no mark hides behind it.

Not the whole of Unicode's confusables: characters without width, direction marks, compatibility forms, combining marks,
and the Greek and Cyrillic capitals that look Latin. What is found only this way is never trusted as a mark, only
stopped as one.
"""

from __future__ import annotations

import unicodedata

__all__ = ["plain", "shown", "tidy"]

_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC", strict=True))
_CYRILLIC = dict(zip("АВЕЅІЈКМНОРСТУХЗԚԜҮԌЕ", "ABESIJKMHOPCTYX3QWYGE", strict=True))
_SIGNS = {"⁄": "/", "∕": "/", "⧸": "/", "╱": "/", "⟋": "/", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-"}
_LOOK = str.maketrans(_GREEK | _CYRILLIC | _SIGNS)
_BACKWARDS = "\u202e"  # right-to-left override: what follows is shown mirrored


def tidy(text: str) -> str:
    """The same text with composed accents and single plain spaces, trimmed. Nothing here changes what it says."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def plain(text: str) -> str:
    """What the text looks like, in plain letters. Of a text that is plain already, itself."""
    if text.isascii() and text.isprintable():
        return text
    head, mirrored, tail = text.partition(_BACKWARDS)
    seen = head + tail[::-1] if mirrored else text
    decomposed = unicodedata.normalize("NFKD", seen.translate(_LOOK))
    kept = "".join(
        c for c in decomposed if unicodedata.category(c) not in {"Cf", "Cc", "Mn", "Me", "Cn"} or c in "\t\n"
    )
    return tidy(kept.translate(_LOOK))


def shown(text: str) -> str:
    """A stranger's text as it may be quoted: short, printable, and valid in every encoding."""
    return "".join(c if c.isprintable() else "?" for c in text[:64])
