"""The area that anybody can read: the face, the recipients and the signatures. Whatever is wrong here is `bounds`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from casemate_verify.crypt import PUBLIC, SIGNATURE, key_name, verifies
from casemate_verify.faults import Misread
from casemate_verify.shape import rising

__all__ = ["AREA", "FRAME", "TAG", "Face", "Signed", "padded", "read_area"]

AREA = 131_072
FRAME, TAG = 1 << 20, 16
GREATEST = 2**53 - 1
_WRAPPED = {1: 1714, 2: 1617}


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature. `role`: 1 signer, 2 approver."""

    role: int
    public: bytes
    signature: bytes

    @property
    def name(self) -> str:
        """The key's name."""
        return key_name(self.public)

    def holds(self, face: bytes) -> bool:
        """Whether it is over that face, in that role."""
        who = b"signer" if self.role == 1 else b"approver"
        return verifies(self.public, self.signature, b"casemate bundle " + who + b" v1\n" + face)


@dataclass(frozen=True, slots=True)
class Face:
    """What a carrier sees; `raw` is what is signed. Times in microseconds since 1970, sizes in bytes."""

    raw: bytes
    bundle: bytes
    channel: bytes
    sequence: int
    expires: int
    size: int
    frames: int
    digest: bytes
    inner: bytes
    profile: int
    banner: str
    recipients: tuple[tuple[bytes, bytes], ...]
    signed: tuple[Signed, ...]

    def wrapped_for(self, short: bytes) -> bytes | None:
        """The wrapped key of that recipient."""
        return dict(self.recipients).get(short)


class _Cursor:
    """Bytes, taken one piece after another and never beyond their end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise Misread("bounds", "the area ends too early")
        self.at += size
        return piece

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


def _need(holds: bool, why: str) -> None:
    if not holds:
        raise Misread("bounds", why)


def padded(size: int) -> int:
    """PADME of a size: its last bits are 0, so that sizes of a kind look alike."""
    exponent = size.bit_length() - 1
    drop = exponent - exponent.bit_length()
    mask = (1 << drop) - 1
    return (size + mask) & ~mask


def read_area(area: bytes, whole: int) -> Face:
    """The face of a file of `whole` bytes that begins with these. Misread `bounds` where it is not as described."""
    _need(len(area) == AREA, "shorter than the area")
    cursor = _Cursor(area)
    _need(cursor.take(8) == b"CMBNDL\x00\x02", "no bundle of this format")
    bundle, channel = cursor.take(16), cursor.take(16)
    sequence, expires, size, frames = cursor.number(8), cursor.number(8), cursor.number(8), cursor.number(4)
    digest, inner = cursor.take(64), cursor.take(64)
    profile, count, length = cursor.number(1), cursor.number(1), cursor.number(2)
    _need(1 <= sequence <= GREATEST, "a sequence out of range")
    _need(1 <= expires <= GREATEST, "an expiry out of range")
    _need(1 << 20 <= size <= 1 << 44 and padded(size) == size, "a size that is not padded")
    _need(frames == -(-size // FRAME), "another number of frames than the size asks for")
    _need(whole == AREA + size + TAG * frames, "the file is not of the size that it says")
    _need(profile in PUBLIC and 1 <= count <= 16 and 1 <= length <= 1000, "profile, recipients or banner out of range")
    banner = _banner(cursor.take(length))
    recipients = tuple(_recipient(cursor, profile) for _ in range(count))
    _need(rising([short for short, _ in recipients]), "recipients out of order")
    raw = area[: cursor.at]
    signed = _signatures(cursor, profile)
    _need(not area[cursor.at :].strip(b"\x00"), "something stands behind the signatures")
    return Face(
        raw, bundle, channel, sequence, expires, size, frames, digest, inner, profile, banner, recipients, signed
    )


def _banner(raw: bytes) -> str:
    try:
        banner = raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise Misread("bounds", "the banner is no UTF-8") from None
    kinds = {unicodedata.category(character)[0] for character in banner if character != " "}
    _need(not kinds & {"C", "Z"}, "the banner holds what cannot be seen")
    return banner


def _recipient(cursor: _Cursor, profile: int) -> tuple[bytes, bytes]:
    short, suite = cursor.take(10), cursor.take(1)
    _need(suite[0] in _WRAPPED and (profile == 1 or suite[0] == 2), "a key wrapped in another profile")
    return short, suite + cursor.take(_WRAPPED[suite[0]] - 1)


def _signatures(cursor: _Cursor, profile: int) -> tuple[Signed, ...]:
    count = cursor.number(1)
    _need(1 <= count <= 12, "no signature, or too many")
    signed = []
    for _ in range(count):
        role = cursor.number(1)
        _need(role in (1, 2), "an unknown role")
        signed.append(Signed(role, cursor.take(PUBLIC[profile]), cursor.take(SIGNATURE[profile])))
    _need(rising([(one.role, one.public) for one in signed]), "signatures out of order")
    _need(len({one.public for one in signed}) == count, "a key signs twice")
    return tuple(signed)
