"""The one tree of errors, and nothing else.

Each class carries a slug (stable, in every protocol), an HTTP status and a process exit code. What happened and
what to do are sentences, and sentences live in `casemate.words`, found by the slug and filled from `facts`.
A fact must be computable from the caller's own session and request: it is shown to him.

    CasemateError
    ├── BadInput              malformed
    │   ├── TooLarge          too-large
    │   ├── BadPart           bad-part           (a part of an upload is not as it was said to be)
    │   ├── NoBackups         no-backups         (the settings name no folder for them)
    │   ├── MarkingError      marking
    │   ├── UnknownModel      unknown-model
    │   └── UnknownKnowledge  unknown-knowledge
    ├── Unauthenticated       unauthenticated
    │   ├── Expired           expired
    │   └── Skewed            clock-skew
    ├── Refused               refused            (carries the rule)
    ├── Absent                absent
    ├── Conflict              conflict
    │   ├── Ambiguous         ambiguous          (several objects of a key, none above the other)
    │   ├── ConditionFailed   condition-failed
    │   ├── FileChanged       file-changed       (a dataset's file is not the one that was recorded)
    │   └── NotEmpty          not-empty
    ├── QuotaExceeded         quota-exceeded
    ├── Unavailable           unavailable
    │   ├── EngineFailed      engine-failed
    │   ├── AnswerHeld        answer-held        (it bears a mark above the acting label)
    │   ├── StorageFull       storage-full
    │   │   └── ShareFull     share-full         (the label domain's own share)
    │   ├── SandboxMissing    sandbox-missing
    │   ├── NotRunning        not-running
    │   ├── Stale             stale              (the snapshot that admission stands on is too old)
    │   ├── ControlAway       control-away       (the control plane does not answer here)
    │   └── VolumesMissing    volumes-missing    (too few volumes of a set have come)
    ├── Destroyed             destroyed          (the key of a label, and with it what lay there)
    ├── Damaged               damaged
    │   ├── KeyMissing        key-missing        (the key of a label in use is not there, and was not destroyed)
    │   ├── Tampered          tampered
    │   └── Forged            backup-tampered    (a link of a backup that the region has not signed)
    ├── Unreadable            unreadable         (a document that no parser can read)
    ├── Mismarked             mismarked          (documents that were read, and whose marks are not right)
    ├── NewerSchema           newer-schema
    ├── Occupied              occupied           (a port, a socket or a folder in use)
    ├── Misconfigured         misconfigured
    └── Internal              internal
"""

from __future__ import annotations

from typing import ClassVar, Literal

__all__ = [
    "Absent",
    "Ambiguous",
    "AnswerHeld",
    "BadInput",
    "BadPart",
    "CasemateError",
    "ConditionFailed",
    "Conflict",
    "ControlAway",
    "Damaged",
    "Destroyed",
    "EngineFailed",
    "Expired",
    "FileChanged",
    "Forged",
    "Internal",
    "KeyMissing",
    "MarkingError",
    "Misconfigured",
    "Mismarked",
    "NewerSchema",
    "NoBackups",
    "NotEmpty",
    "NotRunning",
    "Occupied",
    "QuotaExceeded",
    "Refused",
    "SandboxMissing",
    "ShareFull",
    "Skewed",
    "Stale",
    "StorageFull",
    "Tampered",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "UnknownKnowledge",
    "UnknownModel",
    "Unreadable",
    "VolumesMissing",
    "tree",
]


class CasemateError(Exception):
    """The root: what a caller may be told, as a slug and the facts that fill its sentence."""

    slug: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    exit: ClassVar[int] = 1

    def __init__(self, **facts: str | int | float) -> None:
        self.facts = facts
        self.entry = ""  # the ledger entry that records it, once there is one
        super().__init__(self.slug, facts)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.slug}({told})"


class BadInput(CasemateError):
    """The request itself is wrong. Facts: `what`."""

    slug, status, exit = "malformed", 400, 2


class TooLarge(BadInput):
    """A body, file or line beyond its bound. Facts: `what`, `limit`."""

    slug, status, exit = "too-large", 413, 2


class BadPart(BadInput):
    """A part of an upload is absent, out of order or another one. Facts: `number`, `why`; `least` where too small."""

    slug, status, exit = "bad-part", 400, 2


class NoBackups(BadInput):
    """No folder for backups is set, and none is named. No facts."""

    slug, status, exit = "no-backups", 400, 2


class MarkingError(BadInput):
    """A marking that cannot be read. Facts: `marking`, `why`."""

    slug, status, exit = "marking", 400, 2


class UnknownModel(BadInput):
    """No such model at this acting label. Facts: `model`."""

    slug, status, exit = "unknown-model", 404, 5


class UnknownKnowledge(BadInput):
    """No such knowledge base at this acting label. Facts: `name`."""

    slug, status, exit = "unknown-knowledge", 404, 5


class Unauthenticated(CasemateError):
    """No credential, or one that this region does not know."""

    slug, status, exit = "unauthenticated", 401, 4


class Expired(Unauthenticated):
    """The caller's own credential has run out."""

    slug, status, exit = "expired", 401, 4


class Skewed(Unauthenticated):
    """A signature made at another time than ours. Facts: `seconds` (the bound)."""

    slug, status, exit = "clock-skew", 403, 4


class Refused(CasemateError):
    """The gate said no, by a rule that the caller's own session and request explain. Facts: `rule`, and its."""

    slug, status, exit = "refused", 403, 3


