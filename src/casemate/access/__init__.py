"""The gate: the one place where information enters, is looked at, and leaves.

`Gate.admit` makes a session of a credential; `Gate.open` a flow of an action. A `Flow` reads the visible world,
commits, looks, lends and releases. Only this room opens envelopes. Nothing here ever moves anything down: what a
caller brought may come to rest where its own marks say (`settle`), and release downward is another door.
"""

from __future__ import annotations

from casemate.access import audit
from casemate.access.audit import Seen
from casemate.access.carry import pack, unpack
from casemate.access.directory import (
    CEILING,
    CREDENTIAL,
    PRINCIPAL,
    STATE,
    CredentialRecord,
    Enrol,
    PrincipalRecord,
    StateRecord,
)
from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.access.leave import Ceiling, Released
from casemate.access.loops import loops
from casemate.access.settle import HELD, HeldRecord, Hold, Settling
from casemate.access.vault import Region, Vault

__all__ = [
    "CEILING",
    "CREDENTIAL",
    "HELD",
    "PRINCIPAL",
    "STATE",
    "Ceiling",
    "CredentialRecord",
    "Enrol",
    "Flow",
    "Gate",
    "HeldRecord",
    "Hold",
    "PrincipalRecord",
    "Region",
    "Released",
    "Seen",
    "Settling",
    "StateRecord",
    "Vault",
    "audit",
    "loops",
    "pack",
    "unpack",
]
