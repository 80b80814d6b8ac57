"""What runs attempts: six methods, no callback, no thread, no pickle. One contract suite holds every engine to them.

    order -> submit(order) -> native id -> poll([...]) -> ended -> collect(token) -> the job's folder

An engine may run an attempt twice, lose what it acknowledged, and give one id to two jobs (each was measured); so it is
asked by our token, the shim claims the folder before it runs anything, and what comes out counts by one commit that is
fenced by attempt and token. The folder is the only thing that engine, shim and region share: docs/bytes/job-folder.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from casemate.access import Ceiling
from casemate.jobs.job import Interactive, Resources, Usage

__all__ = ["Capabilities", "Collected", "Executor", "Folder", "Line", "Mount", "Order", "Polled", "Scratch", "Serve"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A path of the machine that the attempt sees at another, to be read only unless it may be written."""

    source: str
    target: str
    write: bool = False


@dataclass(frozen=True, slots=True)
class Serve:
    """The way in to a service: `port` of its own network, asked at `path` every `every_s` seconds whether it is well.

    `knock`: where the attempt may run on another machine, what both ends of a connection to its node say first, each a
    half; "" for none.
    """

    port: int
    path: str = ""
    every_s: int = 2
    knock: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt, as an engine is asked to run it: everything is decided, nothing is looked up.

    `domain`: the access class at which it runs; an engine keeps those apart. `level`: the least isolation, L1 to L3.
    `folder`: the attempt's folder, where the shim finds its own order. `after`: native ids that the engine itself
    should wait for (empty where the region does). `node`: where the planner wants it.
    """

    token: str
    attempt: int
    domain: str
    folder: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    resources: Resources
    level: Literal["L1", "L2", "L3"] = "L2"
    mounts: tuple[Mount, ...] = ()
    node: str = ""
    grace_s: float = 10.0
    service: bool = False
    serve: Serve | None = None
    interactive: Interactive | None = None
    rootfs: str = ""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Polled:
    """What an engine knows of a native id. `gone`: it knows it no longer; whether it ended, the folder says.

    `told`: what the folder says, where the engine has looked there itself.
    """

    state: Literal["waiting", "running", "ended", "gone"]
    node: str = ""
    reason: str = ""
    token: str = ""
    told: Collected | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What the folder tells once the shim has written its exit record; None where there is none.

    `claimed`: who holds the claim. `alive`: whether its lease still runs. `beat`: seconds since its last beat.
    Of a service: whether it is well, how many connections to it are open, and the node's port where it has one.
    `printed`: the logs in which there may be anything.
    """

    exit: int | None = None
    signal: int = 0
    reason: str = ""
    started: int = 0
    ended: int = 0
    node: str = ""
    level: str = ""
    usage: Usage = field(default_factory=Usage)
    claimed: bool = False
    alive: bool = False
    recorded: bool = False
    healthy: bool = False
    connections: int = 0
    port: int = 0
    printed: tuple[str, ...] = ("out", "err")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`slots`: how many attempts at once for each domain, 0 for as many as it takes. `levels`: what it reaches.

    `services`: whether it keeps what runs until it is stopped. `away`: whether attempts may run on other machines.
    """

    nodes: int = 1
    slots: int = 0
    gpus: int = 0
    levels: tuple[str, ...] = ("L1",)
    mpi: bool = False
    services: bool = False
    away: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


class Executor(Protocol):
    """An engine. `ceiling`: what may be lent to it."""

    @property
    def name(self) -> str: ...

    @property
    def ceiling(self) -> Ceiling: ...

    async def capabilities(self) -> Capabilities:
        """What it can do now. Raises EngineFailed where it does not answer."""
        ...

    async def submit(self, order: Order) -> str:
        """Have it run; the engine's own id. The same token again gives the same attempt. Raises EngineFailed."""
        ...

    async def find(self, domain: str, token: str) -> Sequence[str]:
        """The native ids that bear this token and that the engine still knows."""
        ...

    async def poll(self, domain: str, natives: Sequence[str]) -> Mapping[str, Polled]:
        """All of them in one call; an id that is missing is `gone`."""
        ...

    async def cancel(self, domain: str, native: str, grace_s: float) -> None:
        """Asked to end (SIGTERM), and ended after so many seconds. One that has ended is no error."""
        ...

    async def close(self) -> None:
        """Let go of what belongs to this process; what runs goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """An attempt's folder: absolute paths as the region's own processes see them."""

    path: str
    inputs: str
    outputs: str
    work: str
    logs: str


class Line(Protocol):
    """Bytes to and from a program that runs."""

    async def send(self, data: bytes) -> None:
        """To it; what it does not take any more is lost."""
        ...

    async def receive(self) -> bytes:
        """From it; empty once it has nothing more to say."""
        ...

    def finish(self) -> None:
        """Nothing more is sent."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Scratch(Protocol):
    """Where attempts' folders lie: plain bytes while a job runs, so they are removed as soon as it is sealed."""

    async def make(self, domain: str, token: str) -> Folder:
        """A folder of mode 0700, durable. Making it again is no error. Raises StorageFull."""
        ...

    def at(self, domain: str, token: str) -> Folder:
        """Where the folder is, or will be once it has been made."""
        ...

    async def order(self, folder: Folder, order: Order) -> None:
        """Write the shim's order, durable before this returns; the folder is made where it is not there yet."""
        ...

    async def fill(self, folder: Folder, name: str, data: bytes) -> str:
        """Append to the input file of that name; its path."""
        ...

    async def collected(self, domain: str, token: str) -> Collected:
        """What the folder tells now."""
        ...

    async def stop(self, domain: str, token: str, reason: str) -> None:
        """Ask the shim, through the folder, to end the job."""
        ...

    async def outputs(self, domain: str, token: str, path: str, most: int) -> Sequence[tuple[str, int]]:
        """Regular files below /out/PATH, names relative to it and sizes; links are left out. Raises TooLarge."""
        ...

    async def read(self, domain: str, token: str, under: str, name: str, at: int, most: int) -> bytes:
        """Bytes of a file of `out` or `log`; follows no link. Empty behind its end."""
        ...

    async def line(self, domain: str, token: str, name: str) -> Line:
        """A line to what the attempt serves under that name. Raises Absent; EngineFailed where it runs elsewhere."""
        ...

    async def carry(self, domain: str, former: str, token: str, path: str, most: int) -> bool:
        """Copy out/PATH of a former attempt into this one's folder, following no link; whether there was such a thing.

        At most `most` bytes. Raises TooLarge, BadInput, StorageFull.
        """
        ...

    async def fence(self, domain: str, token: str) -> None:
        """Make sure that no shim begins any more: whoever comes to claim it finds it claimed."""
        ...

    async def remove(self, domain: str, token: str) -> None:
        """Gone, with everything in it."""
        ...

    async def known(self, domain: str) -> Sequence[str]:
        """The tokens of every folder that is there."""
        ...
