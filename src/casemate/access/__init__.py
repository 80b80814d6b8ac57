"""The gate: the one place where information enters, is looked at, and leaves.

`Gate.admit` makes a session of a credential; `Gate.open` a flow of an action. A `Flow` reads the visible world,
commits, looks, lends and releases. Only this room opens envelopes. Nothing here ever moves anything down: what a
caller brought may come to rest where its own marks say (`settle`), and release downward is another door (`release`).
"""

from __future__ import annotations

from casemate.access import audit, evidence, witness
from casemate.access.audit import Seen
from casemate.access.carry import pack, unpack
from casemate.access.flow import Flow
from casemate.access.frozen import FROZEN
from casemate.access.gate import Gate
from casemate.access.lanes import Idle, Lanes
from casemate.access.leave import Ceiling, Released
from casemate.access.loops import loops
from casemate.access.outsiders import (
    ATTRIBUTE,
    BINDING,
    STATEMENT,
    AttributeRecord,
    BindingRecord,
    StatementRecord,
    is_outside,
)
from casemate.access.publish import NotOurs, Publisher, Sections, Span, Standing
from casemate.access.quarantine import QUARANTINED, Quarantined, quarantined
from casemate.access.read import Tide
from casemate.access.records import (
    CEILING,
    CREDENTIAL,
    PRINCIPAL,
    STATE,
    CredentialRecord,
    Enrol,
    PrincipalRecord,
    StateRecord,
)
from casemate.access.redaction import redact
from casemate.access.release import ReleaseDoor, Viewed
from casemate.access.release_kinds import (
    APPROVAL_KEY,
    REQUEST,
    ApprovalKeyRecord,
    Arriving,
    Releasable,
    ReleaseAsk,
    ReleaseRequest,
    approval_key,
)
from casemate.access.release_quota import ReleaseQuota, Today, today
from casemate.access.release_text import Clean, Guard, PlainText, Sanitiser
from casemate.access.settle import HELD, HeldRecord, Hold, Settling, need_of
from casemate.access.threads import Threads
from casemate.access.trust import Authority, Trust
from casemate.access.vault import Region, Vault

__all__ = [
    "APPROVAL_KEY",
    "ATTRIBUTE",
    "BINDING",
    "CEILING",
    "CREDENTIAL",
    "FROZEN",
    "HELD",
    "PRINCIPAL",
    "QUARANTINED",
    "REQUEST",
    "STATE",
    "STATEMENT",
    "ApprovalKeyRecord",
    "Arriving",
    "AttributeRecord",
    "Authority",
    "BindingRecord",
    "Ceiling",
    "Clean",
    "CredentialRecord",
    "Enrol",
    "Flow",
    "Gate",
    "Guard",
    "HeldRecord",
    "Hold",
    "Idle",
    "Lanes",
    "NotOurs",
    "PlainText",
    "PrincipalRecord",
    "Publisher",
    "Quarantined",
    "Region",
    "Releasable",
    "ReleaseAsk",
    "ReleaseDoor",
    "ReleaseQuota",
    "ReleaseRequest",
    "Released",
    "Sanitiser",
    "Sections",
    "Seen",
    "Settling",
    "Span",
    "Standing",
    "StateRecord",
    "StatementRecord",
    "Threads",
    "Tide",
    "Today",
    "Trust",
    "Vault",
    "Viewed",
    "approval_key",
    "audit",
    "evidence",
    "is_outside",
    "loops",
    "need_of",
    "pack",
    "quarantined",
    "redact",
    "today",
    "unpack",
    "witness",
]
