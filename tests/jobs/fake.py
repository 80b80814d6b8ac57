"""An engine and its scratch in memory, with switches for everything that engines were measured to do wrong.

Time stands still: an attempt goes on when the test says so. What a program does is a function of its token.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from casemate.access import Ceiling, Flow
from casemate.errors import Absent, EngineFailed, FileChanged, StorageFull, TooLarge
from casemate.jobs import (
    Capabilities,
    Collected,
    Folder,
    Input,
    Looked,
    Mount,
    Order,
    Polled,
    Usage,
)
from casemate.jobs.executor import Line
from casemate.labels import Label
from casemate.objects import Ref

__all__ = ["FakeEngine", "FakeInputs", "FakeScratch", "Spot"]


@dataclass
class Spot:
    """An attempt's folder."""

    order: Order | None = None
    claimed: bool = False
    fenced: bool = False
    alive: bool = False
    healthy: bool = False
    record: Collected | None = None
    stopped: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    inputs: dict[str, bytes] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)


class FakeScratch:
    """`spots` by class and token."""

    def __init__(self) -> None:
        self.spots: dict[tuple[str, str], Spot] = {}
        self.removed: list[str] = []
        self.full = False

    async def make(self, domain: str, token: str) -> Folder:
        self.spots.setdefault((domain, token), Spot())
        return self.at(domain, token)

    def at(self, domain: str, token: str) -> Folder:
        return Folder(f"/scratch/{domain}/{token}", "in", "out", "work", "log")

    async def order(self, folder: Folder, order: Order) -> None:
        self.spots.setdefault((order.domain, order.token), Spot()).order = order

    async def fill(self, folder: Folder, name: str, data: bytes) -> str:
        domain, token = folder.path.rsplit("/", 2)[1:]
        spot = self.spots.get((domain, token))
        if spot is None:
            raise Absent(kind="folder", id=token)
        if self.full and name in spot.inputs:
            raise StorageFull
        spot.inputs[name] = spot.inputs.get(name, b"") + data
        return f"in/{name}"

    async def collected(self, domain: str, token: str) -> Collected:
        spot = self.spots.get((domain, token))
        if spot is None:
            return Collected()
        if spot.fenced:
            return Collected(claimed=True)
        return spot.record or Collected(claimed=spot.claimed, alive=spot.alive, healthy=spot.healthy, node="here")

    async def stop(self, domain: str, token: str, reason: str) -> None:
        spot = self.spots.get((domain, token))
        if spot is not None:
            spot.stopped = reason

    async def outputs(self, domain: str, token: str, path: str, most: int) -> Sequence[tuple[str, int]]:
        spot = self.spots[(domain, token)]
        if path and path in spot.files:
            return [("", len(spot.files[path]))]
        prefix = f"{path}/" if path else ""
        found = [(name.removeprefix(prefix), len(data)) for name, data in spot.files.items() if name.startswith(prefix)]
        found = [one for one in found if not one[0].startswith("log:")]
        if path and not found:
            raise Absent(kind="file", id=path)
        return sorted(found)

    async def read(self, domain: str, token: str, under: str, name: str, at: int, most: int) -> bytes:
        spot = self.spots.get((domain, token))
        if spot is None:
            raise Absent(kind="folder", id=token)
        data = spot.files.get(f"log:{name}" if under == "log" else name, b"")
        return data[at : at + most]

    async def line(self, domain: str, token: str, name: str) -> Line:
        spot = self.spots.get((domain, token))
        line = None if spot is None else spot.lines.get(name)
        if line is None:
            raise Absent(kind="line", id=name)
        return line

    async def carry(self, domain: str, former: str, token: str, path: str, most: int) -> bool:
        files = self.spots.get((domain, former), Spot()).files
        found = {name: data for name, data in files.items() if name == path or name.startswith(f"{path}/")}
        if sum(map(len, found.values())) > most:
            raise TooLarge(what="bytes", limit=most)
        self.spots[(domain, token)].files.update(found)
        return bool(found)

    async def fence(self, domain: str, token: str) -> None:
        if self.full:
            raise StorageFull
        self.spots.setdefault((domain, token), Spot()).fenced = True

    async def remove(self, domain: str, token: str) -> None:
        if self.spots.pop((domain, token), None) is not None:
            self.removed.append(token)

    async def known(self, domain: str) -> Sequence[str]:
        return [token for kind, token in self.spots if kind == domain]


