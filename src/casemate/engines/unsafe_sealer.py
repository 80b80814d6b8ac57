"""Keys for development: real encryption under a key that lies unprotected beside the data.

UNSAFE by name. Whoever copies keys/ reads everything; there is no wrapping, no rotation and no destruction of a
single class's key. It stands behind the same ports as a real keeper of keys, so that nothing else changes with it.
"""

from __future__ import annotations

import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path

from casemate.crypto import KEY_SIZE, NONCE_SIZE, Cipher, KeySigner, derive, generate, hmac
from casemate.errors import Damaged, Misconfigured
from casemate.ids import Entropy, SystemEntropy

__all__ = ["UnsafeDevelopmentSealer", "UnsafeDevelopmentSigner", "kept_key"]


def kept_key(path: Path, fresh: bytes) -> bytes:
    """The 32-byte key in a file of mode 0600; `fresh` is stored where there is none yet.

    Two processes that start at once agree: the file appears whole, once. Raises Damaged or Misconfigured.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        _publish(path, fresh)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise Misconfigured(setting=path.name, why="others than its owner may open the key file; chmod 600")
        key = os.read(descriptor, KEY_SIZE + 1)
    finally:
        os.close(descriptor)
    if len(key) != KEY_SIZE:
        raise Damaged(what=path.name)
    return key


def _publish(path: Path, data: bytes) -> None:
    """Give a new file its name only once its bytes are on the disk; leave the file of whoever came first."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        os.close(descriptor)
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class UnsafeDevelopmentSealer:
    """The Sealer port, UNSAFE: AES-256-GCM under keys derived from keys/master.key, which lies there unwrapped.

    A key per access class and purpose. `entropy` gives the nonces, drawn by class; only a law or a proof replaces it.
    """

    def __init__(self, keys: Path, entropy: Entropy | None = None) -> None:
        master = kept_key(keys / "master.key", secrets.token_bytes(KEY_SIZE))
        self._entropy = entropy or SystemEntropy()
        self._key = lru_cache(maxsize=None)(lambda *context: derive(master, *(part.encode() for part in context)))
        self._cipher = lru_cache(maxsize=None)(lambda class_id, purpose: Cipher(self._key("seal", class_id, purpose)))

    def seal(self, class_id: str, purpose: str, plaintext: bytes | memoryview, aad: bytes) -> bytes:
        nonce = self._entropy.draw(class_id, NONCE_SIZE)
        return self._cipher(class_id, purpose).seal(plaintext, aad, nonce)

    def open(self, class_id: str, purpose: str, sealed: bytes | memoryview, aad: bytes) -> bytes:
        return self._cipher(class_id, purpose).open(sealed, aad)

    def open_into(self, class_id: str, purpose: str, sealed: memoryview, aad: bytes, into: memoryview) -> None:
        self._cipher(class_id, purpose).open_into(sealed, aad, into)

    def blind(self, class_id: str, field: str, text: str) -> bytes:
        return hmac(self._key("blind", class_id, field), text.encode())

    def describe(self) -> str:
        return "UNSAFE development keys: the master key lies unwrapped in keys/master.key; whoever copies it reads all."


class UnsafeDevelopmentSigner(KeySigner):
    """The Signer port, UNSAFE: an Ed25519 key that lies unwrapped in keys/NAME.key."""

    __slots__ = ()

    def __init__(self, keys: Path, name: str = "ledger") -> None:
        super().__init__(kept_key(keys / f"{name}.key", generate()))

    def describe(self) -> str:
        return "UNSAFE development signing key: it lies unwrapped in keys/; whoever copies it signs as this region."
