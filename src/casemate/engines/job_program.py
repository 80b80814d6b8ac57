"""The program that makes a sweep's table, as it is lent to a job: it runs wherever the job does, with any Python there.

Source code of this package alone; nothing of the region or of its settings is in it.
"""

from __future__ import annotations

from functools import cache

from casemate.engines.sandbox.places import PACKAGE

__all__ = ["program"]


@cache
def program() -> dict[str, bytes]:
    """Its files by their place. The packages above it are empty, so that none of the same name on the node counts."""
    found = {"casemate/__init__.py": b"\n", "casemate/cells/__init__.py": b"\n"}
    for path in sorted((PACKAGE / "cells" / "table").glob("*.py")):
        found[f"casemate/cells/table/{path.name}"] = path.read_bytes()
    return found
