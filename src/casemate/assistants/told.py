"""An answer gathered from its deltas, for those who do not stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from casemate.models import Citation, Delta, Usage

__all__ = ["Told", "ToldRung", "gathered"]


class ToldRung(msgspec.Struct, frozen=True):
    """One paragraph as it was told, with the mark that begins it."""

    mark: str
    label: str
    text: str
    engine: str
    extract: bool
    note: str
    citations: tuple[Citation, ...]


class Told(msgspec.Struct, frozen=True):
    """A whole answer. `finish`: stop, length, abstain."""

    text: str
    rungs: tuple[ToldRung, ...]
    finish: str
    usage: Usage


async def gathered(deltas: AsyncIterator[Delta]) -> Told:
    """All deltas as one value; deltas of one label in a row are one paragraph."""
    groups: list[list[Delta]] = []
    finish, usage = "stop", Usage()
    async for delta in deltas:
        if delta.finish:
            finish, usage = delta.finish, delta.usage or Usage()
        elif groups and groups[-1][0].label == delta.label:
            groups[-1].append(delta)
        else:
            groups.append([delta])
    text = "".join(delta.text for group in groups for delta in group)
    return Told(text, tuple(_rung(group) for group in groups), finish, usage)


def _rung(group: list[Delta]) -> ToldRung:
    return ToldRung(
        mark=group[0].mark,
        label=group[0].label,
        text="".join(delta.text for delta in group).strip(),
        engine=group[0].engine,
        extract=any(delta.extract for delta in group),
        note=group[0].note,
        citations=tuple(citation for delta in group for citation in delta.citations),
    )
