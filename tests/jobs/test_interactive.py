"""Working in a job: whose it is, at which label, and what may be asked of one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from casemate.errors import BadInput
from casemate.jobs import Spec
from casemate.jobs.checked import checked

GOOD: dict[str, Any] = {"command": ["sh"], "interactive": {"kind": "shell"}}


def spec(**more: Any) -> Spec:
    return msgspec.convert({**GOOD, **more}, Spec)


def test_a_terminal_and_a_notebook_may_be_asked_for() -> None:
    checked(spec())
    checked(spec(interactive={"kind": "notebook", "idle_s": 0, "port": 9000}))
    checked(spec(resources={"network": "host"}))


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "service"},
        {"array": {"size": 2}},
        {"retry": {"attempts": 2}},
        {"resources": {"nodes": 2}},
        {"preemptible": True},
        {"checkpoint": {"path": "a"}},
        {"interactive": {"kind": "notebook"}, "resources": {"network": "host"}},
        {"interactive": {"kind": "shell", "idle_s": -1}},
        {"interactive": {"kind": "shell", "idle_s": 604_801}},
        {"interactive": {"kind": "notebook", "port": 80}},
    ],
)
def test_what_nobody_can_work_in_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        checked(spec(**more))
