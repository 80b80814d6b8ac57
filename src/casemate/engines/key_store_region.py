"""The region's own key: to it the data keys are wrapped. It lies in keys/region.key, locked or bare.

While a rotation is under way its successor lies beside it as keys/region.next, under the same passphrase; both open
what was wrapped to them, so that a rotation that was cut short is no less than none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from casemate.crypto import Keeper, WrapProfile, generate_keeper
from casemate.crypto.locked import WORK, Work, is_locked, lock, unlock
from casemate.engines.key_store_file import publish, read_private
from casemate.errors import BadInput, Damaged, Misconfigured

__all__ = ["CURRENT", "NEXT", "SIZES", "found_region_key", "is_bare", "not_older", "region_keys"]

CURRENT, NEXT = "region.key", "region.next"
SIZES = (64, 112)


_OLDER = "master.key"
_WHY = (
    "an earlier version made this region, and its keys were for development only: "
    "make a new region with `casemate init` and add its documents again"
)


def found_region_key(
    keys: Path, passphrase: str = "", profile: WrapProfile = "hybrid", work: Work = WORK, durable: bool = True
) -> bytes:
    """The key of a new region, locked where there is a passphrase; the first of two who found it at once decides."""
    not_older(keys)
    publish(keys / CURRENT, lock(generate_keeper(profile), passphrase, work), durable)
    return _opened(keys / CURRENT, passphrase)


def region_keys(keys: Path, ask: Callable[[], str] | None = None) -> tuple[bytes, ...]:
    """The region's key, and behind it the one of a rotation that was cut short; `ask` is called once, for a locked key.

    Raises Damaged where there is none, Misconfigured where it is locked and nobody can be asked, BadInput for a wrong
    passphrase.
    """
    passphrase = ""
    try:
        if is_locked(read_private(keys / CURRENT)):
            if ask is None:
                why = (
                    "the region's key is locked: name its passphrase in [keys] passphrase_file, or start at a terminal"
                )
                raise Misconfigured(setting="keys", why=why)
            passphrase = ask()
    except FileNotFoundError:
        not_older(keys)
        raise Damaged(what=f"keys/{CURRENT}") from None
    current = _opened(keys / CURRENT, passphrase)
    return (current, _opened(keys / NEXT, passphrase)) if (keys / NEXT).exists() else (current,)


def is_bare(keys: Path) -> bool:
    """Whether whoever copies the file has the key. Raises as `read_private` does."""
    return not is_locked(read_private(keys / CURRENT))


def _opened(path: Path, passphrase: str) -> bytes:
    try:
        raw = read_private(path)
    except FileNotFoundError:
        raise Damaged(what=f"keys/{path.name}") from None
    try:
        private = unlock(raw, passphrase, SIZES)
    except BadInput:
        if is_locked(raw):
            raise
        raise Damaged(what=f"keys/{path.name}") from None
    Keeper(private)
    return private


def not_older(keys: Path) -> None:
    """Raises Misconfigured where the keys are of the versions before: what to do is said there."""
    if (keys / _OLDER).exists() and not (keys / CURRENT).exists():
        raise Misconfigured(setting=f"keys/{_OLDER}", why=_WHY)
