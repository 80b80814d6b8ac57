"""Missions: packaged workloads of one field. This face is what the author of a mission imports, and all of it.

It is standard library alone, so that it stands in an environment beside any other library, and reaches no service of a
region, however indirectly. What must never happen: that the region imports a mission.
"""

from __future__ import annotations

from casemate.missions.context import Context, NoModel
from casemate.missions.mission import Citation, Mission, Need, Output, Role, parameter
from casemate.missions.result import Result
from casemate.reports import (
    Chart,
    Check,
    Checks,
    Figures,
    Link,
    Network,
    Node,
    Picture,
    Quote,
    Report,
    Seen,
    Series,
    Shown,
    Table,
    Text,
)

__all__ = [
    "Chart",
    "Check",
    "Checks",
    "Citation",
    "Context",
    "Figures",
    "Link",
    "Mission",
    "Need",
    "Network",
    "NoModel",
    "Node",
    "Output",
    "Picture",
    "Quote",
    "Report",
    "Result",
    "Role",
    "Seen",
    "Series",
    "Shown",
    "Table",
    "Text",
    "parameter",
]
