"""What a region knows of a channel: as canonical JSON in, as canonical JSON out (docs/bytes/bundle.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from casemate.transfer.bundle.strict import LARGEST, read, shaped, spelled
from casemate.transfer.lattice import Lattice

__all__ = ["FORMAT", "MOST_STATE", "WINDOW", "Newest", "State", "read_state", "written"]

FORMAT = "casemate channel state v1"
MOST_STATE = 32 << 20
WINDOW = 400 * 86_400 * 1_000_000
"""A clock is believed for so long after the last release, in microseconds: about thirteen months."""

Count = Annotated[int, Meta(ge=0, le=LARGEST)]
Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=16_384)]


class Newest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The versions of metadata that were accepted last; 0 for none."""

    snapshot: Count = 0
    targets: Count = 0
    timestamp: Count = 0


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel, as the region that takes knows it. Times in microseconds; ids and digests in hexadecimal.

    `label`: of the channel, in canonical text; `floor` and `ceiling`: of the region. `skip`: up to there two people
    have given up what is missing. `labels`: manifests that were accepted, with their labels.
    """

    channel: Id
    source: Name
    destination: Name
    label: Text
    banner: Annotated[str, Meta(max_length=1000)]
    floor: Text
    ceiling: Text
    lattice: Lattice
    root: str
    format: Literal["casemate channel state v1"] = "casemate channel state v1"
    versions: Newest = Newest()
    revoked: tuple[Name, ...] = ()
    sequence: Count = 0
    bundle: Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{32})?\Z")] = ""
    previous: Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{128})?\Z")] = ""
    skip: Count = 0
    attested: Count = 0
    window: Count = WINDOW
    guard: Literal["each", "named"] = "named"
    labels: Mapping[Annotated[str, Meta(pattern=r"^sha512:[0-9a-f]{128}\Z")], Text] = {}
    pending: tuple[Count, ...] = ()


def read_state(raw: bytes) -> State:
    """Raises Damaged where that is no state of a channel."""
    return shaped(read(raw, MOST_STATE, "channel state"), State, "channel state")


def written(state: State) -> bytes:
    """Its canonical bytes."""
    return spelled(msgspec.to_builtins(state))
