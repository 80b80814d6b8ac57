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
    found = {f"casemate/{name}__init__.py": b"\n" for name in ("", "cells/", "reports/")}
    found["casemate/reports/parquet.py"] = (PACKAGE / "reports" / "parquet.py").read_bytes()
    for path in sorted((PACKAGE / "cells" / "table").glob("*.py")):
        found[f"casemate/cells/table/{path.name}"] = path.read_bytes()
    return found
