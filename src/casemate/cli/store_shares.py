"""`casemate store shares`: what each label that one sees has used of its shares, of blobs and of records."""

from __future__ import annotations

from casemate.cli.command import verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

__all__ = ["shares"]


@verb("store.shares")
def shares(talk: Talk) -> None:
    answer = talk.client().get("/api/store/classes")
    talk.answer(answer)
    for line in columns(
        [
            (
                talk.mark(each["mark"], each["label"]),
                _told("store.records_used", each["records_used"], each["records_share"]),
                _told("store.blobs_used", each["used"], each["share"]),
            )
            for each in answer.data
        ]
    ):
        talk.out(line)


def _told(slug: str, used: int, share: int) -> str:
    """Bytes; blobs without a share are not counted."""
    return t(slug if share else f"{slug}_unbounded", used=used, share=share)
