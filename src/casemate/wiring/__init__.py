"""Where rooms and engines meet: a region is opened here, by role, from one folder and its settings.

Names are loaded when they are first used: the command line needs the folder alone, and starts sooner for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from casemate.wiring.folder import Folder

if TYPE_CHECKING:
    from casemate.wiring.examination import examine
    from casemate.wiring.extraction import Documents
    from casemate.wiring.founding import Founded, found
    from casemate.wiring.local import reachable
    from casemate.wiring.offline import Log, Offline, verdicts
    from casemate.wiring.proofs import Checked, checked, questions_of
    from casemate.wiring.region import House, open_house
    from casemate.wiring.rotation import Rotated, locked, rotated
    from casemate.wiring.supervisor import Addresses, Died, supervise

__all__ = [
    "Addresses",
    "Checked",
    "Died",
    "Documents",
    "Folder",
    "Founded",
    "House",
    "Log",
    "Offline",
    "Rotated",
    "checked",
    "examine",
    "found",
    "locked",
    "open_house",
    "public_key",
    "questions_of",
    "reachable",
    "rotated",
    "supervise",
    "verdicts",
]

_HOMES = {
    "Addresses": "supervisor",
    "Checked": "proofs",
    "Died": "supervisor",
    "Documents": "extraction",
    "Founded": "founding",
    "House": "region",
    "Log": "offline",
    "Offline": "offline",
    "Rotated": "rotation",
    "checked": "proofs",
    "examine": "examination",
    "found": "founding",
    "locked": "rotation",
    "open_house": "region",
    "public_key": "keys",
    "questions_of": "proofs",
    "reachable": "local",
    "rotated": "rotation",
    "supervise": "supervisor",
    "verdicts": "offline",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"casemate.wiring.{_HOMES[name]}"), name)
