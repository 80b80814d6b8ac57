"""The face of missions, as it is lent to a job: it runs wherever the job does, with any Python from 3.11 on there.

Source code of this package alone, and none of the host; nothing of the region or of its settings is in it.
"""

from __future__ import annotations

from functools import cache

from casemate.engines.sandbox.places import PACKAGE

__all__ = ["face"]


@cache
def face() -> dict[str, bytes]:
    """Its files by their place. The package above is empty, so that none of the same name on the node counts."""
    found = {"casemate/__init__.py": b"\n"}
    for room in ("errors", "reports", "missions"):
        for path in sorted((PACKAGE / room).glob("*.py")):
            found[f"casemate/{room}/{path.name}"] = path.read_bytes()
    for name in ("network.css", "network.js"):  # what a page with a network is written with
        found[f"casemate/reports/{name}"] = (PACKAGE / "reports" / name).read_bytes()
    return found
