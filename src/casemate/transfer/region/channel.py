"""What a region keeps of its channels, and of the bundles that it sent or that came.

All of a channel lies in one access class: the class of what is sent, or the one in which what comes is adopted. So
names, sequences, gaps and keys of a channel are nobody's who may not see what goes through it. Its private keys lie in
the sealed row itself, and go with the key of the class.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from casemate.objects import Kind

__all__ = [
    "BUNDLE", "CHANNEL", "CLEARANCES_TYPE", "DOCUMENT_TYPE", "HEADS_TYPE", "MODEL_TYPE", "OBJECT_TYPE",
    "PACKAGE_TYPE", "POLICY_TYPE", "PREFIX", "PROPOSED", "TAKEN", "BundleRecord", "ChannelRecord", "MemberRecord",
    "ProposedRecord", "Side", "TakenRecord", "Verdict",
]  # fmt: skip

Side = Literal["sent", "received"]
Verdict = Literal["sent", "accept", "refuse", "quarantine", "hold"]
PREFIX = "bundle-"  # of a record's id: so is told where a document came from
DOCUMENT_TYPE = "application/vnd.casemate.document.v1"
OBJECT_TYPE = "application/vnd.casemate.object.v1"
CLEARANCES_TYPE = "application/vnd.casemate.clearances.v1"
HEADS_TYPE = "application/vnd.casemate.heads.v1"
MODEL_TYPE = "application/vnd.casemate.model.v1"
PACKAGE_TYPE = "application/vnd.casemate.package.v1"
REQUEST_TYPE = "application/vnd.casemate.request.v1"
POLICY_TYPE = "application/vnd.casemate.policy.v1"


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One direction between two regions, at one label. `channel` is its id in hexadecimal, "" before it is known.

    `label`: of what is sent, in the sender's canonical text; `ceiling`: how high the region goes that takes it.
    `recipient`: the public key to which bundles are sealed; `keeper` is its private half, kept where they come.
    `signing` and `roles`: private keys of the sender; `root`: the roles that a receiver trusts first. `state`: what
    the receiver knows, in the words of `transfer.state`. `sequence` and `previous`: of the last release. `skip_by` has
    asked to give up what is missing up to `skip_to`, and waits for a second person. `carries`: what it may carry of
    what no channel carries unless an officer has said so.
    """

    name: str
    side: Side
    source: str
    destination: str
    channel: str = ""
    label: str = ""
    ceiling: str = ""
    recipient: str = ""
    keeper: bytes = b""
    signing: bytes = b""
    roles: bytes = b""
    root: str = ""
    state: str = ""
    sequence: int = 0
    previous: str = ""
    skip_by: str = ""
    skip_to: int = 0
    carries: tuple[str, ...] = ()
    by: str = ""
    at: int = 0

    def __repr__(self) -> str:
        return f"ChannelRecord({self.name!r}, {self.side!r})"


class MemberRecord(msgspec.Struct, frozen=True, array_like=True):
    """An object in a bundle: what kind of thing, its name, the digest of its manifest, and where it lies here.

    `known`: the very same object had come before, so it was not stored again.
    """

    type: str
    name: str
    digest: str
    kind: str
    id: str
    known: bool = False


class BundleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was sent, or that came and what became of it. `rule`: why; `alarms`: what was noticed besides.

    `file`: under which name its bytes lie in the region's folder, "" where they do not. `gap`: the first and last
    sequence that are missing before it. `size` of the file in bytes, `at` in microseconds.
    """

    channel: str
    side: Side
    bundle: str
    sequence: int
    verdict: Verdict
    rule: str
    size: int
    at: int
    by: str
    alarms: tuple[str, ...] = ()
    gap: tuple[int, ...] = ()
    digest: str = ""
    file: str = ""
    members: tuple[MemberRecord, ...] = ()


class TakenRecord(msgspec.Struct, frozen=True):
    """Where an object lies that came once; its id is the digest of its manifest. `mark`: as its room knows it again."""

    kind: str
    id: str
    bundle: str
    mark: str = ""


class ProposedRecord(msgspec.Struct, frozen=True):
    """A policy that came. Nothing is decided by it before an officer has put it into the region's settings."""

    name: str
    text: str
    bundle: str
    at: int


class RequestRecord(msgspec.Struct, frozen=True):
    """A request for a job that rose: nothing runs by it. `text` in the form of its purpose; `by` with its region.

    `state`: waiting, accepted or declined, by `settled_by`; `job`: what that person runs for it, "" for nothing yet.
    """

    text: str
    by: str
    bundle: str
    at: int
    state: Literal["waiting", "accepted", "declined"] = "waiting"
    settled_by: str = ""
    job: str = ""


CHANNEL = Kind("transfer.channel", ChannelRecord, indexed=("channel", "side"))
BUNDLE = Kind("transfer.bundle", BundleRecord, indexed=("channel", "bundle"))
TAKEN = Kind("transfer.taken", TakenRecord)
PROPOSED = Kind("transfer.policy", ProposedRecord, sources=lambda _id, value: ((BUNDLE.name, value.bundle),))
REQUEST = Kind("transfer.request", RequestRecord, sources=lambda _id, value: ((BUNDLE.name, value.bundle),))
