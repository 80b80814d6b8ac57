"""Principals and keys: who may come in, as people manage them.

Rooms list their own records here; what admission believes is the gate's directory, changed in the same commit. Nobody
grants to himself; where a region asks for two people, a grant waits for a second officer.
"""

from __future__ import annotations

from casemate.accounts.keys import Key, KeyRequest, close_console, issue, keys, open_console, revoke
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

__all__ = [
    "PERSON",
    "Key",
    "KeyRequest",
    "Person",
    "PersonRequest",
    "add_person",
    "change_person",
    "close_console",
    "confirm",
    "found_owner",
    "issue",
    "keys",
    "open_console",
    "people",
    "proposals",
    "revoke",
    "withdraw",
]
