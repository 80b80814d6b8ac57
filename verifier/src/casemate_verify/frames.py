"""The sealed frames: hashed as they lie, and opened one after another. Never more than one frame is held."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from casemate_verify.face import AREA, FRAME, TAG, Face
from casemate_verify.faults import Misread

__all__ = ["Content", "hashed", "opens"]


def hashed(file: BinaryIO) -> bytes:
    """SHA-512 over all that lies behind the area."""
    file.seek(AREA)
    running = hashlib.sha512()
    while piece := file.read(FRAME):
        running.update(piece)
    return running.digest()


def _opened(file: BinaryIO, face: Face, key: bytes) -> Iterator[bytes]:
    cipher = AESGCM(key)
    file.seek(AREA)
    left = face.size
    for place in range(face.frames):
        size = min(FRAME, left)
        left -= size
        bound = face.bundle + place.to_bytes(8, "big") + bytes([place == face.frames - 1])
        try:
            yield cipher.decrypt(place.to_bytes(12, "big"), file.read(size + TAG), bound)
        except InvalidTag:
            raise Misread("inside", f"frame {place} does not open") from None


def opens(file: BinaryIO, face: Face, key: bytes) -> bool:
    """Whether every frame opens."""
    try:
        return all(True for _ in _opened(file, face, key))
    except Misread:
        return False


class Content:
    """What was sealed, taken from its beginning to its end. Misread `inside` where it ends too early."""

    def __init__(self, file: BinaryIO, face: Face, key: bytes) -> None:
        self._frames = _opened(file, face, key)
        self._held = memoryview(b"")
        self.at = 0

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes, in pieces of at most a frame."""
        while size:
            if not self._held:
                frame = next(self._frames, None)
                if frame is None:
                    raise Misread("inside", "the content ends within a member")
                self._held = memoryview(frame)
            piece, self._held = self._held[:size], self._held[size:]
            self.at += len(piece)
            size -= len(piece)
            yield piece

    def take(self, size: int) -> bytes:
        """The next `size` bytes at once: for what is small."""
        return b"".join(self.pieces(size))

    def blank(self) -> bool:
        """Whether nothing but zeros follows, to the end."""
        clean = not any(self._held)
        return all(not frame.strip(b"\x00") for frame in self._frames) and clean
