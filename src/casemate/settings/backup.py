"""Where backups go, how often, and how long they are kept."""

from __future__ import annotations

import re

import msgspec

from casemate.errors import Misconfigured

__all__ = ["BackupSettings", "backed_up"]

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class BackupSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`folder`: where chains of sealed files go, beneath the region's where it is not absolute; "" for none.

    `seconds` between two shipments of the records, `minutes` between two increments, `days` until a new chain begins;
    `keep`: how many chains there are. `drill_at`: the hour (UTC) at which one is restored and compared, "" for never.
    `wal_mb`: how long the write-ahead log may grow while the folder takes nothing; beyond it the chain is given up.
    """

    folder: str = ""
    seconds: float = 10.0
    minutes: int = 15
    days: int = 7
    keep: int = 2
    drill_at: str = "02:30"
    wal_mb: int = 256


def backed_up(backup: BackupSettings) -> None:
    """Raises Misconfigured where backups could not be."""
    if not 0.05 <= backup.seconds <= 3600:
        raise Misconfigured(setting="backup.seconds", why="it is 0.05 to 3600 seconds")
    if not 1 <= backup.minutes <= 1440:
        raise Misconfigured(setting="backup.minutes", why="it is 1 to 1440 minutes")
    if not 1 <= backup.days <= 366 or not 1 <= backup.keep <= 100:
        raise Misconfigured(setting="backup.days", why="days is 1 to 366, keep 1 to 100")
    if backup.drill_at and not _HOUR.fullmatch(backup.drill_at):
        raise Misconfigured(setting="backup.drill_at", why="it is a time of day, 00:00 to 23:59")
    if not 16 <= backup.wal_mb <= 65_536:
        raise Misconfigured(setting="backup.wal_mb", why="it is 16 to 65536")
