"""Where the passphrase of a locked region comes from: a file, a credential of systemd, or whoever sits at the terminal.

Never a flag, and never a value of the environment: other processes of the machine may read both.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from casemate.engines.key_store_file import read_private
from casemate.engines.key_store_region import CURRENT, is_bare, not_older, region_keys
from casemate.errors import Damaged, Misconfigured
from casemate.settings import Settings
from casemate.wiring.folder import Folder

__all__ = ["Ask", "asking", "not_older", "opened", "public_key", "signing_key"]

Ask = Callable[[], str]
_CREDENTIAL = "casemate-passphrase"


def opened(folder: Folder, settings: Settings, ask: Ask | None = None) -> tuple[bytes, ...]:
    """The region's private keys where they are locked; nothing where they lie bare, or where there are none yet.

    Raises Misconfigured where nobody can be asked for the passphrase, BadInput where it is wrong.
    """
    if not (folder.keys / CURRENT).exists() or is_bare(folder.keys):
        return ()
    return region_keys(folder.keys, asking(folder, settings, ask))


def signing_key(folder: Folder, settings: Settings, private: tuple[bytes, ...] = ()) -> bytes:
    """The region's private signing key where backups are made, b"" else. It opens nothing.

    `private`: the region's keys, where somebody unlocked them. Raises as `opened`, Damaged, FileNotFoundError.
    """
    if not settings.backup.folder:
        return b""
    from casemate.engines.key_store import KeyStore
    from casemate.engines.key_store_signer import private_key

    unlocked = private or opened(folder, settings) or region_keys(folder.keys)
    return private_key(folder.keys, KeyStore(folder.keys, opened=unlocked))


def public_key(folder: Folder) -> bytes:
    """The region's public signing key. Raises Damaged, also where there is none."""
    from casemate.engines import key_store_signer

    try:
        return key_store_signer.public_key(folder.keys)
    except FileNotFoundError:
        raise Damaged(what="keys/ledger.pub") from None


def asking(folder: Folder, settings: Settings, ask: Ask | None) -> Ask | None:
    """The file of the settings, else the credential that systemd lends, else whoever can be asked."""
    told = settings.keys.passphrase_file
    if told:
        return lambda: _line(folder.path / told, "keys.passphrase_file")
    lent = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if lent and (Path(lent) / _CREDENTIAL).exists():
        return lambda: _line(Path(lent) / _CREDENTIAL, "CREDENTIALS_DIRECTORY")
    return ask


def _line(path: Path, setting: str) -> str:
    try:
        text = read_private(path).decode().strip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(setting=setting, why=f"{path.name} cannot be read as text") from None
    if not text or not text.isprintable():
        raise Misconfigured(setting=setting, why=f"{path.name} holds no passphrase on one line")
    return text
