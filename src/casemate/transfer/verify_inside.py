"""The judgement of what was sealed: roles, release, label, digests, guards, in this order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from casemate.crypto import key_id, verify
from casemate.errors import Damaged
from casemate.transfer.bundle.face import Face
from casemate.transfer.bundle.inside import Inside
from casemate.transfer.bundle.layout import EMPTY, EMPTY_DIGEST
from casemate.transfer.bundle.release import Stated, pae
from casemate.transfer.bundle.roles import Versions, chained, read_root, three
from casemate.transfer.lattice import read_label
from casemate.transfer.state import State
from casemate.transfer.verdict import Alarm

__all__ = ["Found", "Judged", "judged_inside"]


class Found(Protocol):
    """What a guard of this region found of a manifest."""

    @property
    def digest(self) -> str: ...

    @property
    def guard(self) -> str: ...

    @property
    def verdict(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """What the inside comes to: the rule that ends it, or "" with the newest root and versions."""

    rule: str = ""
    alarms: tuple[Alarm, ...] = ()
    root: str = ""
    versions: Versions | None = None


def judged_inside(inside: Inside, face: Face, state: State, time: int, now: int, guards: Mapping[str, Found]) -> Judged:
    """In the order of the rules; `time` is the one that counts, `now` what the clock says."""
    roles = _roles(inside, state, time)
    if roles.rule:
        return roles
    alarms: tuple[Alarm, ...] = ("clock-behind",) if inside.envelope.release.issued > now else ()
    rule = (
        _release(inside, face, state)
        or _labels(inside, face, state)
        or _digests(inside)
        or _guards(inside, state, guards)
    )
    return Judged(rule, alarms, roles.root, roles.versions)


def _roles(inside: Inside, state: State, time: int) -> Judged:
    """Roots from the trusted one on, then timestamp, snapshot and targets."""
    revoked = frozenset(state.revoked)
    try:
        current = chained(state.root.encode(), inside.metadata, revoked)
    except Damaged:
        return Judged("roots")
    try:
        found = three(current, inside.metadata, inside.sealed, revoked)
    except Damaged:
        return Judged("metadata")
    newest = state.versions
    before = (newest.timestamp, newest.snapshot, newest.targets)
    if any(now < then for now, then in zip((found.timestamp, found.snapshot, found.targets), before, strict=True)):
        return Judged("metadata-rollback")
    if min(current.trust.expires, found.expires) <= time:
        return Judged("metadata-expired")
    return Judged("", (), current.trust.raw.decode(), found)


def _release(inside: Inside, face: Face, state: State) -> str:
    """Whether the release is signed, speaks of this bundle, and follows the one before."""
    envelope, release = inside.envelope, inside.envelope.release
    trust = read_root(state.root.encode()).trust
    signers = {key_id(each) for each in trust.signers}
    known = {key_id(each): each for each in (*trust.signers, *trust.approvers)}
    signed = [(key, value) for key, value in envelope.signatures if key in known]
    if not all(verify(known[key], pae(envelope.payload), value) for key, value in signed):
        return "release-signature"
    if not any(key in signers and key not in state.revoked for key, _ in signed):
        return "release-signature"
    said = (release.bundle, release.channel, release.sequence, release.not_after, release.banner)
    if said != (face.id.hex(), face.channel.hex(), face.sequence, face.expires, face.banner):
        return "release"
    if (release.source, release.destination) != (state.source, state.destination):
        return "release"
    if release.issued >= release.not_after:
        return "release"
    if release.sequence == state.sequence + 1 and release.previous != state.previous:
        return "previous"
    return ""


def _labels(inside: Inside, face: Face, state: State) -> str:
    """The channel's label, then each object's against the lattice, the region, and what it was before."""
    release = inside.envelope.release
    if release.label != state.label:
        return "label-channel"
    if face.banner != state.banner:
        return "banner"
    reads = [read_label(state.lattice, text) for text in (state.label, state.floor, state.ceiling)]
    channel, floor, ceiling = reads
    for (_, digest), stated in zip(inside.envelope.subjects, release.objects, strict=True):
        if stated.label is None:
            return "label-missing"
        label = read_label(state.lattice, stated.label)
        if label is None or channel is None or floor is None or ceiling is None:
            return "label-unknown"
        if not label <= channel:
            return "label-high"
        if not floor <= label <= ceiling:
            return "label-range"
        before = read_label(state.lattice, state.labels.get(digest, "bottom"))
        if before is None or not before <= label:
            return "label-downgraded"
    return ""


def _digests(inside: Inside) -> str:
    """Whether subjects, index, manifests and blobs are one tree, and every byte of it what its name promises."""
    index = [(each.name, each.digest) for each in inside.index]
    if index != list(inside.envelope.subjects):
        return "digests"
    named: dict[str, int] = {}
    for digest, size in _named(inside):
        if named.setdefault(digest, size) != size:
            return "digests"
    if named.keys() != inside.blobs.keys():
        return "digests"
    true = all(blob.true and blob.size == named[digest] for digest, blob in inside.blobs.items())
    return "" if true else "digests"


def _named(inside: Inside) -> Iterator[tuple[str, int]]:
    yield EMPTY_DIGEST, len(EMPTY)
    for pointed in inside.index:
        yield pointed.digest, pointed.size
    for manifest in inside.manifests.values():
        yield from ((each.digest, each.size) for each in manifest.files)


def _guards(inside: Inside, state: State, guards: Mapping[str, Found]) -> str:
    """The verdicts of this region's guards, and whether they decided on the same canonical form as the sender's."""
    for pointed, stated in zip(inside.index, inside.envelope.release.objects, strict=True):
        if state.guard == "each" or stated.guards:
            found = guards.get(pointed.digest)
            rule = "guard-missing" if found is None else _guarded(found, stated)
            if rule:
                return rule
    return ""


def _guarded(found: Found, stated: Stated) -> str:
    if found.verdict != "agree":
        return "guard-refused"
    theirs = [each for each in stated.guards if each.guard == found.guard]
    agreed = any((each.digest, each.verdict) == (found.digest, "agree") for each in theirs)
    return "" if agreed or not stated.guards else "guard-differs"
