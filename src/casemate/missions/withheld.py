"""What may be said of a finding without what it was found by: values, less those that hold a withheld word.

The host of missions uses it for what may be asked to go down; a mission may, to see what would be left of a line. It
must never be lenient: a word that cannot be told from the value it stands in takes the whole value along.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

__all__ = ["ANYWHERE", "stripped"]

ANYWHERE = 4
"""Letters from which on a word is looked for anywhere in a value; a shorter one is looked for as the whole of it."""


def stripped(saw: Mapping[str, str | int], withheld: Sequence[str]) -> str:
    """A line for each value in which no withheld word stands, in the order of what was seen; "" where none is left.

    Case and spaces do not count. A name that holds such a word takes its value along.
    """
    words = {said for word in withheld if (said := " ".join(word.split()).casefold())}
    lines = []
    for name, value in saw.items():
        told = " ".join(str(value).split())
        if told and not _holds((name.casefold(), told.casefold()), words):
            lines.append(f"{name}: {told}")
    return "\n".join(lines)


def _holds(parts: Sequence[str], words: Collection[str]) -> bool:
    return any(word in part if len(word) >= ANYWHERE else word == part for word in words for part in parts)
