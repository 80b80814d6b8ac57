"""The face of missions as the command line lends it to a child of its own, when it describes or checks a mission."""

from __future__ import annotations

from casemate.engines.mission_program import face

__all__ = ["face"]
