"""The area before the frames: what a carrier may see, and the signatures over it (docs/bytes/bundle.md).

    area = face | signatures | zeros          131,072 bytes, whatever is in it

Nothing in it names an object, their number, an exact size or a member's label. Every byte of it is signed, or is zero.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import Final, Literal

from casemate.crypto import Recipient, Signer, digest, key_id, verify
from casemate.errors import BadInput, Damaged
from casemate.transfer.bundle.frames import LARGEST, SEALED, SMALLEST, frame_count, padded
from casemate.transfer.bundle.names import is_banner

__all__ = [
    "AREA",
    "MOST_RECIPIENTS",
    "MOST_SIGNATURES",
    "Face",
    "Outside",
    "Profile",
    "Role",
    "Signature",
    "file_size",
    "hint_of",
    "read_area",
    "signed",
]

Profile = Literal["hybrid", "cnsa2"]
Role = Literal["signer", "approver"]
AREA = 1 << 17
MOST_RECIPIENTS, MOST_SIGNATURES = 16, 12
MAGIC = b"CMBNDL\x00\x02"
MOST = (1 << 53) - 1
_FIXED = struct.Struct(">8s16s16sQQQI64s64sBBH")
_HINT = 10
_WRAPPED: Final = {1: 1714, 2: 1617}
_PROFILES: Final[dict[int, Profile]] = {1: "hybrid", 2: "cnsa2"}
_NUMBERS: Final = {name: number for number, name in _PROFILES.items()}
_SIZES: Final[dict[Profile, tuple[int, int]]] = {"hybrid": (2624, 4691), "cnsa2": (2592, 4627)}
_ROLES: Final[dict[int, Role]] = {1: "signer", 2: "approver"}
_ROLE_NUMBERS: Final = {name: number for number, name in _ROLES.items()}


@dataclass(frozen=True, slots=True)
class Face:
    """What stands outside. `size`: bytes of content, padded; `frames`: SHA-512 over the sealed frames.

    `inner`: SHA-512 over all members before the first blob. With the digests that these name it binds whoever signed
    to what is inside, also where no digest is taken over the frames again.
    `expires` in microseconds since 1970; `recipients`: (first bytes of the digest of a public key, wrapped key).
    """

    id: bytes
    channel: bytes
    sequence: int
    expires: int
    size: int
    frames: bytes
    inner: bytes
    profile: Profile
    banner: str
    recipients: tuple[tuple[bytes, bytes], ...]

    def written(self) -> bytes:
        """Its bytes, which are what is signed. Raises BadInput for what cannot stand there."""
        banner = self.banner.encode("utf-8", "surrogatepass")
        try:
            raw = _FIXED.pack(
                MAGIC,
                self.id,
                self.channel,
                self.sequence,
                self.expires,
                self.size,
                frame_count(self.size),
                self.frames,
                self.inner,
                _NUMBERS[self.profile],
                len(self.recipients),
                len(banner),
            )
        except struct.error:
            raise BadInput(what="bundle face") from None
        raw += banner + b"".join(hint + wrapped for hint, wrapped in sorted(self.recipients))
        try:
            again, end = _face(raw)
        except Damaged:
            raise BadInput(what="bundle face") from None
        if end != len(raw) or again != replace(self, recipients=tuple(sorted(self.recipients))):
            raise BadInput(what="bundle face")
        return raw

    def wrapped_for(self, recipient: Recipient) -> bytes | None:
        """The key that is wrapped to it; None where it is no recipient."""
        return dict(self.recipients).get(hint_of(recipient))


@dataclass(frozen=True, slots=True)
class Signature:
    """One entry: who signed as what. `key` is the name of his key."""

    role: Role
    public: bytes
    value: bytes

    @property
    def key(self) -> str:
        return key_id(self.public)


@dataclass(frozen=True, slots=True)
class Outside:
    """The area as it was read: the face, its bytes, and who signed them."""

    face: Face
    raw: bytes
    signatures: tuple[Signature, ...]

    def stands(self) -> bool:
        """Whether every one of the signatures is one. Whose they must be is another's to say."""
        return all(verify(each.public, _said(each.role, self.raw), each.value) for each in self.signatures)

    def written(self) -> bytes:
        """The area. Raises BadInput where there are none or too many signatures, or a key signed twice."""
        entries = [
            bytes([_ROLE_NUMBERS[each.role]]) + each.public + each.value
            for each in sorted(self.signatures, key=_placed)
        ]
        raw = self.raw + bytes([len(entries)]) + b"".join(entries)
        try:
            read_area(raw := raw.ljust(AREA, b"\0"))
        except Damaged:
            raise BadInput(what="bundle signatures") from None
        return raw


