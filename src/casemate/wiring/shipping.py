"""The shipper of a region beside its writer, loaded only where backups are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from casemate.settings import Settings
from casemate.wiring.folder import Folder

if TYPE_CHECKING:
    from casemate.engines.backup_ship import Shipper

__all__ = ["near", "shipping"]


def shipping(folder: Folder, settings: Settings, signing: bytes) -> Shipper | None:
    """The shipper; one of a server's records is started here, since no writer of ours starts it.

    `signing`: the private key by which links are signed, which `signing_key` gives.
    """
    if not settings.backup.folder:
        return None
    from casemate.wiring.backup import shipper_of

    found = shipper_of(folder, settings, signing)
    if found is not None and settings.store.kind != "sqlite":
        found.start()
    return found


def near(
    shipper: Shipper | None, fold: Callable[[], Awaitable[None]] | None
) -> Callable[[bool], Awaitable[None]] | None:
    """What makes an increment where the writer is."""
    if shipper is None:
        return None
    from casemate.wiring.backup import Near

    return Near(shipper, fold)
