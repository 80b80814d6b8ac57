"""A signed head that rises to a region above, with what ties it to the heads that rose before. Pure.

Whoever is below cannot know which of its heads arrived, so it proves that its tree begins with each of the last ones
that it sent. Whoever is above holds it against the largest that it has seen, and says one of

    ok         its signature is the region's own, and it is, or goes on from, what was seen
    signature  it is not signed by the region whose key is known here
    unproved   nothing ties it to what was seen
    shrunk     it is smaller than what was seen, and none of what was seen
    forked     it does not begin with what was seen: there are two histories
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from casemate.errors import BadInput
from casemate.ledger.checkpoint import Checkpoint, Head, verify_checkpoint
from casemate.ledger.proof import verify_consistency

__all__ = ["MOST_PROOFS", "Risen", "Rising", "judged_rising", "read_rising", "write_rising"]

MOST_PROOFS = 64
LONGEST = 1 << 20
Risen = Literal["ok", "signature", "unproved", "shrunk", "forked"]
Node = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{96}\Z")]


class _Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the tree begins with its first `size` leaves (RFC 6962, section 2.1.2)."""

    size: Annotated[int, msgspec.Meta(ge=0)]
    path: Annotated[tuple[Node, ...], msgspec.Meta(max_length=128)]


class Rising(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of one log over SHA-384, and proofs from earlier sizes."""

    checkpoint: Checkpoint
    proofs: Annotated[tuple[_Proof, ...], msgspec.Meta(max_length=MOST_PROOFS)] = ()


def write_rising(checkpoint: Checkpoint, proofs: Iterable[tuple[int, list[bytes]]]) -> bytes:
    """As it is sent."""
    found = tuple(_Proof(size, tuple(each.hex() for each in path)) for size, path in proofs)
    return msgspec.json.encode(Rising(checkpoint, found))


def read_rising(raw: bytes) -> Rising:
    """Raises BadInput."""
    try:
        if len(raw) > LONGEST:
            raise BadInput(what="ledger head")
        return msgspec.json.decode(raw, type=Rising)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BadInput(what="ledger head") from None


def judged_rising(rising: Rising, public: bytes, seen: Iterable[Head]) -> Risen:
    """What a head is worth under that key, beside all that was seen of its log."""
    point = rising.checkpoint
    if not verify_checkpoint(point, public):
        return "signature"
    known = [head for head in seen if head.log == point.log]
    if not known or point.head in known:
        return "ok"
    last = max(known, key=_size)
    if any(head.size == point.size for head in known):
        return "forked"
    if point.size < last.size:
        return "shrunk"
    paths = [proof.path for proof in rising.proofs if proof.size == last.size]
    if not paths:
        return "unproved"
    try:
        root, old = bytes.fromhex(point.root), bytes.fromhex(last.root)
    except ValueError:
        return "forked"
    path = [bytes.fromhex(node) for node in paths[0]]
    return "ok" if verify_consistency(last.size, old, point.size, root, path) else "forked"


def _size(head: Head) -> int:
    return head.size
