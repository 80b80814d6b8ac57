"""The one judgement of a bundle: facts, a channel's state and a moment in, a verdict out. Pure.

    bounds -> signature -> sequence and expiry -> inside, roles, release -> label -> digests -> guards -> accepted

Whoever reads the file brings the facts; what is inside counts only once all before it holds. It must never ask a clock,
open a file, or decide by time alone: a clock that is wrong raises an alarm, the sequence decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casemate.crypto import same
from casemate.errors import Damaged
from casemate.transfer.bundle.face import AREA, file_size, read_area
from casemate.transfer.bundle.inside import Inside
from casemate.transfer.bundle.roles import read_root
from casemate.transfer.state import Newest, State
from casemate.transfer.verdict import Came, Verdict, verdict_of
from casemate.transfer.verify_inside import Judged, judged_inside
from casemate.transfer.verify_outside import judged_outside

__all__ = ["Facts", "Finding", "advanced", "held", "verify"]

MOST_LABELS = 100_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found in a file. `size` in bytes; `area`: its first 131,072; `frames`: SHA-512 over all behind them.

    With a key that opens it, `frames` is what the face says where each frame opened, else b"": what opens is bound to
    the face by `inner` and the digests of blobs, so that one digest over its content suffices (docs/bytes/bundle.md).
    `inside` is None where no key was given that opens it; where it could not be opened or read, `spoiled` is set.
    """

    size: int
    area: bytes
    frames: bytes
    inside: Inside | None = None
    spoiled: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a guard of this region found of a manifest: `digest` is that of the canonical form on which it decided."""

    digest: str
    guard: str
    verdict: str


def verify(facts: Facts, state: State, now: int, guards: Mapping[str, Finding] | None = None) -> Verdict:
    """The verdict on a bundle at `now`, in microseconds since 1970. `guards`: by `sha512:` digest of a manifest.

    Raises Damaged where the state's own root is none: then nothing can be said of any bundle.
    """
    trust = read_root(state.root.encode()).trust
    try:
        outside = read_area(facts.area)
    except Damaged:
        return verdict_of("bounds")
    if len(facts.area) != AREA or facts.size != file_size(outside.face):
        return verdict_of("bounds")
    before = judged_outside(outside, facts.frames, state, trust, now)
    if before.rule:
        return verdict_of(before.rule, before.alarms, before.gap)
    if facts.spoiled:
        return verdict_of("inside", before.alarms)
    if facts.inside is None:
        return verdict_of("sealed", before.alarms)
    if not same(facts.inside.inner, outside.face.inner):
        return verdict_of("inside", before.alarms)
    found = judged_inside(facts.inside, outside.face, state, before.time, now, guards or {})
    alarms = tuple(dict.fromkeys((*before.alarms, *found.alarms)))
    if found.rule:
        return verdict_of(found.rule, alarms)
    return Verdict("accept", "accepted", alarms, came=_came(facts.inside, found))


def advanced(state: State, came: Came) -> State:
    """The state once that bundle was adopted."""
    import msgspec

    attested = max(state.attested, came.issued)
    if state.attested:
        attested = min(attested, state.attested + state.window)
    labels = {**state.labels, **dict(came.labels)}
    return msgspec.structs.replace(
        state,
        sequence=came.sequence,
        bundle=came.bundle,
        previous=came.previous,
        root=came.root,
        versions=Newest(came.snapshot, came.targets, came.timestamp),
        attested=attested,
        labels=dict(list(labels.items())[-MOST_LABELS:]),
        pending=tuple(each for each in state.pending if each > came.sequence),
    )


def held(state: State, sequence: int) -> State:
    """The state with that sequence among those that wait for what is missing before them."""
    import msgspec

    return msgspec.structs.replace(state, pending=tuple(sorted({*state.pending, sequence})))


def _came(inside: Inside, found: Judged) -> Came:
    release = inside.envelope.release
    assert found.versions is not None
    labels = tuple(
        (each.digest, stated.label or "") for each, stated in zip(inside.index, release.objects, strict=True)
    )
    return Came(
        release.sequence,
        release.bundle,
        inside.envelope.digest,
        found.root,
        found.versions.timestamp,
        found.versions.snapshot,
        found.versions.targets,
        release.issued,
        labels,
    )
