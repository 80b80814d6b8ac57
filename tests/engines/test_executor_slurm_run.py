"""Slurm's programs are run under the loop that a region has, and end before they have heard anything."""

from __future__ import annotations

import asyncio
import os
import pwd

import pytest
import uvloop

from casemate.engines.executor_slurm_run import Commands, User


@pytest.mark.parametrize("given", ["", "x" * (1 << 20)])
@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_program_that_ends_before_it_has_read_anything_is_told_as_it_ended(factory: object, given: str) -> None:
    known = pwd.getpwuid(os.geteuid())
    commands = Commands("slurm", "/bin", "", 20)

    async def many() -> None:
        for _ in range(10):
            assert (await commands(User(known.pw_uid, known.pw_gid), "true", given=given)).code == 0
            assert (await commands(User(known.pw_uid, known.pw_gid), "false", given=given)).code == 1

    with asyncio.Runner(loop_factory=factory) as runner:  # type: ignore[arg-type]
        runner.run(many())
