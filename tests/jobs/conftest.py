"""A yard for each test of jobs."""

from __future__ import annotations

import asyncio

import pytest

from tests.attacks.scene import TOP
from tests.jobs.yard import Yard
from tests.laws.world import World


@pytest.fixture
def yard(world: World, runner: asyncio.Runner) -> Yard:
    """With olga and otto, who may go up to the top, and opal, who operates."""
    made = Yard(world)
    for name, roles in (("olga", ("user",)), ("otto", ("user",)), ("opal", ("operator",))):
        runner.run(made.person(name, TOP, *roles))
    return made
