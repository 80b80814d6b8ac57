"""A region with the fake engine: what the tests of jobs share."""

from __future__ import annotations

from casemate.access import Flow
from casemate.identity import Session
from casemate.jobs import Job, Jobs, Spec
from casemate.jobs.reconcile import Reconciler
from casemate.jobs.sites import Site, Sites
from casemate.objects import Found
from casemate.policy import Action
from tests.attacks.scene import SECRET, TOP, flow_of, label_of
from tests.jobs.fake import FakeEngine, FakeInputs, FakeScratch
from tests.laws.world import World

__all__ = ["SPEC", "Killed", "Yard"]

SPEC = Spec(("true",))


class Killed(BaseException):
    """The process ends here."""


class Yard:
    """The room in a world, with a clock of its own for the loop. `kill_at`: the point at which the loop is killed."""

    def __init__(self, world: World, slots: int = 4, who: str = "olga") -> None:
        self.world = world
        self.who = who
        self.scratch = FakeScratch()
        self.engine = FakeEngine(self.scratch, label_of(world, TOP), slots)
        self.inputs = FakeInputs()
        self.sites = Sites({"fake": Site(self.engine, self.scratch)}, "fake")
        self.at = 1000.0
        self.kill_at = ""
        self.restart()

    def restart(self) -> None:
        """A new process: nothing is remembered."""
        gate = self.world.house.gate
        self.reconciler = Reconciler(gate, self.inputs, self.sites, None, self._passed, lambda: self.at)
        self.jobs = Jobs(gate, self.inputs, self.sites, self.reconciler)

    def _passed(self, point: str) -> None:
        if point == self.kill_at:
            self.kill_at = ""
            raise Killed(point)

    async def person(self, name: str, clearance: str = TOP, *roles: str) -> None:
        """Somebody whom the region knows."""
        await self.world.person(name, clearance, roles or ("user",))

    async def flow(self, action: str, who: str = "", at: str = SECRET) -> Flow:
        gate = self.world.house.gate
        known = gate.directory.named(who or self.who)
        assert known is not None
        session = Session(f"ses-{known.name}", known, gate.vault.region.floor, known.clearance)
        return await flow_of(self.world, session, Action(action, "job"), at)

    async def submit(self, spec: Spec = SPEC, key: str = "", who: str = "", at: str = SECRET) -> Found[Job]:
        return await self.jobs.submit(await self.flow("submit", who, at), spec, key)

    async def job(self, id: str, at: str = SECRET) -> Job:
        return (await self.jobs.named(await self.flow("read", "", at), id)).value

    async def cancel(self, id: str, who: str = "") -> None:
        await self.jobs.cancel(await self.flow("cancel", who), id, "no longer wanted")

    async def step(self, times: int = 1, seconds: float = 0.1) -> None:
        for _ in range(times):
            self.at += seconds
            await self.reconciler.step()

    async def settle(self, code: int = 0, most: int = 60) -> None:
        """Everything that begins ends, until nothing moves."""
        for _ in range(most):
            await self.step(1, 1.0)
            for native in self.engine.all("waiting"):
                if native in self.engine.known and self.engine.begin(native):
                    self.engine.end(native, code)
