"""What each label may take of the records."""

from __future__ import annotations

import msgspec

from casemate.errors import Misconfigured

__all__ = ["RecordSettings", "recording"]


class RecordSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`share_mb` is what each label may take of the records and the ledger, `shares` the same for some of them by their
    markings ("SECRET" = 2048); 0 sets no bound. A quarter of a share is for what a promise rests on."""

    share_mb: int = 0
    shares: dict[str, int] = {}


def recording(records: RecordSettings) -> None:
    """Raises Misconfigured for a share that cannot be."""
    if min(records.share_mb, *records.shares.values(), 0) < 0:
        raise Misconfigured(setting="records.share_mb", why="a share is not below zero")
