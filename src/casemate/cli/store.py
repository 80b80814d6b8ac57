"""`casemate store`: where the records lie, whether they are whole, and how they move."""

from __future__ import annotations

from casemate.cli.command import Group

__all__ = ["store"]

VERBS = ("check", "migrate", "quarantine", "scrub", "shares")
store = Group("store", {name: f"store_{name}:{name}" for name in VERBS})
