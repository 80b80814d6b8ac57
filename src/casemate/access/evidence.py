"""What can be carried away and checked elsewhere: one entry with its proof, a part of a log, signed heads.

Nothing leaves that does not fit a signed root: a tile that somebody has changed makes no proof.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.access import audit
from casemate.access.state import State
from casemate.access.trees import Tree
from casemate.errors import BadInput, Damaged, Unavailable
from casemate.labels import AccessClass
from casemate.ledger import (
    CHECKPOINT_FILE,
    MOST_PROOFS,
    SHA384,
    Checkpoint,
    Evidence,
    Profile,
    Record,
    Tiled,
    cut,
    grown,
    leaf_hash,
    leaf_hashes,
    part_of,
    read_note,
    sign_note,
    verify_inclusion,
    write_evidence,
    write_part,
    write_rising,
)

__all__ = ["notes", "part", "prove", "rising"]


def prove(flow: State, id: str) -> bytes:
    """A visible entry with the path to the newest signed head. Raises Absent; Unavailable while it is under none."""
    seen = audit.entry(flow, id)
    point = _newest(flow, seen.access)
    if point is None or seen.seq >= point.size:
        raise Unavailable(what="checkpoint")
    found = flow.gate.recorder.find(id)
    if found is None:
        raise Damaged(what="ledger entry")
    plain, root = flow.gate.recorder.plain(seen.access.id, found[1]), bytes.fromhex(point.root)
    path = Tree(flow.gate.vault, seen.access.id).tiled(point.size, root).inclusion(seen.seq)
    if not verify_inclusion(leaf_hash(plain), seen.seq, point.size, path, root):
        raise Damaged(what="ledger entry")
    public = flow.gate.vault.signer.public.hex()
    return write_evidence(Evidence(point, plain.decode(), seen.seq, tuple(each.hex() for each in path), public))


def part(flow: State, access: AccessClass, start: int, stop: int | None, profile: Profile = SHA384) -> bytes:
    """The entries from `start` up to `stop` (None: the last checkpoint) of a visible log, to be checked alone.

    Over another hash the last head is signed anew, as a note. Raises BadInput where no checkpoint reaches so far.
    """
    point = _newest(flow, access)
    size = point.size if point is not None else 0
    stop = size if stop is None else stop
    if point is None or not 0 <= start < stop <= size:
        raise BadInput(what=f"The signed entries of this log are those from 0 up to {size}.")
    public = flow.gate.vault.signer.public
    if profile is SHA384:
        tree = Tree(flow.gate.vault, access.id).tiled(point.size, bytes.fromhex(point.root))
        found, points = part_of(tree, start, stop, audit.checkpoints(flow, access.id))
        return write_part(access.id, audit.records(flow, access, start, stop), points, public, found)
    tree, records = _rehashed(flow, access, range(start, stop), size, profile)
    head = Checkpoint(access.id, size, tree.root().hex(), point.at, "")
    found, _ = part_of(tree, start, stop, [head])
    note = sign_note(flow.gate.vault.signer, access.id, size, tree.root(), point.at, point.solo, profile)
    return write_part(access.id, records, [], public, found, [note])


def rising(flow: State, access: AccessClass, before: Iterable[int]) -> tuple[int, bytes]:
    """The newest signed head of a visible log, with proofs that it goes on from those sizes; its own size.

    Raises Unavailable where nothing is signed yet.
    """
    point = _newest(flow, access)
    if point is None:
        raise Unavailable(what="checkpoint")
    tree = Tree(flow.gate.vault, access.id).tiled(point.size, bytes.fromhex(point.root))
    sizes = sorted({size for size in before if 0 < size < point.size})[-MOST_PROOFS:]
    return point.size, write_rising(point, ((size, tree.consistency(size)) for size in sizes))


def _rehashed(flow: State, access: AccessClass, part: range, size: int, profile: Profile) -> tuple[Tiled, list[Record]]:
    """The tree over another hash, made of so many entries; and those of the part."""
    leaves: list[bytes] = []
    records: list[Record] = []
    for each in audit.records(flow, access, 0, size):
        if each.data is None or leaf_hash(each.data) != each.leaf:
            raise Damaged(what="ledger entry")
        leaves += leaf_hashes([each.data], profile)
        if each.seq in part:
            records.append(Record(each.seq, leaves[-1], each.data))
    tiles = grown(lambda _: [], 0, leaves, profile)  # no tile was there before
    return Tiled(lambda place: cut(tiles[place], profile), size, profile), records


def notes(flow: State) -> list[str]:
    """The newest head of every visible log as a signed note: as it lies beside the tiles, or signed now."""
    vault, told = flow.gate.vault, []
    for access in flow.classes():
        point = _newest(flow, access)
        if point is None:
            continue
        data = vault.tiles.read(access.id, CHECKPOINT_FILE) if vault.tiles is not None else None
        if data is None or read_note(data, vault.signer.public) is None:
            root = bytes.fromhex(point.root)
            data = sign_note(vault.signer, access.id, point.size, root, point.at, point.solo)
        told.append(data.decode())
    return told


def _newest(flow: State, access: AccessClass) -> Checkpoint | None:
    points = audit.checkpoints(flow, access.id)
    return max(points, key=_size) if points else None


def _size(point: Checkpoint) -> int:
    return point.size
