"""The region's signing key: sealed in keys/ledger.key, under a key of no class; its public half in keys/ledger.pub."""

from __future__ import annotations

from pathlib import Path

from casemate.crypto import KeySigner, SigningProfile, generate, is_public_key, key_id
from casemate.engines.key_store_file import publish, read_private
from casemate.errors import Damaged, KeyMissing, Misconfigured
from casemate.ids import Entropy, SystemEntropy
from casemate.store import Sealer

__all__ = ["KeptSigner", "private_key", "public_key"]

_HEAD = b"casemate signing key v1\n"
_PURPOSE = "signing"


class KeptSigner(KeySigner):
    """The Signer port; `profile` is that of a key that is made here, where there is none yet.

    Raises KeyMissing where the private half is gone and the public one is not, Misconfigured where the two are not of
    one key: a region has one identity, and which of two it is nobody decides in silence.
    """

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
        told = (keys / f"{name}.pub").exists()  # asked first: the private half is there before it
        if not path.exists():
            if told:
                raise KeyMissing(what=f"keys/{path.name}")
            private = generate(profile, (entropy or SystemEntropy()).draw("signing key", 64))
            publish(path, _HEAD + sealer.seal("", _PURPOSE, private, name.encode()), durable)
        super().__init__(private_key(keys, sealer, name))
        if not (keys / f"{name}.pub").exists():
            publish(keys / f"{name}.pub", self.public, durable)
        said = public_key(keys, name)
        if said != self.public:
            why = (
                f"it is {key_id(said)}, and keys/{path.name} is {self.key_id}: they are not of one key. "
                "Bring back from a backup the one that is not this region's"
            )
            raise Misconfigured(setting=f"keys/{name}.pub", why=why)


def private_key(keys: Path, sealer: Sealer, name: str = "ledger") -> bytes:
    """The private half, for a process that signs and opens nothing else. Raises Damaged, FileNotFoundError."""
    path = keys / f"{name}.key"
    raw = read_private(path)
    if not raw.startswith(_HEAD):
        raise Damaged(what=f"keys/{path.name}")
    return sealer.open("", _PURPOSE, raw[len(_HEAD) :], name.encode())


def public_key(keys: Path, name: str = "ledger") -> bytes:
    """The public half, for whoever checks without opening anything. Raises FileNotFoundError, Damaged."""
    found = read_private(keys / f"{name}.pub")
    if not is_public_key(found):
        raise Damaged(what=f"keys/{name}.pub")
    return found