class FakeEngine:
    """`forget`: acknowledges what it then knows nothing of. `twice`: runs each attempt twice. `down`: does not answer.

    `ran` counts the programs that have begun, by token: the folder lets one of each through.
    """

    name = "fake"

    def __init__(
        self, scratch: FakeScratch, label: Label, slots: int = 4, levels: tuple[str, ...] = ("L1", "L2")
    ) -> None:
        self.scratch = scratch
        self.ceiling = Ceiling("fake", label)
        self.slots, self.levels = slots, levels
        self.known: dict[str, tuple[str, str]] = {}
        self.states: dict[str, str] = {}
        self.ran: dict[str, int] = {}
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.forget = self.twice = self.down = False
        self.node = ""
        self.broken = ""
        self.count = 0

    async def capabilities(self) -> Capabilities:
        self._up()
        return Capabilities(slots=self.slots, levels=self.levels)

    async def submit(self, order: Order) -> str:
        self._up()
        for native, key in self.known.items():
            if key == (order.domain, order.token) and not self.twice:
                return native
        self.count += 1
        native = f"n{self.count}"
        self.submitted.append(order.token)
        if not self.forget:
            self.known[native] = (order.domain, order.token)
            self.states[native] = "waiting"
        return native

    async def find(self, domain: str, token: str) -> Sequence[str]:
        self._up()
        return [native for native, key in self.known.items() if key == (domain, token)]

    async def poll(self, domain: str, natives: Sequence[str]) -> Mapping[str, Polled]:
        self._up()
        if domain == self.broken:
            raise ValueError(domain)
        return {
            native: Polled(self.states[native], self.node, token=self.known[native][1])  # type: ignore[arg-type]
            for native in natives
            if native in self.known
        }

    async def cancel(self, domain: str, native: str, grace_s: float) -> None:
        self.cancelled.append(native)
        if self.states.get(native) == "waiting":
            self.states[native] = "ended"

    async def close(self) -> None:
        return

    def _up(self) -> None:
        if self.down:
            raise EngineFailed("down", engine=self.name)

    def spot(self, native: str) -> Spot:
        return self.scratch.spots[self.known[native]]

    def begin(self, native: str) -> bool:
        """The shim of an attempt starts; whether it was let in."""
        spot = self.scratch.spots.get(self.known[native])
        if spot is None or spot.claimed or spot.fenced or self.states[native] != "waiting":
            self.states[native] = "ended"
            return False
        spot.claimed = spot.alive = True
        self.states[native] = "running"
        token = self.known[native][1]
        self.ran[token] = self.ran.get(token, 0) + 1
        return True

    def end(
        self, native: str, code: int = 0, reason: str = "", signal: int = 0, files: Mapping[str, bytes] | None = None
    ) -> None:
        """Its record is written."""
        spot = self.scratch.spots.get(self.known[native])
        self.states[native] = "ended"
        if spot is None:
            return  # nobody sees what a zombie writes
        spot.files.update(files or {})
        spot.alive = False
        spot.record = Collected(
            exit=code, signal=signal, reason=reason, started=1, ended=2, node="fake", level="L2",
            usage=Usage(1000, 2_000_000, 512), claimed=True, recorded=True,
        )  # fmt: skip

    def die(self, native: str) -> None:
        """The shim is killed: no record, no beat."""
        spot = self.scratch.spots.get(self.known[native])
        self.states[native] = "ended"
        if spot is not None:
            spot.alive = False

    def reuse(self, native: str, token: str) -> None:
        """The engine gives an id to another job."""
        domain, _ = self.known[native]
        self.known[native] = (domain, token)

    def all(self, *states: str) -> list[str]:
        return [native for native, state in self.states.items() if state in states]


@dataclass
class FakeInputs:
    """`things`: by source, what it is and at which label it lies; what is not dominated is not there."""

    things: dict[str, tuple[Label, bytes]] = field(default_factory=dict)
    changed: bool = False
    read_at: list[tuple[str, Label]] = field(default_factory=list)
    ref: Callable[[str], tuple[Ref, ...]] = lambda source: ()

    async def look(self, flow: Flow, input: Input) -> Looked:
        if input.source not in self.things or not self.things[input.source][0] <= flow.acting:
            raise Absent(kind="input", id=input.source)
        data = self.things[input.source][1]
        return Looked(input, self.ref(input.source), str(hash(data)), len(data))

    async def mounts(self, flow: Flow, looked: Looked) -> tuple[Mount, ...]:
        if self.changed:
            raise FileChanged(dataset="d", file="f", why="size")
        return ()

    async def read(self, flow: Flow, looked: Looked) -> AsyncIterator[tuple[str, bytes]]:
        self.read_at.append((looked.input.source, flow.acting))
        data = self.things[looked.input.source][1]
        yield "", data[:2]
        yield "", data[2:]
