"""Principals, keys, agencies, projects, quotas, prices and usage: who may come in, and who pays, as people manage them.

Rooms list their own records here; what admission believes is the gate's directory, changed in the same commit. Nobody
grants to himself; where a region asks for two people, a grant waits for a second officer. What is used up is counted
per label domain, and no domain notices another.
"""

from __future__ import annotations

from casemate.accounts.agreed import agreed
from casemate.accounts.approval_keys import (
    ApprovalKey,
    ApprovalKeyRequest,
    approval_keys,
    drop_key,
    offer_key,
    register_key,
)
from casemate.accounts.books import Books, recount, used
from casemate.accounts.focus import focus_csv, focus_rows
from casemate.accounts.keys import Key, KeyRequest, close_console, issue, keys, open_console, revoke
from casemate.accounts.meter import Meter, Reservation
from casemate.accounts.prices import FREE, Price, PriceBook
from casemate.accounts.principals import (
    PERSON,
    Person,
    PersonRequest,
    add_person,
    change_person,
    confirm,
    found_owner,
    people,
    proposals,
    withdraw,
)
from casemate.accounts.project import (
    DEFAULT,
    Agency,
    AgencyRequest,
    Project,
    ProjectRequest,
    add_agency,
    add_project,
    agencies,
    projects,
)
from casemate.accounts.quota import (
    QUOTA,
    Bounds,
    Limits,
    Quota,
    QuotaRequest,
    limits_from_bytes,
    limits_to_bytes,
    nearest,
    principal_subject,
    quotas,
    read_limits,
    set_quota,
)
from casemate.accounts.release_quota import ReleaseQuotaRequest, release_today, set_release_quota
from casemate.accounts.usage import HOUR, USAGE, Charge, Tally, Usage

__all__ = [
    "DEFAULT",
    "FREE",
    "HOUR",
    "PERSON",
    "QUOTA",
    "USAGE",
    "Agency",
    "AgencyRequest",
    "ApprovalKey",
    "ApprovalKeyRequest",
    "Books",
    "Bounds",
    "Charge",
    "Key",
    "KeyRequest",
    "Limits",
    "Meter",
    "Person",
    "PersonRequest",
    "Price",
    "PriceBook",
    "Project",
    "ProjectRequest",
    "Quota",
    "QuotaRequest",
    "ReleaseQuotaRequest",
    "Reservation",
    "Tally",
    "Usage",
    "add_agency",
    "add_person",
    "add_project",
    "agencies",
    "agreed",
    "approval_keys",
    "change_person",
    "close_console",
    "confirm",
    "drop_key",
    "focus_csv",
    "focus_rows",
    "found_owner",
    "issue",
    "keys",
    "limits_from_bytes",
    "limits_to_bytes",
    "nearest",
    "offer_key",
    "open_console",
    "people",
    "principal_subject",
    "projects",
    "proposals",
    "quotas",
    "read_limits",
    "recount",
    "register_key",
    "release_today",
    "revoke",
    "set_quota",
    "set_release_quota",
    "used",
    "withdraw",
]
