"""The program that unpacks environments, as bytes: it goes into the folder of an attempt, and runs in its sandbox."""

from __future__ import annotations

from pathlib import Path

from casemate.engines.sandbox.places import PACKAGE

__all__ = ["program"]


def program() -> dict[str, bytes]:
    """Its files by name, below a folder on a path of Python: the standard library is all that they need."""
    folder = Path(PACKAGE) / "cells" / "unpack"
    return {f"casemate/cells/unpack/{one.name}": one.read_bytes() for one in sorted(folder.glob("*.py"))}
