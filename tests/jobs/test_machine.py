"""Any course of things: jobs are asked for, cancelled, run, lost, doubled and forgotten, and the loop is killed.

Held at each step: no job goes back, what has ended stays, at most one attempt's outputs are kept; and in the end each
job that was acknowledged has ended, with the program of each token begun at most once.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from casemate.jobs import After, Array, Job, Output, Retry, Spec, life
from tests.jobs.yard import Killed, Yard
from tests.laws.world import a_world

KEPT = (Output("all", ""),)


class Machine(RuleBasedStateMachine):
    """A yard, and what was acknowledged in it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.seen: dict[str, Job] = {}

    @initialize()
    def begin(self) -> None:
        world = self.runner.run(self.stack.enter_async_context(a_world(0, ("us",))))
        self.yard = Yard(world, slots=3)
        self.runner.run(self.yard.person("olga"))

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    @rule(attempts=st.integers(1, 3), array=st.sampled_from((0, 0, 0, 3)), waits=st.booleans())
    def submit(self, attempts: int, array: int, waits: bool) -> None:
        after = (After(next(iter(self.seen)), "afterany"),) if waits and self.seen else ()
        spec = Spec(("true",), retry=Retry(attempts), array=Array(array), after=after, outputs=KEPT)
        found = self.do(self.yard.submit(spec))
        self.seen[found.id] = found.value

    @rule(times=st.integers(1, 3), seconds=st.sampled_from((0.1, 6.0)))
    def step(self, times: int, seconds: float) -> None:
        self.do(self.yard.step(times, seconds))

    @rule(point=st.sampled_from(("durable", "staged", "submitted")))
    def killed(self, point: str) -> None:
        self.yard.kill_at = point
        try:
            self.do(self.yard.step())
        except* Killed:
            pass
        self.yard.kill_at = ""
        self.yard.restart()

    @rule()
    def restarted(self) -> None:
        self.yard.restart()

    @rule(pick=st.integers(0, 9))
    def cancel(self, pick: int) -> None:
        if self.seen:
            self.do(self.yard.cancel(sorted(self.seen)[pick % len(self.seen)]))

    @rule(pick=st.integers(0, 9))
    def starts(self, pick: int) -> None:
        waiting = self.yard.engine.all("waiting")
        waiting = [one for one in waiting if one in self.yard.engine.known]
        if waiting:
            self.yard.engine.begin(waiting[pick % len(waiting)])

    @rule(pick=st.integers(0, 9), code=st.sampled_from((0, 0, 1)))
    def ends(self, pick: int, code: int) -> None:
        running = self.yard.engine.all("running")
        if running:
            native = running[pick % len(running)]
            token = self.yard.engine.known[native][1]
            self.yard.engine.end(native, code, files={"by": token.encode()})

    @rule(pick=st.integers(0, 9))
    def dies(self, pick: int) -> None:
        running = self.yard.engine.all("running")
        if running:
            self.yard.engine.die(running[pick % len(running)])

    @rule(forget=st.booleans(), twice=st.booleans(), down=st.booleans())
    def engine(self, forget: bool, twice: bool, down: bool) -> None:
        self.yard.engine.forget, self.yard.engine.twice, self.yard.engine.down = forget, twice, down

    @rule(seconds=st.sampled_from((3600, -3600)))
    def jump(self, seconds: int) -> None:
        self.yard.world.clock.forward(seconds)

    @invariant()
    def nothing_goes_back(self) -> None:
        for id, before in self.seen.items():
            now = self.do(self.yard.job(id))
            assert life.progress(now) >= life.progress(before)
            if before.open == "no":
                assert now == before
            for kept in now.artefacts:
                assert kept.name == "all/by"
            self.seen[id] = now
        assert all(times == 1 for times in self.yard.engine.ran.values())

    def teardown(self) -> None:
        if hasattr(self, "yard"):
            engine = self.yard.engine
            engine.forget = engine.twice = engine.down = False
            for native in engine.all("running"):
                engine.die(native)
            self.do(self.yard.settle(most=40))
            for id in self.seen:
                job = self.do(self.yard.job(id))
                assert job.open == "no", (id, job.state, self.yard.reconciler.problems)
            assert not self.yard.scratch.spots, "no folder stays"
        self.runner.run(self.stack.aclose())
        self.runner.close()


Machine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestMachine = Machine.TestCase
