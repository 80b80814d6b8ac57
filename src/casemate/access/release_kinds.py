"""What the release door keeps, all of it at the label of the request, and what other rooms tell it of their objects.

Only what `Releasable.made` gives ever lies below, under an identifier of its own; it is made of the text that leaves
and of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from casemate.access.core import Core
from casemate.identity.approval import Statement
from casemate.identity.release import Approval, Release
from casemate.labels import Label
from casemate.objects import Kind, Put

__all__ = [
    "APPROVAL",
    "APPROVAL_KEY",
    "RELEASE",
    "REQUEST",
    "SERVICE",
    "ApprovalKeyRecord",
    "Arriving",
    "Releasable",
    "ReleaseAsk",
    "ReleaseRequest",
    "approval_key",
]

SERVICE = "release"  # whose session writes below


class ReleaseAsk(msgspec.Struct, frozen=True):
    """`kind` and `id` of the object, `part` of it where not the whole is meant, and its `label` where several of that
    id are visible ("" = the only one).

    `to` is the target as a label or marking; `days` how long the request stands.
    `format`: text, csv or json ("" = text, or what the kind prescribes); `schema` is that of a table or of JSON.
    """

    kind: str
    id: str
    to: str
    reason: str
    part: str = ""
    label: str = ""
    days: int = 7
    sanitiser: str = ""
    format: str = ""
    schema: str = ""


class ReleaseRequest(msgspec.Struct, frozen=True):
    """What is asked to go down. Digests are SHA-384 in hex: of the text as it lies, and of what would leave."""

    kind: str
    object: str
    class_id: str
    source: str
    target: str
    content: str
    leaves: str
    sanitiser: str
    reason: str
    requester: str
    name: str
    at: int
    expires: int
    part: str = ""
    state: Literal["asked", "refused", "withdrawn", "carried"] = "asked"
    ended_by: str = ""
    why: str = ""
    format: str = "text"
    schema: str = ""

    def statement(self, region: str, id: str, approver: str = "", key: str = "") -> Statement:
        """What an approver of this request signs."""
        return Statement(
            region=region,
            request=id,
            requester=self.requester,
            object=f"{self.kind}/{self.object}@{self.class_id}{'#' if self.part else ''}{self.part}",
            content=self.content,
            leaves=self.leaves,
            sanitiser=self.sanitiser if self.format == "text" else f"{self.sanitiser} {self.format}",
            source=self.source,
            target=self.target,
            reason=self.reason,
            expires=self.expires,
            approver=approver,
            key=key,
        )


class ApprovalKeyRecord(msgspec.Struct, frozen=True):
    """Whose an approval key is: `public` in hex, `lowest` the lowest label to which it may release.

    `speaks`: the agencies in whose name it approves what they have originated.
    """

    principal: str
    public: str
    lowest: str
    registrar: str
    ends: int
    speaks: tuple[str, ...] = ()


def _asked_for(id: str, request: ReleaseRequest) -> tuple[tuple[str, str], ...]:
    del id
    return ((request.kind, request.object),)


def _carried(id: str, release: Release) -> tuple[tuple[str, str], ...]:
    del release
    return (("release.request", id),)


REQUEST = Kind("release.request", ReleaseRequest, indexed=("state",), sources=_asked_for)
APPROVAL = Kind("release.approval", Approval, indexed=("request",))
RELEASE = Kind("release", Release, sources=_carried)
APPROVAL_KEY = Kind("directory.approval", ApprovalKeyRecord)


@dataclass(frozen=True, slots=True)
class Arriving:
    """What a room makes its object of below: the text, where, when, under which id; `blob` where it asked for one."""

    id: str
    text: str
    label: Label
    at: int
    blob: str = ""
    by: str = f"service:{SERVICE}"


@dataclass(frozen=True, slots=True)
class Releasable:
    """A kind whose text may be asked to go down: `text` of a value, and `made`, the object below.

    `text` is also told which part of it, "" for the whole; None where there is no such part. `prefix` is that of ids of
    what is made. `pours`: the text also lies there as a blob. `form`: the format and schema that a value prescribes.
    """

    kind: Kind[Any]
    text: Callable[[Any, str], str | None]
    made: Callable[[Arriving], Put]
    prefix: str
    pours: bool = False
    form: Callable[[Any], tuple[str, str]] | None = None


def approval_key(gate: Core, id: str) -> ApprovalKeyRecord | None:
    """The registered key of that id, as it is committed now."""
    rows = gate.rows.get(APPROVAL_KEY.name, id, [gate.directory.access.id])
    return gate.rows.open(APPROVAL_KEY, rows[0]).value if rows else None
