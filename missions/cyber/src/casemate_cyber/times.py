"""Instants as interchange formats write them."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
