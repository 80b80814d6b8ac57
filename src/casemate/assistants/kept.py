"""Answers that somebody keeps: stored exactly at the label at which they were asked, whatever marks they show."""

from __future__ import annotations

import msgspec

from casemate.access import Arriving, Flow, Releasable
from casemate.errors import BadInput
from casemate.ids import fresh
from casemate.labels import Label
from casemate.objects import Kind, Put

__all__ = ["KEPT", "RELEASABLE", "Kept", "keep"]

TEXT_LIMIT = 200_000


class Kept(msgspec.Struct, frozen=True):
    """A kept answer; `asked` is the ledger entry of its question."""

    text: str
    question: str
    asked: str
    at: int
    by: str


def _answered(id: str, kept: Kept) -> tuple[tuple[str, str], ...]:
    del id
    return (("entry", kept.asked),) if kept.asked else ()


KEPT = Kind("answer", Kept, sources=_answered)


async def keep(flow: Flow, text: str, question: str, asked: str, at: Label | None) -> Kept:
    """Store an answer. Raises Refused (`no-write-down`) for any label but the acting one."""
    if not text.strip() or len(text) > TEXT_LIMIT:
        raise BadInput(what=f"An answer has 1 to {TEXT_LIMIT} characters.")
    kept = Kept(text, question, asked, flow.gate.vault.clock.now(), flow.session.principal.name)
    id = fresh("ans", flow.gate.vault.entropy, f"answer/{flow.access.id}/{flow.session.id}")
    await flow.commit(Put(KEPT, id, kept, expect=0), at=at)
    return kept


def _text(kept: Kept, part: str) -> str | None:
    return None if part else kept.text


def _arrived(arriving: Arriving) -> Put:
    """A released answer: of its question, and of who asked it, nothing comes along."""
    return Put(KEPT, arriving.id, Kept(arriving.text, "", "", arriving.at, arriving.by), expect=0)


RELEASABLE = Releasable(KEPT, _text, _arrived, "ans")
