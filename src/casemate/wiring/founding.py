"""A new region: its folder, keys, store and owner, all of it or nothing.

It is made in a folder beside and renamed into its place, so that whoever is killed half-way leaves no half region.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from casemate.access import Gate, loops
from casemate.accounts import found_owner
from casemate.crypto import WrapProfile
from casemate.engines.key_store_region import found_region_key
from casemate.engines.sqlite import SqliteWriter
from casemate.errors import Misconfigured, Occupied, StorageFull
from casemate.settings import parse, template
from casemate.wiring.engines import region_of, vault_of
from casemate.wiring.folder import Folder
from casemate.wiring.local import doorway

__all__ = ["Founded", "found"]


@dataclass(frozen=True, slots=True)
class Founded:
    """A new region as its owner is told of it: labels as text, markings in his language."""

    owner: str
    floor: str
    floor_marking: str
    ceiling: str
    ceiling_marking: str
    keys: str


async def found(
    folder: Folder,
    name: str,
    agency: str,
    policies: tuple[str, ...],
    port: int,
    owner: str,
    uid: str,
    language: str,
    passphrase: str = "",
    profile: WrapProfile = "hybrid",
) -> Founded:
    """Make the region. Raises Occupied where its place is taken, Misconfigured for settings that cannot be.

    Its key is locked where there is a passphrase; `profile` names its suite.
    """
    os.umask(0o077)
    text = template(name, agency, policies, port)
    if profile != "hybrid":
        text += f'\n[keys]\nprofile = "{profile}"\n'
    region_of(parse(text).region)
    _free(folder.path)
    try:
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".casemate-", dir=folder.path.parent))
    except OSError as error:
        raise Misconfigured(setting="folder", why=f"{folder.path.parent}: {error.strerror}") from None
    try:
        told = await _made(Folder(draft), text, owner, uid, language, passphrase)
        await asyncio.to_thread(draft.rename, folder.path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from None
        raise Misconfigured(setting="folder", why=f"{folder.path}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(draft)
    return told


def _free(path: Path) -> None:
    """Only an empty folder, or none, may become a region."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise Occupied(what=str(path))


async def _made(draft: Folder, text: str, owner: str, uid: str, language: str, passphrase: str) -> Founded:
    for part in (draft.data, draft.keys, draft.run):
        part.mkdir(mode=0o700)
    doorway(draft.door)
    draft.path.chmod(0o711)  # other users may pass to the door; they can list nothing, and the rest stays closed
    draft.settings_file.write_text(text, encoding="utf-8")
    settings = draft.settings()
    private = (found_region_key(draft.keys, passphrase, settings.keys.profile),)
    writer = SqliteWriter(draft.records)
    try:
        gate = Gate(vault_of(draft, settings, writer, private=private))
        try:
            await found_owner(gate, owner, uid)
            for loop in loops(gate):
                if loop.name == "ledger.checkpoint":
                    await loop.step()
        finally:
            gate.vault.reader.close()  # type: ignore[attr-defined]
    finally:
        writer.close()
    region = gate.vault.region
    return Founded(
        owner=owner,
        floor=region.floor.text,
        floor_marking=region.policies.banner(region.floor, language),
        ceiling=region.ceiling.text,
        ceiling_marking=region.policies.banner(region.ceiling, language),
        keys=gate.vault.sealer.describe(),
    )
