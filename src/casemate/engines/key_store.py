"""Keys at rest: one data key for each access class, wrapped by HPKE to the region's key, unwrapped when first used.

    keys/region.key            the region's private key, locked with a passphrase or bare (`key_store_region`)
    keys/classes/CLASS.key     a data key, wrapped; its form is `key_store_class`'s
    keys/classes/CLASS.gone    that data key was destroyed: none is drawn again

Purposes are derived from the data key. Two processes that draw at once agree: the file appears whole, once. A class
that the records know has had its key: where it is not there, none is drawn in its place. The keys of no class (what
names the classes, what is carried between processes) lie under the name `region`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from casemate.crypto import KEY_SIZE, NONCE_SIZE, Cipher, Keeper, Mac, derive, generate_keeper
from casemate.engines.key_store_class import GONE, WRAPPED, ClassKeys
from casemate.engines.key_store_file import publish
from casemate.engines.key_store_region import CURRENT, found_region_key, is_bare, region_keys
from casemate.errors import Damaged, Destroyed, KeyMissing
from casemate.ids import Entropy, SystemEntropy

__all__ = ["KeyStore", "PassingKeys"]


class KeyStore:
    """The Sealer port: AES-256-GCM under a key for each access class and purpose.

    `opened`: the region's private keys, from whoever has unlocked them; else they are read, and made where there is
    none. `entropy` gives data keys and nonces, drawn by class; only a law or a proof replaces it, and only these leave
    `durable` away. `written`: whether a class ("": any) is known to the records, asked where a key would be drawn.
    """

    def __init__(
        self,
        keys: Path,
        entropy: Entropy | None = None,
        opened: tuple[bytes, ...] = (),
        durable: bool = True,
        written: Callable[[str], bool] | None = None,
    ) -> None:
        if not opened:
            opened = region_keys(keys) if (keys / CURRENT).exists() else (found_region_key(keys, durable=durable),)
        self._keys, self._durable, self._written = keys, durable, written
        self._classes = ClassKeys(keys / "classes", tuple(Keeper(each) for each in opened), opened)
        self._entropy = entropy or SystemEntropy()
        self._data: dict[str, bytes] = {}
        self._gone: frozenset[str] = frozenset()
        self._told = -1
        self._key = lru_cache(maxsize=None)(self._derived)
        self._cipher = lru_cache(maxsize=None)(lambda class_id, purpose: Cipher(self._key("seal", class_id, purpose)))
        self._mac = lru_cache(maxsize=None)(lambda class_id, field: Mac(self._key("blind", class_id, field)))
        self.destroyed()

    def seal(self, class_id: str, purpose: str, plaintext: bytes | memoryview, aad: bytes) -> bytes:
        cipher = self._cipher(class_id, purpose)
        return cipher.seal(plaintext, aad, self._entropy.draw(class_id, NONCE_SIZE))

    def seal_into(
        self, class_id: str, purpose: str, plaintext: bytes | memoryview, aad: bytes, into: memoryview
    ) -> int:
        cipher = self._cipher(class_id, purpose)
        return cipher.seal_into(plaintext, aad, self._entropy.draw(class_id, NONCE_SIZE), into)

    def open(self, class_id: str, purpose: str, sealed: bytes | memoryview, aad: bytes) -> bytes:
        self._known(class_id)
        return self._cipher(class_id, purpose).open(sealed, aad)

    def open_into(self, class_id: str, purpose: str, sealed: memoryview, aad: bytes, into: memoryview) -> None:
        self._known(class_id)
        self._cipher(class_id, purpose).open_into(sealed, aad, into)

    def blind(self, class_id: str, field: str, text: str) -> bytes:
        return self._mac(class_id, field).of(text.encode())

    def destroyed(self) -> frozenset[str]:
        """Asked at each question: where another process destroyed a key, this one forgets it too."""
        told = self._classes.told()
        if told != self._told:
            self._gone = self._classes.gone()
            self.forget()
            self._told = told
        return self._gone

    def forget(self) -> None:
        """Keep no data key in this process: each is unwrapped again when it is next used."""
        self._data.clear()
        self._key.cache_clear()
        self._cipher.cache_clear()
        self._mac.cache_clear()

    def destroy(self, class_id: str) -> None:
        """Destroy the data key of a class for good: first the tombstone, then the key. Twice is once."""
        self._classes.destroy(class_id, self._durable)
        self.destroyed()

    def held(self) -> frozenset[str]:
        """The classes that have a data key."""
        return self._classes.held()

    @property
    def recipient(self) -> str:
        """The name of the region's key, e.g. `hybrid-mfrggzdfmztwq2lk`."""
        return self._classes.keepers[0].recipient.name

    def describe(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            if is_bare(self._keys):
                return "The region's key lies bare in keys/region.key (mode 0600): whoever copies keys/ reads all."
        return (
            "The region's key is locked with a passphrase (Argon2id); data keys are wrapped to it, one for each class."
        )

    def _known(self, class_id: str) -> None:
        """What opens draws no key: where there is none, it was lost. Raises KeyMissing, Damaged, Destroyed."""
        if class_id not in self._data and self._load(class_id) is None:
            raise KeyMissing(what="key of a class")

    def _derived(self, *context: str) -> bytes:
        return derive(self._data_key(context[1]), *(part.encode() for part in context))

    def _data_key(self, class_id: str) -> bytes:
        found = self._load(class_id)
        if found is None and self._written is not None and self._written(class_id):
            found = self._load(class_id)  # whoever writes first draws first: it may have come in between
            if found is None:
                raise KeyMissing(what="key of a class")
        if found is not None:
            return found
        drawn = self._entropy.draw(f"data key/{class_id}", KEY_SIZE)
        publish(self._classes.path(class_id, WRAPPED), self._classes.wrap(class_id, drawn), self._durable)
        found = self._load(class_id)
        if found is None:
            raise Damaged(what="key of a class")
        return found

    def _load(self, class_id: str) -> bytes | None:
        """The data key, or None where there is none yet. Raises Destroyed, Damaged, Misconfigured."""
        if class_id in self._data:
            return self._data[class_id]
        found = self._classes.read(class_id)
        if self._classes.path(class_id, GONE).exists():  # looked for last: it may have come meanwhile
            if found is not None:
                self._classes.destroy(class_id, self._durable)
            raise Destroyed
        if found is not None:
            self._data[class_id] = found
        return found


class PassingKeys(KeyStore):
    """Keys that live in this process alone: whatever it leaves on a disk can be opened by nobody."""

    def __init__(self, entropy: Entropy | None = None) -> None:
        super().__init__(Path("/nowhere"), entropy, (generate_keeper("cnsa2"),))

    def describe(self) -> str:
        return "Keys that are in no file: they are gone with this process."

    def _load(self, class_id: str) -> bytes | None:
        return self._data.get(class_id)

    def _data_key(self, class_id: str) -> bytes:
        return self._data.setdefault(class_id, self._entropy.draw(f"data key/{class_id}", KEY_SIZE))