class Absent(CasemateError):
    """Nothing of that name at this acting label: hidden and never-existing alike. Facts: `kind`, `id`."""

    slug, status, exit = "absent", 404, 5


class Conflict(CasemateError):
    """The object changed meanwhile, or exists already. Facts: `what`."""

    slug, status, exit = "conflict", 409, 6


class Ambiguous(Conflict):
    """Several objects bear this key, and none is above the other. Facts: `key`, `labels` (text, by `; `)."""

    slug, status, exit = "ambiguous", 409, 6


class ConditionFailed(Conflict):
    """What is there is not what the caller made a condition of. Facts: `condition` (a header's name)."""

    slug, status, exit = "condition-failed", 412, 6


class FileChanged(Conflict):
    """A file of a dataset is not the one that was recorded. Facts: `dataset`, `file`, `why`."""

    slug, status, exit = "file-changed", 409, 6


class NotEmpty(Conflict):
    """Something that the acting label sees is still in it. Facts: `what`."""

    slug, status, exit = "not-empty", 409, 6


class QuotaExceeded(CasemateError):
    """A quota has no room in the caller's own label domain. Facts: `limit`, `of` (key, project), `retry_after` (s)."""

    slug, status, exit = "quota-exceeded", 429, 9


class Unavailable(CasemateError):
    """Something that this needs does not answer now. Facts: `what`."""

    slug, status, exit = "unavailable", 503, 7


class EngineFailed(Unavailable):
    """An engine gave an error, nonsense or nothing in time. Facts: `engine`, `why`.

    `cause` is for the router and is told to nobody: down (no connection), busy (it has no room now), slow (nothing in
    time), denied (it does not take our credential), rejected (it does not take this request), broken (anything else).
    `retry_after`: seconds that a busy one asked to be left alone, 0 where it named none.
    """

    slug, status, exit = "engine-failed", 502, 7

    def __init__(
        self,
        cause: Literal["down", "busy", "slow", "denied", "rejected", "broken"] = "broken",
        **facts: str | int | float,
    ) -> None:
        super().__init__(**facts)
        self.cause = cause
        self.retry_after = 0.0


class AnswerHeld(Unavailable):
    """What a model said bears a mark above the acting label; nothing of that line was told. Facts: `acting`."""

    slug, status, exit = "answer-held", 502, 7


class StorageFull(Unavailable):
    """No room to write; reads go on."""

    slug, status, exit = "storage-full", 507, 7


class ShareFull(StorageFull):
    """The share of the disk that is this label domain's own is used up. Facts: `share` (bytes)."""

    slug, status, exit = "share-full", 507, 7


class SandboxMissing(Unavailable):
    """The kernel cannot fence a child, so none is started. Facts: `why`."""

    slug, status, exit = "sandbox-missing", 503, 7


class NotRunning(Unavailable):
    """No region answers here. Facts: `folder`."""

    slug, status, exit = "not-running", 503, 8


class Stale(Unavailable):
    """The snapshot of who may come in is too old to be believed for this session. Facts: `retry_after` (seconds)."""

    slug, status, exit = "stale", 503, 7


class ControlAway(Unavailable):
    """What changes the region is done by the control process, and not here. Facts: `retry_after` (seconds)."""

    slug, status, exit = "control-away", 503, 7


class VolumesMissing(Unavailable):
    """Too few volumes of a set have come to make its file. Facts: `set`, `need`, `wanted` (numbers), `code`."""

    slug, status, exit = "volumes-missing", 503, 7


class Destroyed(CasemateError):
    """The key of the label at which the caller acts was destroyed: nothing can be read or written there any more."""

    slug, status, exit = "destroyed", 410, 5


class Damaged(CasemateError):
    """Stored bytes are not what was stored. Facts: `what`."""

    slug, status, exit = "damaged", 500, 10


class KeyMissing(Damaged):
    """The key of a label that was written to is not there: nothing there is read, nor written under another. `what`."""

    slug, status, exit = "key-missing", 500, 10


class Tampered(Damaged):
    """The ledger does not say what its checkpoints say. Facts: `log`, `entry`."""

    slug, status, exit = "tampered", 500, 11


class Forged(Damaged):
    """A backup holds something that this region has not signed. Facts: `what`."""

    slug, status, exit = "backup-tampered", 500, Tampered.exit


class Unreadable(CasemateError):
    """A document that its parser refuses, within its bounds. Facts: `why`."""

    slug, status, exit = "unreadable", 422, 12


class Mismarked(CasemateError):
    """Documents that were read, and whose marks are not as their policy prescribes. Facts: `findings`, `files`."""

    slug, status, exit = "mismarked", 422, 16


class NewerSchema(CasemateError):
    """The folder was written by a newer version. Facts: `found`, `known`."""

    slug, status, exit = "newer-schema", 500, 13


class Occupied(CasemateError):
    """A port, socket or folder is in use. Facts: `what`."""

    slug, status, exit = "occupied", 409, 14


class Misconfigured(CasemateError):
    """A setting that cannot be. Facts: `setting`, `why`."""

    slug, status, exit = "misconfigured", 500, 15


class Internal(CasemateError):
    """A defect of ours: nothing of it is told, but the ledger's number."""

    slug, status, exit = "internal", 500, 1


def tree(root: type[CasemateError] = CasemateError) -> list[type[CasemateError]]:
    """Every class of the tree, parents before children, in the order of definition."""
    found = [root]
    for child in root.__subclasses__():
        found.extend(tree(child))
    return found
