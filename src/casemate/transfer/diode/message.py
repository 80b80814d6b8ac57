"""What the link says of itself, in blocks of their own: which object is on its way, and that the sender is alive.

    manifest    1 | object 16 | sequence u64 | first block u64 | size u64 | SHA-512 64 | priority u8 | banner u8, UTF-8
    heartbeat   2 | session 16 | count u64 | sequence of the last manifest u64 | sender's clock u64 (us) | signature

`size` counts the object as it is sent: padded, its true length in its last eight bytes (padding.py). Numbers are
big-endian. A reader takes what has exactly this form and raises BadInput for everything else.
"""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass

from casemate.crypto import Signer, signature_size, verify
from casemate.errors import BadInput
from casemate.transfer.diode.datagram import BLOCK, MESSAGES
from casemate.transfer.diode.session import SESSION_SIZE

__all__ = ["BANNER", "OBJECT_SIZE", "Heartbeat", "Manifest", "read_message"]

OBJECT_SIZE = 16
BANNER = 200
"""The longest banner, in bytes of UTF-8."""
MANIFEST, HEARTBEAT = 1, 2
LARGEST = 1 << 50
_MANIFEST = struct.Struct(">B16sQQQ64sBB")
_HEARTBEAT = struct.Struct(">B16sQQQ")
_SIGNED = b"casemate diode heartbeat v1\0"


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object on its way. `sequence` counts a sender's objects from 1 and stays with the object at every run."""

    id: bytes
    sequence: int
    first: int
    size: int
    sha512: bytes
    urgent: bool
    banner: str = ""

    @property
    def blocks(self) -> int:
        return -(-self.size // BLOCK)

    def block_size(self, index: int) -> int:
        """Bytes of that block, counted from 0."""
        return min(BLOCK, self.size - index * BLOCK)

    def same(self, other: Manifest) -> bool:
        """Whether both are of the same bytes, in whichever session."""
        return (self.id, self.size, self.sha512) == (other.id, other.size, other.sha512)

    def encode(self) -> bytes:
        banner = self.banner.encode()
        head = (MANIFEST, self.id, self.sequence, self.first, self.size, self.sha512, int(self.urgent), len(banner))
        return _MANIFEST.pack(*head) + banner


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The sender is alive at its time `at` and last announced `sequence`; `count` rises within a session."""

    session: bytes
    count: int
    sequence: int
    at: int

    def encode(self, signer: Signer) -> bytes:
        body = _HEARTBEAT.pack(HEARTBEAT, self.session, self.count, self.sequence, self.at)
        return body + signer.sign(_SIGNED + body)


def read_message(data: bytes, public: bytes) -> Manifest | Heartbeat:
    """A message; a heartbeat only under that key's signature. Raises BadInput."""
    kind = data[0] if data else 0
    if kind == MANIFEST and len(data) >= _MANIFEST.size:
        return _manifest(data)
    if kind == HEARTBEAT and len(data) == _HEARTBEAT.size + signature_size(public):
        body, signature = data[: _HEARTBEAT.size], data[_HEARTBEAT.size :]
        _, session, count, sequence, at = _HEARTBEAT.unpack(body)
        if verify(public, _SIGNED + body, signature):
            return Heartbeat(session, count, sequence, at)
    raise BadInput(what="message of the link")


def _manifest(data: bytes) -> Manifest:
    _, id, sequence, first, size, sha512, urgent, length = _MANIFEST.unpack_from(data)
    banner = _banner(data[_MANIFEST.size :])
    right = urgent in (0, 1) and sequence > 0 and 0 < size <= LARGEST and len(data) == _MANIFEST.size + length
    manifest = Manifest(id, sequence, first, size, sha512, bool(urgent), banner)
    if not right or first + manifest.blocks > MESSAGES:
        raise BadInput(what="manifest")
    return manifest


def _banner(data: bytes) -> str:
    """One line that steers no terminal."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadInput(what="banner") from None
    if len(data) > BANNER or any(unicodedata.category(sign)[0] == "C" for sign in text):
        raise BadInput(what="banner")
    return text


assert SESSION_SIZE == OBJECT_SIZE == 16
