"""What a region keeps of its channels, and of the bundles that it sent or that came.

All of a channel lies in one access class: the class of what is sent, or the one in which what comes is adopted. So
names, sequences, gaps and keys of a channel are nobody's who may not see what goes through it. Its private keys lie in
the sealed row itself, and go with the key of the class.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from casemate.objects import Kind
from casemate.transfer.region.inspect import GuardProfile
from casemate.transfer.timetable import Timetable

__all__ = [
    "BUNDLE",
    "CHANNEL",
    "CLEARANCES_TYPE",
    "DOCUMENT_TYPE",
    "HEADS_TYPE",
    "MODEL_TYPE",
    "OBJECT_TYPE",
    "PACKAGE_TYPE",
    "POLICY_TYPE",
    "PREFIX",
    "PROPOSED",
    "TAKEN",
    "BundleRecord",
    "ChannelRecord",
    "Fetching",
    "MemberRecord",
    "ProposedRecord",
    "Side",
    "TakenRecord",
    "Verdict",
]  # fmt: skip

Side = Literal["sent", "received"]
Verdict = Literal["sent", "waiting", "withdrawn", "accept", "refuse", "quarantine", "hold"]
PREFIX = "bundle-"  # of a record's id: so is told where a document came from
DOCUMENT_TYPE = "application/vnd.casemate.document.v1"
OBJECT_TYPE = "application/vnd.casemate.object.v1"
CLEARANCES_TYPE = "application/vnd.casemate.clearances.v1"
HEADS_TYPE = "application/vnd.casemate.heads.v1"
MODEL_TYPE = "application/vnd.casemate.model.v1"
PACKAGE_TYPE = "application/vnd.casemate.package.v1"
REQUEST_TYPE = "application/vnd.casemate.request.v1"
POLICY_TYPE = "application/vnd.casemate.policy.v1"


class Fetching(msgspec.Struct, frozen=True):
    """By which timetable a channel may be fetched, who has accredited it, and when."""

    timetable: Timetable
    accreditor: str
    at: int


class ChannelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One direction between two regions, at one label. `channel` is its id in hexadecimal, "" before it is known.

    `label`: of what is sent, in the sender's canonical text; `ceiling`: how high the region goes that takes it.
    `recipient`: the public key to which bundles are sealed; `keeper` is its private half, kept where they come.
    `signing` and `roles`: private keys of the sender; `root`: the roles that a receiver trusts first. `state`: what
    the receiver knows, in the words of `transfer.state`. `sequence` and `previous`: of the last release. `skip_by` has
    asked to give up what is missing up to `skip_to`, and waits for a second person. `guard`: of what the guard is
    asked. `carries`: what it may carry of what no channel carries unless an officer has said so.

    A sender that needs several people has a key for each: `signing` and `others`, and `approving`. `former` and
    `former_approving` are the keys of the root before, which sign besides until they are rotated again or revoked;
    `roots` are those after the first. `revoked`: names of keys that count no more; what was sent up to `since`, with
    the digest `since_previous`, went with them. `waits`: the bundle that waits for people, and `waits_previous` the
    digest of the one before it. A receiver keeps `keepers`, the private halves of cards that it gave out before, and
    the names of those that are gone (`retired`) and of signers whom it trusted before (`before`). `asked_by` has asked
    for what has the digest `asked`, and waits for a second person. `fetching`: whether it may be fetched.
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
    guard: GuardProfile = "known"
    carries: tuple[str, ...] = ()
    others: tuple[bytes, ...] = ()
    approving: tuple[bytes, ...] = ()
    former: tuple[bytes, ...] = ()
    former_approving: tuple[bytes, ...] = ()
    roots: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()
    since: int = 0
    since_previous: str = ""
    waits: str = ""
    waits_previous: str = ""
    keepers: tuple[bytes, ...] = ()
    retired: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    asked: str = ""
    asked_by: str = ""
    fetching: Fetching | None = None
    by: str = ""
    at: int = 0

    @property
    def newest(self) -> str:
        """The root that a sender's people sign by now."""
        return self.roots[-1] if self.roots else self.root

    @property
    def needed(self) -> tuple[int, int]:
        """How many people have to sign a bundle and to approve it: by this root and by the one before."""
        signers = max(1 + len(self.others), len(self.former))
        return signers, max(len(self.approving), len(self.former_approving))

    def __repr__(self) -> str:
        return f"ChannelRecord({self.name!r}, {self.side!r})"


class MemberRecord(msgspec.Struct, frozen=True, array_like=True):
    """An object in a bundle: what kind of thing, its name, the digest of its manifest, and where it lies here.

    `known`: the very same object had come before, so it was not stored again. `guard`: "agree" where a guard has
    looked at it, "" where its channel asks for none.
    """

    type: str
    name: str
    digest: str
    kind: str
    id: str
    known: bool = False
    guard: str = ""


class BundleRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that was sent, or that came and what became of it. `rule`: why; `alarms`: what was noticed besides.

    `why`: which object a guard or a room did not take, and by which rule.
    `file`: under which name its bytes lie in the region's folder, "" where they do not. `gap`: the first and last
    sequence that are missing before it. `size` of the file in bytes, `at` in microseconds. `signed` and `approved`:
    ids of the people who did it here; a bundle that waits for some goes nowhere.
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
    why: str = ""
    members: tuple[MemberRecord, ...] = ()
    signed: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()


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