def signed(face: Face, signer: Signer, role: Role, others: tuple[Signature, ...] = ()) -> Outside:
    """The face with that signature beside the others. Raises BadInput, also for a key of another profile."""
    raw = face.written()
    if len(signer.public) != _SIZES[face.profile][0]:
        raise BadInput(what="profile of the key")
    mine = Signature(role, signer.public, signer.sign(_said(role, raw)))
    return Outside(face, raw, tuple(sorted((*others, mine), key=_placed)))


def read_area(area: bytes) -> Outside:
    """The area before the frames, every byte of it accounted for. Raises Damaged."""
    if len(area) != AREA:
        raise Damaged(what="bundle face")
    face, at = _face(area)
    raw = area[:at]
    key, value = _SIZES[face.profile]
    count = area[at]
    at += 1
    if not 0 < count <= MOST_SIGNATURES:
        raise Damaged(what="bundle signatures")
    entries: list[Signature] = []
    for _ in range(count):
        role = _ROLES.get(area[at])
        if role is None:
            raise Damaged(what="bundle signatures")
        public, at = area[at + 1 : at + 1 + key], at + 1 + key
        entries.append(Signature(role, public, area[at : at + value]))
        at += value
    places = [_placed(each) for each in entries]
    if places != sorted(set(places)) or len({each.public for each in entries}) < count or any(area[at:]):
        raise Damaged(what="bundle signatures")
    return Outside(face, raw, tuple(entries))


def file_size(face: Face) -> int:
    """The size of the whole file in bytes."""
    return AREA + face.size + frame_count(face.size) * (SEALED - (1 << 20))


def hint_of(recipient: Recipient) -> bytes:
    """By what a recipient finds his key."""
    return digest(recipient.public)[:_HINT]


def _face(area: bytes) -> tuple[Face, int]:
    """The face, and where it ends. Raises Damaged."""
    if len(area) < _FIXED.size:
        raise Damaged(what="bundle face")
    magic, id, channel, sequence, expires, size, count, frames, inner, profile, recipients, width = _FIXED.unpack_from(
        area
    )
    sound = (
        magic == MAGIC
        and 0 < sequence <= MOST
        and 0 < expires <= MOST
        and SMALLEST <= size <= LARGEST
        and padded(size) == size
        and count == frame_count(size)
        and profile in _PROFILES
        and 0 < recipients <= MOST_RECIPIENTS
    )
    at = _FIXED.size + width
    try:
        banner = area[_FIXED.size : at].decode("utf-8")
    except UnicodeDecodeError:
        banner = ""
    if not sound or not is_banner(banner):
        raise Damaged(what="bundle face")
    wrapped, at = _recipients(area, at, recipients, _PROFILES[profile])
    return Face(id, channel, sequence, expires, size, frames, inner, _PROFILES[profile], banner, wrapped), at


def _recipients(area: bytes, at: int, count: int, profile: Profile) -> tuple[tuple[tuple[bytes, bytes], ...], int]:
    found: list[tuple[bytes, bytes]] = []
    for _ in range(count):
        hint, first = area[at : at + _HINT], area[at + _HINT : at + _HINT + 1]
        size = _WRAPPED.get(first[0], 0) if first else 0
        wrapped = area[at + _HINT : at + _HINT + size]
        if not size or len(wrapped) < size or (profile == "cnsa2" and first != b"\x02"):
            raise Damaged(what="bundle recipients")
        found.append((hint, wrapped))
        at += _HINT + size
    hints = [hint for hint, _ in found]
    if hints != sorted(set(hints)):
        raise Damaged(what="bundle recipients")
    return tuple(found), at


def _said(role: Role, raw: bytes) -> bytes:
    """What is signed in a role: no signature in one role is one in another."""
    return f"casemate bundle {role} v1\n".encode() + raw


def _placed(each: Signature) -> tuple[int, bytes]:
    return _ROLE_NUMBERS[each.role], each.public
