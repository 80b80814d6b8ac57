"""The region's key changed while the region does not run: another key, or another passphrase. No data is touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from casemate.access import Gate
from casemate.crypto import Keeper
from casemate.engines.key_store import KeyStore
from casemate.engines.key_store_region import CURRENT, is_bare, region_keys
from casemate.engines.key_store_rotate import relock, rotate
from casemate.errors import Damaged, Misconfigured
from casemate.identity import Peer
from casemate.policy import Action
from casemate.settings import Settings
from casemate.store import Sealer
from casemate.wiring.alone import hold
from casemate.wiring.engines import share_of, vault_of
from casemate.wiring.folder import Folder
from casemate.wiring.keys import Ask, asking, opened
from casemate.wiring.store import there, writer_of

__all__ = ["Rotated", "locked", "rotated"]


@dataclass(frozen=True, slots=True)
class Rotated:
    """The names of the region's key before and after, and how many data keys were wrapped again."""

    before: str
    after: str
    keys: int


async def rotated(folder: Folder, ask: Ask | None) -> Rotated:
    """Another key for the region, of the suite that casemate.toml names, under the same passphrase.

    Raises Occupied where the region runs, Refused for whoever is no operator of it, BadInput for a wrong passphrase.
    """
    said: list[str] = []
    settings = folder.settings()

    def once() -> str:
        if not said:
            said.append((asking(folder, settings, ask) or _nothing)())
        return said[0]

    def deed() -> tuple[int, tuple[bytes, ...]]:
        passphrase = "" if is_bare(folder.keys) else once()
        count = rotate(folder.keys, passphrase, settings.keys.profile)
        return count, region_keys(folder.keys, lambda: passphrase)

    return await _done(folder, settings, once, deed, Action("rotate", "class-key"))


async def locked(folder: Folder, ask: Ask | None, passphrase: str) -> Rotated:
    """The same key under another passphrase, or bare ("")."""
    settings = folder.settings()

    def deed() -> tuple[int, tuple[bytes, ...]]:
        relock(folder.keys, asking(folder, settings, ask) or _nothing, passphrase)
        return 0, region_keys(folder.keys, lambda: passphrase)

    return await _done(folder, settings, ask, deed, Action("lock", "class-key"))


def _nothing() -> str:
    raise Misconfigured(setting="keys", why="the region's key is locked, and nobody can be asked for its passphrase")


async def _done(
    folder: Folder,
    settings: Settings,
    ask: Ask | None,
    deed: Callable[[], tuple[int, tuple[bytes, ...]]],
    action: Action,
) -> Rotated:
    """The deed, with an entry before it and one behind it."""
    there(folder, settings)
    if not (folder.keys / CURRENT).exists():
        raise Damaged(what=f"keys/{CURRENT}")
    folder.run.mkdir(mode=0o700, exist_ok=True)
    lock = await hold(folder)
    try:
        writer = writer_of(folder, settings, share_of(folder, settings))
        try:
            vault = vault_of(folder, settings, writer, private=opened(folder, settings, ask))
            try:
                gate = Gate(vault)
                flow = await gate.open(gate.admit(Peer(os.getuid())), action)
                before = _name(vault.sealer)
                await flow.begin(b"", {"key": before})
                await flow.durable()
                count, private = deed()
                after = Keeper(private[0]).recipient.name
                await flow.release(b"", "done", {"key": after, "wrapped": count})
            finally:
                vault.reader.close()  # type: ignore[attr-defined]
        finally:
            writer.close()
    finally:
        os.close(lock)
    return Rotated(before, after, count)


def _name(sealer: Sealer) -> str:
    return sealer.recipient if isinstance(sealer, KeyStore) else ""
