"""How long what was put aside of a bundle stays, and how much of it."""

from __future__ import annotations

import msgspec

from casemate.errors import Misconfigured

__all__ = ["TransferSettings", "carrying"]


class TransferSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bundles that were put aside stay `quarantine_days`, and of each access class `quarantine_mb` of them at most."""

    quarantine_days: int = 90
    quarantine_mb: int = 10_240


def carrying(transfer: TransferSettings) -> None:
    """Raises Misconfigured for a bound that cannot be."""
    if not 1 <= transfer.quarantine_days <= 36_600:
        raise Misconfigured(setting="transfer.quarantine_days", why="it is 1 to 36600 days")
    if not 0 <= transfer.quarantine_mb <= 1 << 24:
        raise Misconfigured(setting="transfer.quarantine_mb", why="it is 0 to 16777216")
