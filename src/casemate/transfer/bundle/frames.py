"""The sealed part of a bundle: frames of 1 MiB under a key of its own, and the size that all of it is padded to.

frame i = AES-256-GCM(content of frame i), nonce i, bound to the bundle's id, i, and whether it is the last
"""

from __future__ import annotations

from casemate.crypto import KEY_SIZE, TAG_SIZE, Counted, Keeper, Recipient, derive
from casemate.errors import Damaged

__all__ = ["FRAME", "LARGEST", "SEALED", "SMALLEST", "Frames", "frame_count", "padded", "unwrapped", "wrapped_to"]

FRAME = 1 << 20
SEALED = FRAME + TAG_SIZE
SMALLEST, LARGEST = 1 << 20, 1 << 44
_CONTEXT = b"casemate bundle v1\n"


def padded(size: int) -> int:
    """PADME: the size that hides `size` among its like, at most 12 % more. Never below SMALLEST."""
    size = max(size, SMALLEST)
    high = size.bit_length() - 1
    mask = (1 << (high - high.bit_length())) - 1
    return (size + mask) & ~mask


def frame_count(size: int) -> int:
    """How many frames hold so many bytes."""
    return -(-size // FRAME)


def wrapped_to(recipient: Recipient, key: bytes, id: bytes) -> bytes:
    """The bundle's 32-byte key, for that region alone."""
    return recipient.wrap(key, _CONTEXT + id)


def unwrapped(keeper: Keeper, wrapped: bytes, id: bytes) -> bytes:
    """The bundle's key. Raises Damaged."""
    key = keeper.unwrap(wrapped, _CONTEXT + id)
    if len(key) != KEY_SIZE:
        raise Damaged(what="bundle key")
    return key


class Frames:
    """Seals and opens the frames of one bundle whose content has `size` bytes."""

    __slots__ = ("_cipher", "_id", "count", "size")

    def __init__(self, key: bytes, id: bytes, size: int) -> None:
        self._cipher = Counted(derive(key, b"bundle frames", id))
        self._id = id
        self.size = size
        self.count = frame_count(size)

    def width(self, number: int) -> int:
        """How many bytes of content that frame has."""
        return min(FRAME, self.size - number * FRAME)

    def seal_into(self, number: int, plain: memoryview, buffer: memoryview) -> None:
        self._cipher.seal_into(number, plain, self._bound(number), buffer)

    def open_into(self, number: int, sealed: memoryview, buffer: memoryview) -> None:
        """Raises Damaged where a byte, the place or the bundle is another."""
        self._cipher.open_into(number, sealed, self._bound(number), buffer)

    def _bound(self, number: int) -> bytes:
        return self._id + number.to_bytes(8, "big") + bytes([number == self.count - 1])
