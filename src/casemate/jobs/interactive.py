"""Working in a job that runs: a line to its terminal, or to what it shows a browser.

Whoever works in a job writes into it, so he acts exactly at its label; and it is his own. What a line carries is in no
entry: that it was opened and closed is. As long as it is open it is looked at whether he still may.
"""

from __future__ import annotations

from typing import Literal

from casemate.access import Flow
from casemate.errors import Absent, BadInput, Conflict
from casemate.jobs import life
from casemate.jobs.executor import Line
from casemate.jobs.job import Job
from casemate.jobs.sites import Sites
from casemate.objects import Found
from casemate.policy import Refuse

__all__ = ["line_to", "may_stay"]

_SOCKETS = {"shell": "terminal.sock", "notebook": "serve.sock"}
"""What the shim serves in the attempt's folder."""


async def line_to(flow: Flow, sites: Sites, found: Found[Job], kind: Literal["shell", "notebook"]) -> Line:
    """A line into it. Raises BadInput for a job that is not of this kind; Refused (`no-write-down`) below where it
    acts; Conflict where nothing of it runs that could be reached (yet); EngineFailed where that is another machine."""
    job = found.value
    if job.spec is None or job.spec.interactive is None or job.spec.interactive.kind != kind:
        raise BadInput(what=f"Job {found.id} is no {kind}.")
    if found.ref.class_id != flow.access.id:
        await flow.refuse(Refuse("no-write-down", {"acting": flow.acting.text, "asked": found.label.text}))
    attempt = life.live(job)
    site = sites.site(attempt.engine) if attempt is not None else None
    if attempt is None or site is None:
        raise Conflict(what=f"job {found.id}")
    try:
        return await site.scratch.line(found.ref.class_id, attempt.token, _SOCKETS[kind])
    except Absent:
        raise Conflict(what=f"job {found.id}") from None


def may_stay(flow: Flow) -> bool:
    """Whether the caller is still somebody who may act here."""
    now = flow.gate.directory.principal(flow.session.principal.id)
    return now is not None and "user" in now.roles and flow.acting <= now.clearance
