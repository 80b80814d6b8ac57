"""Jobs: work that is asked for once, runs on an engine in a sandbox of its label, and counts exactly once.

`Jobs` is the face that doors speak to. The loop (`Reconciler`) takes jobs up, class by class; `life` is the state
machine that both stand on. What must never happen: that an attempt whose token is not the last one commits anything,
that a job reads what its label does not dominate, or that what waits above changes what is told below.
"""

from __future__ import annotations

from casemate.jobs.ask import Beside
from casemate.jobs.executor import Capabilities, Collected, Executor, Folder, Mount, Order, Polled, Scratch
from casemate.jobs.inputs import Inputs, Looked
from casemate.jobs.job import (
    JOB,
    JOB_KEY,
    After,
    Array,
    Artefact,
    Attempt,
    Checkpoint,
    Evaluate,
    Input,
    Interactive,
    Job,
    JobKey,
    Output,
    Plot,
    Replica,
    Resources,
    Retry,
    Service,
    Serving,
    Spec,
    State,
    Sweep,
    Usage,
)
from casemate.jobs.submit import Jobs

__all__ = [
    "JOB",
    "JOB_KEY",
    "After",
    "Array",
    "Artefact",
    "Attempt",
    "Beside",
    "Capabilities",
    "Checkpoint",
    "Collected",
    "Evaluate",
    "Executor",
    "Folder",
    "Input",
    "Inputs",
    "Interactive",
    "Job",
    "JobKey",
    "Jobs",
    "Looked",
    "Mount",
    "Order",
    "Output",
    "Plot",
    "Polled",
    "Replica",
    "Resources",
    "Retry",
    "Scratch",
    "Service",
    "Serving",
    "Spec",
    "State",
    "Sweep",
    "Usage",
]
