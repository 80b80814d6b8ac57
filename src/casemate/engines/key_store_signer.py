"""The region's signing key: sealed in keys/ledger.key, under a key of no class; its public half in keys/ledger.pub."""

from __future__ import annotations

from pathlib import Path

from casemate.crypto import KeySigner, SigningProfile, generate, is_public_key
from casemate.engines.key_store_file import publish, read_private
from casemate.errors import Damaged
from casemate.ids import Entropy, SystemEntropy
from casemate.store import Sealer

__all__ = ["KeptSigner", "public_key"]

_HEAD = b"casemate signing key v1\n"
_PURPOSE = "signing"


class KeptSigner(KeySigner):
    """The Signer port; `profile` is that of a key that is made here, where there is none yet."""

    __slots__ = ()

    def __init__(
        self,
        keys: Path,
        sealer: Sealer,
        name: str = "ledger",
        profile: SigningProfile = "hybrid",
        durable: bool = True,
        entropy: Entropy | None = None,
    ) -> None:
        path = keys / f"{name}.key"
        if not path.exists():
            private = generate(profile, (entropy or SystemEntropy()).draw("signing key", 64))
            publish(path, _HEAD + sealer.seal("", _PURPOSE, private, name.encode()), durable)
        raw = read_private(path)
        if not raw.startswith(_HEAD):
            raise Damaged(what=f"keys/{path.name}")
        super().__init__(sealer.open("", _PURPOSE, raw[len(_HEAD) :], name.encode()))
        if not (keys / f"{name}.pub").exists():
            publish(keys / f"{name}.pub", self.public, durable)


def public_key(keys: Path, name: str = "ledger") -> bytes:
    """The public half, for whoever checks without opening anything. Raises FileNotFoundError, Damaged."""
    found = read_private(keys / f"{name}.pub")
    if not is_public_key(found):
        raise Damaged(what=f"keys/{name}.pub")
    return found
