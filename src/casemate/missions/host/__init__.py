"""The host of missions: what a region knows of them, and how a form becomes a job. It imports no mission.

What must never happen: that a description, a form, a run or a report is told to whom its label does not dominate.
"""

from __future__ import annotations

from casemate.missions.host.answers import Answers
from casemate.missions.host.ensemble import EnsembleRequest, begun, estimated, made_again
from casemate.missions.host.findings import FINDING, RELEASABLE, Finding, FindingRequest, Findings
from casemate.missions.host.host import SCHEME, TAG, Missions, age, code_of
from casemate.missions.host.listening import GATHER, Door, Listening, Taker
from casemate.missions.host.mission import MISSION, CallRequest, InstallRequest, Mission, RunRequest
from casemate.missions.host.notices import Notices, Outlet, Sink
from casemate.missions.host.outcome import compared, progress_of, report_of, result_of, table_of
from casemate.missions.host.syslog import Frame, Frames
from casemate.missions.host.talk import (
    Called,
    Talked,
    TalkRequest,
    Turn,
    added,
    call_of,
    chat_of,
    checked,
    said_in,
    unanswered,
)
from casemate.missions.host.tool import asked_by, content, said_by, seen, tool_of
from casemate.missions.host.watch import ANNOUNCED, NOTICE, WATCH, Notice, Watch, WatchRequest
from casemate.missions.host.watches import Watches
from casemate.missions.host.watching import Lying, Spool, Watching

__all__ = [
    "ANNOUNCED",
    "FINDING",
    "GATHER",
    "MISSION",
    "NOTICE",
    "RELEASABLE",
    "SCHEME",
    "TAG",
    "WATCH",
    "Answers",
    "CallRequest",
    "Called",
    "Door",
    "EnsembleRequest",
    "Finding",
    "FindingRequest",
    "Findings",
    "Frame",
    "Frames",
    "InstallRequest",
    "Listening",
    "Lying",
    "Mission",
    "Missions",
    "Notice",
    "Notices",
    "Outlet",
    "RunRequest",
    "Sink",
    "Spool",
    "Taker",
    "TalkRequest",
    "Talked",
    "Turn",
    "Watch",
    "WatchRequest",
    "Watches",
    "Watching",
    "added",
    "age",
    "asked_by",
    "begun",
    "call_of",
    "chat_of",
    "checked",
    "code_of",
    "compared",
    "content",
    "estimated",
    "made_again",
    "progress_of",
    "report_of",
    "result_of",
    "said_by",
    "said_in",
    "seen",
    "table_of",
    "tool_of",
    "unanswered",
]
