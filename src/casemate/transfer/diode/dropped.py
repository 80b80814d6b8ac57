"""An object as one file in a drop directory, where somebody else's diode carries files and not our datagrams.

    magic     4   "CMO1"
    length    4   of the manifest, big-endian
    manifest      the sender (4 bytes), then as on the link (message.py)
    proof    48   HMAC-SHA-384 under the link's key over everything before it
    object        as on the link: padded, its true length in its last eight bytes

A file that is shorter than its head says is still arriving; one that is longer is none of ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from casemate.crypto import derive, hmac, same
from casemate.errors import BadInput
from casemate.transfer.diode.carousel import Offer
from casemate.transfer.diode.message import Manifest, read_message

__all__ = ["HEAD", "dropped", "read_head"]

MAGIC = b"CMO1"
PROOF = 48
SENDER = 4
HEAD = 1024
"""No head is longer."""


def dropped(link: bytes, sender: bytes, offer: Offer) -> Iterator[bytes]:
    """The file, a block at a time."""
    manifest = sender + offer.manifest.encode()
    head = MAGIC + len(manifest).to_bytes(4, "big") + manifest
    yield head + hmac(_key(link), head)
    for index in range(offer.manifest.blocks):
        yield offer.block(index)


def read_head(link: bytes, data: bytes) -> tuple[bytes, Manifest, int] | None:
    """Sender, manifest and length of the head; None while too little of it is there. Raises BadInput."""
    length = int.from_bytes(data[4:8], "big")
    if not MAGIC.startswith(data[:4]) or (len(data) >= 8 and not SENDER < length <= HEAD - PROOF - 8):
        raise BadInput(what="file of the link")
    end = 8 + length
    if len(data) < 8 or len(data) < end + PROOF:
        return None
    if not same(data[end : end + PROOF], hmac(_key(link), data[:end])):
        raise BadInput(what="file of the link")
    manifest = read_message(data[8 + SENDER : end], b"")
    if not isinstance(manifest, Manifest):
        raise BadInput(what="file of the link")
    return data[8 : 8 + SENDER], manifest, end + PROOF


def _key(link: bytes) -> bytes:
    return derive(link, b"diode drop")
