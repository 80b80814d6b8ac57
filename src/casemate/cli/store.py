"""`casemate store`: where the records lie, whether they are whole, and how they move."""

from __future__ import annotations

from casemate.cli.command import Group

__all__ = ["store"]

store = Group("store", {"check": "store_check:check", "migrate": "store_migrate:migrate"})
