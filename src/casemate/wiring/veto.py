"""The veto that a region's settings name: a folder of Cedar policies, read once at the start."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from casemate.errors import Misconfigured
from casemate.policy.veto import Veto
from casemate.settings import CedarSettings

__all__ = ["veto_of"]


def veto_of(region: Path, settings: CedarSettings) -> Veto | None:
    """None where nothing is set. Raises Misconfigured where what is set cannot be asked: then the region stays shut."""
    if not settings.folder:
        return None
    if find_spec("cedarpy") is None:
        raise Misconfigured(setting="cedar.folder", why="cedarpy is not installed: pip install 'casemate[cedar]'")
    folder = region / settings.folder
    try:
        files = sorted(each for each in folder.iterdir() if each.suffix == ".cedar")
        texts = {file.name: file.read_text(encoding="utf-8") for file in files}
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(setting="cedar.folder", why=f"{folder}: {error}") from None
    from casemate.engines.cedar import CedarVeto

    return CedarVeto(texts)
