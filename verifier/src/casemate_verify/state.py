"""What the taking side remembers of a channel: one canonical JSON text.

It is one's own: where it is wrong there is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from casemate_verify.faults import Unusable
from casemate_verify.jsontext import Value, read, read_canonical
from casemate_verify.labels import Label, Policy, read_label
from casemate_verify.release import LABEL, Guarded
from casemate_verify.roles import Root, read_root
from casemate_verify.shape import NAMED, array, digits, members, number, pattern, table, text

__all__ = ["State", "read_guards", "read_state"]

FORMAT = "casemate channel state v1"
_MANY = 1_000_000  # how much structure a text may have bounds these already
_BUNDLE, _DIGEST = re.compile(r"(?:[0-9a-f]{32})?"), re.compile(r"(?:[0-9a-f]{128})?")


@dataclass(frozen=True, slots=True)
class State:
    """docs/bytes/bundle.md, "The state of a channel"; labels are read, times and windows are microseconds."""

    channel: str
    source: str
    destination: str
    label: str
    banner: str
    bound: Label
    floor: Label
    ceiling: Label
    lattice: Mapping[str, Policy]
    root: Root
    versions: Mapping[str, int]
    revoked: frozenset[str]
    sequence: int
    bundle: str
    previous: str
    skip: int
    attested: int
    window: int
    each: bool
    labels: Mapping[str, Label]


def read_state(data: bytes) -> State:
    """The state. Unusable where the bytes are none."""
    try:
        return _state(read_canonical(data))
    except ValueError as error:
        raise Unusable(f"no state of a channel: {error}") from None


def _state(value: Value) -> State:
    names = (
        "attested banner bundle ceiling channel destination floor format guard label labels lattice pending previous "
        "revoked root sequence skip source versions window"
    ).split()
    said = dict(zip(names, members(value, *names), strict=True))
    if said["format"] != FORMAT or said["guard"] not in ("each", "named"):
        raise ValueError("another format")
    lattice = {name: _policy(policy) for name, policy in table(said["lattice"], 1000).items()}
    snapshot, targets, timestamp = members(said["versions"], "snapshot", "targets", "timestamp")
    pending = [number(one, 1) for one in array(said["pending"], 0, _MANY)]
    if pending != sorted(set(pending)):
        raise ValueError("what was held is out of order")
    return State(
        channel=digits(said["channel"], 16),
        source=text(said["source"], 128),
        destination=text(said["destination"], 128),
        label=text(said["label"], LABEL),
        banner=text(said["banner"]),
        bound=read_label(said["label"], lattice),
        floor=read_label(text(said["floor"], LABEL), lattice),
        ceiling=read_label(text(said["ceiling"], LABEL), lattice),
        lattice=lattice,
        root=read_root(text(said["root"], 512 << 10).encode()),
        versions={"snapshot": number(snapshot), "targets": number(targets), "timestamp": number(timestamp)},
        revoked=frozenset(text(name) for name in array(said["revoked"], 0, _MANY)),
        sequence=number(said["sequence"]),
        bundle=pattern(said["bundle"], _BUNDLE),
        previous=pattern(said["previous"], _DIGEST),
        skip=number(said["skip"]),
        attested=number(said["attested"]),
        window=number(said["window"]),
        each=said["guard"] == "each",
        labels={
            pattern(name, NAMED): read_label(text(label, LABEL), lattice)
            for name, label in table(said["labels"], _MANY).items()
        },
    )


def _policy(value: Value) -> Policy:
    levels, permissive, restrictive = members(value, "levels", "permissive", "restrictive")
    ranked = tuple(text(name) for name in array(levels, 1, 1000))
    opened, needed = (frozenset(text(name) for name in array(some, 0, 1000)) for some in (permissive, restrictive))
    if len(set(ranked)) != len(ranked) or opened & needed:
        raise ValueError("a level or a category stands twice")
    return Policy(ranked, opened, needed)


def read_guards(data: bytes) -> dict[str, Guarded]:
    """What the guards here said, by manifest. Unusable where the bytes do not say it."""
    try:
        found = {}
        for name, said in table(read(data), _MANY).items():
            digest, guard, verdict = members(said, "digest", "guard", "verdict")
            found[pattern(name, NAMED)] = Guarded(text(guard), pattern(digest, NAMED), text(verdict))
    except ValueError as error:
        raise Unusable(f"no verdicts of guards: {error}") from None
    return found
