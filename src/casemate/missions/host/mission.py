"""A mission as a region knows it: its description and its own code, at the label at which it was installed.

Its libraries are an environment of jobs, which it names. Several versions stand beside each other, so that a run can be
made again after a newer one has come.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from casemate.objects import Kind

__all__ = [
    "MISSION",
    "CallRequest",
    "Code",
    "Described",
    "Field",
    "InstallRequest",
    "Mission",
    "NeedAt",
    "RoleTold",
    "RunRequest",
]

Plain = bool | int | float | str


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter: as `missions.form` tells it."""

    name: str
    type: Literal["boolean", "integer", "number", "string"]
    default: Plain | tuple[Plain, ...]
    en: str
    fr: str
    many: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Plain, ...] = ()


class RoleTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes in."""

    name: str
    formats: tuple[str, ...]
    many: bool = False
    required: bool = True
    en: str = ""
    fr: str = ""


class OutputTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes out."""

    name: str
    kind: Literal["table", "figure", "file"]
    en: str = ""
    fr: str = ""


class CitationTold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it stands on, and the licence of that."""

    title: str
    source: str
    licence: str


class NeedAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run takes where each role is given `mb` MiB."""

    mb: int
    cpus: int
    memory_mb: int
    wall_s: int
    disk_mb: int


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the shared program's `describe` printed (format 1)."""

    format: Literal[1]
    name: str
    version: str
    titles: dict[str, str]
    about: dict[str, str]
    parameters: tuple[Field, ...]
    roles: tuple[RoleTold, ...]
    outputs: tuple[OutputTold, ...]
    stands_on: tuple[CitationTold, ...]
    needs: tuple[NeedAt, ...]


class Code(msgspec.Struct, frozen=True):
    """A file of the mission's own code: its place, bytes, SHA-384 (hexadecimal), and its blobs in order."""

    name: str
    size: int
    digest: str
    pieces: tuple[str, ...]


class Mission(msgspec.Struct, frozen=True):
    """`entry`: MODULE:NAME. `environment`: with its digest, "" for the machine's Python. `digest`: over all of it."""

    name: str
    described: Described
    entry: str
    environment: str
    files: tuple[Code, ...]
    digest: str
    added_by: str = ""
    at: int = 0


class InstallRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mission to be installed. `files`: its code by place, in Base64."""

    described: Described
    entry: str
    files: dict[str, bytes]
    environment: str = ""


class RunRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A filled form. `inputs`: sources by role, as those of a job. What is 0 is as the mission's description says.

    `model`: what answers `context.generate`; "" for none.
    """

    parameters: dict[str, Any] = {}
    inputs: dict[str, tuple[str, ...]] = {}
    seed: int = 0
    cpus: int = 0
    memory_mb: int = 0
    wall_s: int = 0
    queue: str = "default"
    engine: str = ""
    key: str = ""
    model: str = ""


class CallRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model's call of a mission. `arguments`: JSON text, as the model wrote it, or the object.

    `id`: the call's own; the same id and arguments are the same run, so that it can be asked for again until it has
    ended. `wait_s`: seconds to wait for its end, at most 20.
    """

    arguments: str | dict[str, Any] = ""
    id: str = ""
    wait_s: int = 0


MISSION = Kind(
    "mission",
    Mission,
    indexed=("name", "digest"),
    blobs=lambda value: [piece for file in value.files for piece in file.pieces],
)
