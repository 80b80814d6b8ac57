"""Attempts on a Slurm cluster, by its own command line: sbatch, squeue, scancel. See docs/operations.md.

    submit   find by name (one squeue for all that are submitted together) -> sbatch, the shim in a script -> ID.TOKEN
    poll     one squeue for all of a label domain; an id that bears another name is gone

Slurm loses jobs that it has acknowledged (it saves its state every five seconds) and then gives their ids again, so a
job is looked for by its name, which is our token, and never by its id alone. Each label domain is a user of the
cluster (or, from 24.11, an MCS label), and no node runs jobs of two. What must never happen: a job of another domain
told, ended or waited for; another attempt's job adopted; a job submitted where labels would share a node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from casemate.access import Ceiling
from casemate.engines.executor_slurm_run import Commands, User
from casemate.engines.executor_slurm_text import (
    FORMAT,
    NODE,
    Row,
    config,
    failure,
    kept_apart,
    native,
    nodes,
    options,
    parted,
    polled,
    rows,
    script,
    version,
)
from casemate.errors import EngineFailed
from casemate.jobs.executor import Capabilities, Order, Polled
from casemate.jobs.plan import Node

__all__ = ["Lane", "SlurmExecutor"]

_NAMED = 1000  # names in one argument; beyond, squeue tells of all
_PATIENCE = 5.0  # seconds beyond a job's grace before Slurm ends it itself


@dataclass(frozen=True, slots=True)
class Lane:
    """How jobs of one label domain run: as which user of the cluster ("" for the region's own), in which partition."""

    user: str = ""
    partition: str = ""


@dataclass(slots=True)
class _Round:
    """Tokens of one domain that are looked for together."""

    tokens: set[str] = field(default_factory=set)
    task: asyncio.Task[list[Row]] | None = None


class SlurmExecutor:
    """Implements `jobs.executor.Executor`. `lanes` by domain: no other is served.

    `shim`: the command that runs a folder, as the nodes see it; the folder is added. `programs`: where Slurm's own lie.
    `conf`: the path of slurm.conf, "" where the programs know it. `levels`: what the shim reaches on the nodes.
    `seconds`: how long one of the programs may take. `keeps`: for how long what squeue has said may be told again to
    whoever asks for the same, and four times as long what there is to run on: each question is a program that starts.
    """

    def __init__(
        self,
        name: str,
        ceiling: Ceiling,
        lanes: Mapping[str, Lane],
        shim: Sequence[str],
        *,
        programs: str = "/usr/bin",
        conf: str = "",
        levels: tuple[str, ...] = ("L1", "L2"),
        seconds: float = 30.0,
        keeps: float = 0.0,
    ) -> None:
        self._keeps = keeps
        self._told: dict[str, tuple[float, dict[str, Polled]]] = {}
        self._able: tuple[float, Capabilities] | None = None
        self._rounds: dict[str, _Round] = {}
        self._asking: dict[str, asyncio.Lock] = {}
        self._name, self._ceiling, self._levels = name, ceiling, levels
        self._lanes, self._shim = dict(lanes), tuple(shim)
        self._run, self._srun = Commands(name, programs, conf, seconds), f"{programs}/srun"
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # as long as somebody waits
        self._ending: set[asyncio.Task[None]] = set()
        self._apart = ""
        self._facts: dict[str, str] = {}
        self._nodes: dict[str, tuple[Node, ...]] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def ceiling(self) -> Ceiling:
        return self._ceiling

    async def capabilities(self) -> Capabilities:
        """Nodes and GPUs of the partitions; `facts`: version, and what keeps labels apart.

        Raises EngineFailed where it does not answer, or where labels would share its nodes.
        """
        at = asyncio.get_running_loop().time()
        if self._able is not None and at - self._able[0] < 4 * self._keeps:
            return self._able[1]
        await self._look()
        found: dict[str, tuple[Node, ...]] = {}
        for domain, lane in self._lanes.items():
            named = (f"--partition={lane.partition}",) if lane.partition else ()
            printed = await self._run.told(self._lane(domain)[1], "sinfo", "-h", "-N", *named, "-o", NODE)
            found[domain] = nodes(printed, domain)
        self._nodes = found
        every = {node.name: node.gpus for some in found.values() for node in some}
        able = Capabilities(
            nodes=len(every),
            gpus=sum(every.values()),
            levels=self._levels,
            mpi=True,
            services=True,
            away=True,
            facts=self._facts,
        )
        self._able = (at, able)
        return able

    def nodes(self, domain: str, told: Capabilities) -> Sequence[Node]:
        """What a label may be placed on, as `capabilities` has found it last: the nodes of its partition that work.

        Slurm sees one user for a label, so the order among people is the region's planner's, and each job names its
        nodes. Give each label a partition of its own, and what runs above never makes one below wait.
        """
        del told
        return self._nodes.get(domain, ())

    async def submit(self, order: Order) -> str:
        """Its name makes it one: where squeue knows the token, that is the job. Raises EngineFailed."""
        lane, user = self._lane(order.domain)
        if not self._apart:
            await self._look()
        turn = self._turns.setdefault(order.token, asyncio.Lock())
        async with turn:
            if known := await self._found(order.domain, order.token):
                return known[0].native
            after = await self._still(order.domain, order.after)
            arguments = options(self._name, order, lane.partition, self._separating(order.domain), after)
            wants = order.resources
            seats = wants.nodes - 1 if wants.network == "host" and order.level != "L1" else 0
            batch = script(self._shim, order.folder, seats, self._srun)
            printed = await self._run.told(user, "sbatch", *arguments, given=batch)
        id = printed.strip().partition(";")[0]  # "ID" or "ID;CLUSTER"
        if not id.isdigit():
            raise EngineFailed(engine=self._name, why="sbatch did not tell the job's id: is it a wrapper?")
        return native(id, order.token)

    async def find(self, domain: str, token: str) -> Sequence[str]:
        """By name, in the order of their ids; Slurm remembers what has ended for MinJobAge."""
        return [row.native for row in await self._known(domain, [token])]

    async def poll(self, domain: str, natives: Sequence[str]) -> Mapping[str, Polled]:
        """One squeue. Raises EngineFailed where it does not answer: then nothing is gone."""
        if not natives:
            return {}
        at, (before, told) = asyncio.get_running_loop().time(), self._told.get(domain, (0.0, {}))
        if at - before < self._keeps and told.keys() >= set(natives):
            return {one: told[one] for one in natives}
        tokens = {parted(one)[1] for one in natives} - {""}
        known = {row.native: polled(row) for row in await self._known(domain, sorted(tokens))}
        found = {one: known.get(one, Polled("gone", token=parted(one)[1])) for one in natives}
        self._told[domain] = (at, found)
        return found

    async def cancel(self, domain: str, native: str, grace_s: float) -> None:
        """SIGTERM to the shim, which gives the job its grace; behind it the whole job is ended. Raises EngineFailed."""
        _, user = self._lane(domain)
        self._told.pop(domain, None)
        id, token = parted(native)
        known = await self._known(domain, [token])
        if not any(row.native == native and polled(row).state != "ended" for row in known):
            return
        named = (f"--name=cm-{token}", id)  # both: an id alone could be another job by now
        await self._scancel(user, "--state=PENDING", *named)
        await self._scancel(user, "--batch", "--signal=TERM", *named)
        ending = asyncio.create_task(self._end(domain, native, grace_s + _PATIENCE))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Nobody waits any more for the grace of cancelled jobs to end: their shims hold it themselves."""
        for task in list(self._ending):
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    # ---- what the six stand on --------------------------------------------------------------------------------------

    def _lane(self, domain: str) -> tuple[Lane, User]:
        lane = self._lanes.get(domain)
        if lane is None:
            why = "it runs no jobs of this label: give it a user in `labels`"
            raise EngineFailed(cause="rejected", engine=self._name, why=why)
        try:
            return lane, User.named(lane.user)
        except KeyError:
            why = "this machine does not know a user of `labels`: make it here and on every node, with one number"
            raise EngineFailed(cause="denied", engine=self._name, why=why) from None

    def _some_user(self) -> User:
        return self._lane(next(iter(self._lanes)))[1]

    async def _look(self) -> None:
        """Its version, and how labels are kept apart: without that nothing is submitted."""
        user = self._some_user()
        try:
            told = version(await self._run.told(user, "sbatch", "--version"))
        except ValueError:
            raise EngineFailed(engine=self._name, why="sbatch does not tell its version: is it a wrapper?") from None
        settings = config(await self._run.told(user, "scontrol", "show", "config"))
        users = [self._lane(domain)[1].uid for domain in self._lanes]
        self._apart = apart = kept_apart(settings, told, users, list(self._lanes))
        if not apart:
            why = (
                "labels would share its nodes: give each label a user of its own in `labels`, "
                "or run Slurm 24.11 with MCSPlugin=mcs/label and MCSParameters=enforced"
            )
            raise EngineFailed(cause="rejected", engine=self._name, why=why)
        private = "yes" if "jobs" in settings.get("PrivateData", "").split(",") else "no"
        self._facts = {"version": f"{told[0]}.{told[1]:02}", "apart": apart, "private": private}

    def _separating(self, domain: str) -> list[str]:
        if self._apart == "user":
            return ["--exclusive=user"]
        return ["--exclusive=mcs", *([f"--mcs-label=cm-{domain}"] if self._apart == "label" else [])]

    async def _found(self, domain: str, token: str) -> list[Row]:
        """The rows of a token, asked for after this was called: one squeue for all who ask while another one runs."""
        one = self._rounds.get(domain)
        if one is None or one.task is None:
            one = self._rounds[domain] = _Round()
            one.task = asyncio.create_task(self._together(domain, one))
        one.tokens.add(token)
        return [row for row in await asyncio.shield(one.task) if row.token == token]

    async def _together(self, domain: str, one: _Round) -> list[Row]:
        async with self._asking.setdefault(domain, asyncio.Lock()):
            del self._rounds[domain]
            return await self._known(domain, sorted(one.tokens))

    async def _known(self, domain: str, tokens: Sequence[str]) -> list[Row]:
        """The rows of these tokens, by id."""
        _, user = self._lane(domain)
        wanted = set(tokens)
        names = [f"--name={','.join(f'cm-{token}' for token in tokens)}"] if len(tokens) <= _NAMED else []
        printed = await self._run.told(
            user, "squeue", "-h", "-a", "--states=all", f"--user={user.uid}", *names, "-o", FORMAT
        )
        return sorted((row for row in rows(printed, domain) if row.token in wanted), key=lambda row: int(row.id))

    async def _still(self, domain: str, after: Sequence[str]) -> list[str]:
        """The ids among these that have not ended: one that has may be another job's by now."""
        states = await self.poll(domain, after)
        return [parted(one)[0] for one in after if states[one].state in ("waiting", "running")]

    async def _scancel(self, user: User, *arguments: str) -> None:
        worked = await self._run(user, "scancel", *arguments)
        # "Invalid job id", "already completing": it has ended between two looks.
        if worked.code and not ("invalid job id" in worked.said.lower() or "already compl" in worked.said.lower()):
            raise failure(self._name, "scancel", worked.code, worked.said)

    async def _end(self, domain: str, native: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        id, token = parted(native)
        with suppress(EngineFailed):  # whoever asked asks again where the job does not end
            await self._scancel(self._lane(domain)[1], f"--name=cm-{token}", id)
