"""What a log's keeper signs: "at this time this log held so many entries, with this root"."""

from __future__ import annotations

from typing import Annotated

import msgspec

from casemate.crypto import Signer, key_id, verify

__all__ = ["Checkpoint", "Head", "sign_checkpoint", "verify_checkpoint"]


class Head(msgspec.Struct, frozen=True):
    """A tree that somebody outside remembers: a size and its root (hex). Enough to show a rollback or a fork."""

    log: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    root: str


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed head. `at` is in microseconds, `root` and `signature` are hex.

    `solo` says that the region was in the hands of a single officer when this was signed.
    """

    log: str
    size: int
    root: str
    at: int
    key_id: str
    solo: bool = False
    signature: str = ""

    @property
    def head(self) -> Head:
        return Head(self.log, self.size, self.root)

    def body(self) -> bytes:
        """The text that is signed: one field per line, under a line that says what it is."""
        lines = ("casemate checkpoint v1", self.log, self.size, self.root, self.at, self.key_id, int(self.solo), "")
        return "\n".join(map(str, lines)).encode()


def sign_checkpoint(signer: Signer, log: str, size: int, root: bytes, at: int, solo: bool = False) -> Checkpoint:
    """A checkpoint under the signer's key."""
    unsigned = Checkpoint(log, size, root.hex(), at, signer.key_id, solo)
    return msgspec.structs.replace(unsigned, signature=signer.sign(unsigned.body()).hex())


def verify_checkpoint(checkpoint: Checkpoint, public: bytes) -> bool:
    """Whether that key signed these very fields."""
    try:
        signature = bytes.fromhex(checkpoint.signature)
    except ValueError:
        return False
    if checkpoint.signature != signature.hex() or checkpoint.key_id != key_id(public):
        return False
    return verify(public, checkpoint.body(), signature)
