"""Deltas as a page shows them: whole rungs, or pieces of a text that a model writes as itself.

Pieces are put together for a moment before they are shown: a browser takes a millisecond for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from casemate.assistants import ToldRung
from casemate.models import Delta

__all__ = ["Pieces", "rungs"]

TOGETHER = 0.06


@dataclass(frozen=True, slots=True)
class Pieces:
    """Some text of a model that answers as itself; `opens` is 1 where its paragraph begins."""

    text: str
    engine: str
    opens: int


async def rungs(deltas: AsyncIterator[Delta]) -> AsyncIterator[ToldRung | Pieces]:
    """Each rung when it is whole. A text without a label is told piece by piece."""
    held: list[Delta] = []
    loose: list[Delta] = []
    opens, shown = 1, 0.0
    now = asyncio.get_running_loop().time
    async for delta in deltas:
        if delta.finish:
            break
        if not delta.label:
            loose.append(delta)
            if now() - shown >= TOGETHER:
                yield _pieces(loose, opens)
                loose, opens, shown = [], 0, now()
            continue
        if held and held[0].label != delta.label:
            yield _rung(held)
            held = []
        held.append(delta)
        if delta.citations:
            yield _rung(held)
            held = []
    if loose:
        yield _pieces(loose, opens)
    if held:
        yield _rung(held)


def _pieces(loose: list[Delta], opens: int) -> Pieces:
    return Pieces("".join(delta.text for delta in loose), loose[0].engine, opens)


def _rung(held: list[Delta]) -> ToldRung:
    return ToldRung(
        mark=held[0].mark,
        label=held[0].label,
        text="".join(delta.text for delta in held).strip(),
        engine=held[0].engine,
        extract=any(delta.extract for delta in held),
        note=held[0].note,
        citations=tuple(citation for delta in held for citation in delta.citations),
    )
