"""The snapshot's bytes: what control tells every data process, signed, sealed, whole and never a difference.

    "CMSNAP1\\n" | sealed( length | signed( key id, signature, body ) | zeros )          docs/bytes/snapshot.md

Pure: bytes in, a snapshot or a refusal out. A body is signed under a line that says what it is, so that no other thing
that this key signs can be taken for one; it is sealed, for it holds the digests of credentials; and what is sealed is
filled up to a power of two, so that its size tells whoever sees the disk no more than its class. Nothing of a snapshot
is believed before seal, signature, version, region and times have been found right.
"""

from __future__ import annotations

import msgspec

from casemate.crypto import Signer, key_id, verify
from casemate.errors import Damaged, TooLarge
from casemate.store.ports import Sealer

__all__ = ["BOUND", "LEAST", "VERSION", "NotOurs", "Snapshot", "pack_snapshot", "read_snapshot"]

MAGIC = b"CMSNAP1\n"
SIGNED = b"casemate snapshot v1\n"
VERSION = 1
LEAST = 64 << 10
MOST = 64 << 20
BOUND = MOST + 256  # a file's bytes: the seal and the magic come on top
_SCOPE = "snapshot"  # of nonces and of the sealing key: no access class has this name


class Snapshot(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Everything that a data process stands on. Times and `rate` are microseconds (the former since the epoch).

    From `not_after` on only sessions at the region's floor are admitted, from `ends` on none. `sections` are opaque.
    """

    version: int
    region: str
    sequence: int
    made_at: int
    rate: int
    not_after: int
    ends: int
    sections: dict[str, bytes]


class _Signed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    key_id: str
    signature: bytes
    body: bytes


class NotOurs(Exception):
    """Bytes that are not the next snapshot of this region. For the operator alone: no caller is ever told.

    `why`: size, form, seal, signature, version, region, times; and of whoever takes it: older, sections, policies.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def pack_snapshot(snapshot: Snapshot, signer: Signer, sealer: Sealer) -> bytes:
    """The file of a snapshot. Raises TooLarge where it would be beyond 64 MiB."""
    body = msgspec.msgpack.encode(snapshot)
    signed = msgspec.msgpack.encode(_Signed(signer.key_id, signer.sign(SIGNED + body), body))
    size = LEAST
    while size < len(signed) + 4:
        size *= 2
    if size > MOST:
        raise TooLarge(what="The snapshot", limit=MOST)
    plain = (len(signed).to_bytes(4, "big") + signed).ljust(size, b"\0")
    return MAGIC + sealer.seal(_SCOPE, _SCOPE, plain, MAGIC)


def read_snapshot(raw: bytes, public: bytes, sealer: Sealer, region: str) -> Snapshot:
    """The snapshot in a file. `public` is the key that must have signed it. Raises NotOurs."""
    if not LEAST <= len(raw) <= BOUND:
        raise NotOurs("size")
    if not raw.startswith(MAGIC):
        raise NotOurs("form")
    body = _believed(_opened(raw, sealer), public)
    try:
        found = msgspec.msgpack.decode(body, type=Snapshot)
    except msgspec.DecodeError:
        raise NotOurs("version") from None
    if found.version != VERSION:
        raise NotOurs("version")
    if found.region != region:
        raise NotOurs("region")
    if not (0 < found.sequence < 1 << 63 and found.rate > 0 and found.made_at < found.not_after <= found.ends):
        raise NotOurs("times")
    return found


def _opened(raw: bytes, sealer: Sealer) -> bytes:
    """What was sealed, without its filling."""
    try:
        plain = sealer.open(_SCOPE, _SCOPE, raw[len(MAGIC) :], MAGIC)
    except Damaged:
        raise NotOurs("seal") from None
    return plain[4 : 4 + int.from_bytes(plain[:4], "big")]


def _believed(signed: bytes, public: bytes) -> bytes:
    """The body, once it is clear who signed it."""
    try:
        found = msgspec.msgpack.decode(signed, type=_Signed)
    except msgspec.DecodeError:
        raise NotOurs("form") from None
    if found.key_id != key_id(public) or not verify(public, SIGNED + found.body, found.signature):
        raise NotOurs("signature")
    return found.body
