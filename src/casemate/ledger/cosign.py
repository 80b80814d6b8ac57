"""What a witness signs: "I saw this head of that log, and it grew out of every one that I had seen before".

A witness is another region. What it signs says of whom and when, so it stands for one head of one log and nothing
else. A witness above never sends what it signed to the region below: that it looked, and when, would flow down.
"""

from __future__ import annotations

import msgspec

from casemate.crypto import Signer, key_id, verify
from casemate.ledger.checkpoint import Head

__all__ = ["Cosignature", "cosign", "verify_cosignature"]


class Cosignature(msgspec.Struct, frozen=True):
    """`of` is the key of the region whose log it is, `by` the witness's; `at` is when it looked (microseconds)."""

    of: str
    log: str
    size: int
    root: str
    at: int
    by: str
    signature: str = ""

    @property
    def head(self) -> Head:
        return Head(self.log, self.size, self.root)

    def body(self) -> bytes:
        lines = ("casemate cosignature v1", self.of, self.log, self.size, self.root, self.at, self.by, "")
        return "\n".join(map(str, lines)).encode()


def cosign(signer: Signer, of: bytes, head: Head, at: int) -> Cosignature:
    """The witness's word for a head of the region that has the key `of`."""
    unsigned = Cosignature(key_id(of), head.log, head.size, head.root, at, signer.key_id)
    return msgspec.structs.replace(unsigned, signature=signer.sign(unsigned.body()).hex())


def verify_cosignature(given: Cosignature, of: bytes, by: bytes) -> bool:
    """Whether the witness with the key `by` signed this for a log of the region with the key `of`."""
    try:
        signature = bytes.fromhex(given.signature)
    except ValueError:
        return False
    if (given.of, given.by) != (key_id(of), key_id(by)) or given.signature != signature.hex():
        return False
    return verify(by, given.body(), signature)
