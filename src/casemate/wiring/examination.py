"""What `casemate doctor` says of a region that does not run."""

from __future__ import annotations

from casemate.doors.native.rooms import Check
from casemate.engines.minilm_model import NAME, default_folder, verify
from casemate.errors import CasemateError
from casemate.wiring.checks import checks
from casemate.wiring.folder import Folder

__all__ = ["examine"]


def examine(folder: Folder, language: str) -> list[Check]:
    """The checks of the machine and the folder, without a region to ask."""
    settings = folder.settings()
    return checks(folder, settings, _model() if settings.knowledge.embedder == "minilm" else "", language)


def _model() -> str:
    try:
        verify(default_folder().resolve())
    except CasemateError:
        return ""
    return NAME
