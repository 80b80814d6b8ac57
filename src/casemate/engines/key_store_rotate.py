"""Another key for the region: every data key is wrapped again, and nothing that lies under them is touched.

    1  the successor appears, whole, as keys/region.next
    2  each file below keys/classes/ is replaced by one that is wrapped to it
    3  keys/region.next becomes keys/region.key

Whoever is killed at any instant has lost nothing: a file is wrapped to the one or to the other, and both are there
until none needs the former. The next rotation goes on where that one ended. The region must not run meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from casemate.crypto import Keeper, WrapProfile, generate_keeper
from casemate.crypto.locked import WORK, Work, lock
from casemate.engines.key_store_class import ClassKeys
from casemate.engines.key_store_file import publish, replace
from casemate.engines.key_store_region import CURRENT, NEXT, region_keys
from casemate.errors import Damaged

__all__ = ["relock", "rotate"]


def rotate(keys: Path, passphrase: str, profile: WrapProfile | None = None, work: Work = WORK) -> int:
    """How many data keys were wrapped again. `passphrase` opens the key there and locks its successor ("" = bare).

    Raises BadInput for a wrong passphrase, Damaged.
    """
    opened = region_keys(keys, lambda: passphrase)
    if len(opened) == 1:
        chosen = profile or ("cnsa2" if len(opened[0]) == 64 else "hybrid")
        publish(keys / NEXT, lock(generate_keeper(chosen), passphrase, work))
        opened = region_keys(keys, lambda: passphrase)
    classes = ClassKeys(keys / "classes", tuple(map(Keeper, opened)), opened)
    done = sum(classes.wrap_again(each) for each in _ids(classes))
    (keys / NEXT).replace(keys / CURRENT)
    return done


def _ids(classes: ClassKeys) -> list[str]:
    """The class ids behind the files' names. Raises Damaged where a file has a name that is none of ours."""
    held = sorted(classes.held())
    for name in held:
        if name.startswith("x-"):
            raise Damaged(what="key of a class")
    return ["" if name == "region" else name for name in held]


def relock(keys: Path, ask: Callable[[], str], passphrase: str, work: Work = WORK) -> None:
    """The same key under another passphrase, or bare ("")."""
    for name, private in zip((CURRENT, NEXT), region_keys(keys, ask), strict=False):
        replace(keys / name, lock(private, passphrase, work))
