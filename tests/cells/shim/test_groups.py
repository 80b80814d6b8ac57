"""Control groups that nobody needs any more go with the next start of a shim."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from casemate.cells.shim.groups import Groups


@pytest.fixture
def parent():
    """The group in which this process may make others."""
    probe = Groups(secrets.token_hex(16), {"pids": 64})
    made = probe.made.get("pids")
    probe.remove()
    if made is None:
        pytest.skip("no control group can be made here")
    return Path(made).parent


def test_what_a_killed_shim_left_is_removed_and_what_holds_somebody_stays(parent):
    old, young, held = (parent / f"casemate-{secrets.token_hex(16)}" for _ in range(3))
    child = os.fork()
    if child == 0:
        os.execv("/bin/sleep", ["sleep", "60"])
    try:
        for path in (old, young, held):
            path.mkdir()
        (held / "cgroup.procs").write_text(str(child))
        for path in (old, held):
            os.utime(path, (0, 0))
        Groups("f" + secrets.token_hex(16)[1:], {"pids": 64}).remove()
        assert old.exists()  # one in sixteen looks
        Groups("0" + secrets.token_hex(16)[1:], {"pids": 64}).remove()
        assert [path.exists() for path in (old, young, held)] == [False, True, True]
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        for path in (old, young, held):
            if path.exists():
                path.rmdir()
