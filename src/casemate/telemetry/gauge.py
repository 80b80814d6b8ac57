"""What stands at a level now: asked when somebody looks, of whoever knows it, for one access class."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from casemate.telemetry.instrument import Instrument

__all__ = ["Level", "Probe"]

Level = tuple[Instrument, tuple[str, ...], int]
"""A gauge, the values of its labels, and its level."""

Probe = Callable[[str], Iterable[Level]]
"""Given the id of an access class that has been counted in, the levels of that class alone."""
