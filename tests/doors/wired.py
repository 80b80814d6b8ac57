"""A small region with the wires in its frame, an answerer that says what a test wants, and the wire as bytes.

The gate, the store and the ledger are the real ones; nothing here needs knowledge or a model.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from casemate.access import Flow, Gate, Region, Vault, audit
from casemate.accounts import KeyRequest, PersonRequest, add_person, found_owner, issue
from casemate.buckets import Buckets, Gatherer
from casemate.clock import ManualClock
from casemate.doors import anthropic, batch, bedrock, hec, openai, s3
from casemate.doors.frame import App, Table
from casemate.engines.committer_journal import CommitterJournal
from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.engines.key_store_signer import KeptSigner
from casemate.engines.sqlite import Limits, SqliteWriter
from casemate.engines.sqlite_read import SqliteReader
from casemate.errors import Absent, EngineFailed
from casemate.identity import Session
from casemate.ids import DerivedEntropy
from casemate.jobs import Jobs
from casemate.jobs.queues import Queues
from casemate.jobs.reconcile import Reconciler
from casemate.jobs.sites import Site, Sites
from casemate.labels import Label, Policies
from casemate.ledger import Entry
from casemate.models import READER, ByPieces, Card, Catalogue, Chat, Citation, Delta, Gateway, Usage
from casemate.policy import Action
from tests.doors.shelved import Shelved
from tests.jobs.fake import FakeEngine, FakeInputs, FakeScratch

OPEN, SECRET, HIGH = "us:UNCLASSIFIED", "us:SECRET//NOFORN", "us:TOP SECRET//SI//NOFORN"
UPSTREAM = "acme/large"

T = TypeVar("T")
Script = Callable[[Flow, Chat], AsyncIterator[Delta]]


async def two_rungs(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    """An answer in two rungs as an assistant tells it: every character of the text is in the deltas' texts."""
    low = "(U) Extract: “The ferry sails at nine.” [1]"
    high = "(S//NF) Extract: “Le navire caché part à l’aube.” [1]"
    yield Delta(text=low, mark="(U)", label="low", engine=READER)
    yield Delta(mark="(U)", label="low", engine=READER, extract=True, citations=(cited(low, 0, "(U)", "low"),))
    yield Delta(text="\n\n" + high, mark="(S//NF)", label="high", engine=READER)
    start = len(low) + 2
    yield Delta(label="high", engine=READER, extract=True, citations=(cited(high, start, "(S//NF)", "high"),))
    yield Delta(finish="stop", usage=Usage(7, 11))


async def breaks_in_the_middle(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    """An engine that hangs up."""
    yield Delta(text="half a sent")
    raise EngineFailed(engine="large", why="it hung up")


async def never_asked(flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
    """For what must be refused before anybody is asked."""
    raise AssertionError("somebody asked")
    yield Delta()


def cited(text: str, start: int, mark: str, label: str) -> Citation:
    """The citation of a paragraph that ends in `[1]`."""
    return Citation(
        number=1,
        title="Notice été",
        document="doc_a",
        passage=f"psg_{label}",
        mark=mark,
        label=label,
        link=f"/passages/psg_{label}",
        quote=text[text.index("“") + 1 : text.index("”")],
        start=start + len(text) - 3,
        end=start + len(text),
    )


@dataclass
class Answers(ByPieces):
    """The answerer of a test: keeps what it was asked, and follows its script."""

    script: Script = two_rungs
    asked: list[Chat] = field(default_factory=list)
    floors: list[Label] = field(default_factory=list)
    closed: int = 0
    catalogue: Catalogue = field(default_factory=lambda: Catalogue({}))

    async def count(self, flow: Flow, chat: Chat) -> Usage:
        return await Gateway(self.catalogue).count(flow, chat)

    async def vectors(self, flow: Flow, card: Card, texts: Sequence[str]) -> list[list[float]]:
        return await Gateway(self.catalogue).vectors(flow, card, texts)

    async def answer(self, flow: Flow, chat: Chat) -> AsyncIterator[Delta]:
        self.asked.append(chat)
        self.floors.append(flow.floor)
        try:
            async for delta in self.script(flow, chat):
                yield delta
        finally:
            self.closed += 1


class Unused:
    """An engine that no test here calls: the answerer is the test's own."""

    dialect = ""

    def generate(self, *_: object) -> AsyncIterator[Delta]:
        raise AssertionError("nobody asks an engine here")


@dataclass
class Got:
    """A response, and the pieces in which it came."""

    status: int
    headers: dict[str, str]
    pieces: list[bytes]

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """What a stream of server-sent events told."""
        blocks = self.body.decode().split("\n\n")
        assert blocks.pop() == ""
        assert all(block.startswith("data: ") for block in blocks)
        data = [block.removeprefix("data: ") for block in blocks]
        return [one if one == "[DONE]" else json.loads(one) for one in data]

    def marked(self) -> bool:
        """Whether it bears its marking, its label and its entry."""
        return all(self.headers.get(f"casemate-{name}") for name in ("marking", "label", "ledger"))


class Wired:
    """The region and what a test does with it."""

    def __init__(self, folder: Path) -> None:
        policies = Policies.load(("us",))
        agencies = ("EXERCISE",)
        self.region = Region("Port Sable", "EXERCISE", policies.bottom(agencies), policies.top(agencies), policies)
        self.clock = ManualClock()
        self.writer = SqliteWriter(folder / "data" / "records.db", Limits(low_water=0, ballast=0), durable=False)
        self.reader = SqliteReader(folder / "data" / "records.db")
        entropy = DerivedEntropy(b"wires")
        sealer = KeyStore(folder / "keys", entropy, durable=False)
        self.gate = Gate(
            Vault(
                region=self.region,
                reader=self.reader,
                committer=self.writer,
                journal=CommitterJournal(self.writer),
                blobs=FileBlobs(folder / "data" / "blobs", sealer, low_water=0),
                sealer=sealer,
                signer=KeptSigner(folder / "keys", sealer, profile="ed25519", durable=False),
                clock=self.clock,
                entropy=entropy,
            )
        )
        self.answers = Answers()
        self.catalogue = Catalogue(
            {
                READER: Card(READER, READER, "casemate", self.region.ceiling),
                UPSTREAM: Card(UPSTREAM, "large", "acme", self.clearance(SECRET), Unused()),
            }
        )
        self.answers.catalogue = self.catalogue
        self.shelf = Shelved()
        routes = [anthropic.routes(self.gate, self.catalogue, self.answers)]
        routes += [wire.routes(self.gate, self.catalogue, self.answers, self.shelf) for wire in (openai, bedrock)]
        self.buckets = Buckets()
        routes.append(s3.routes(self.buckets))
        self.gatherer = Gatherer(self.gate, self.buckets, hec.SEND, 0.0)
        routes.append(hec.routes(self.gatherer, "events"))
        self.scratch = FakeScratch()
        self.engine = FakeEngine(self.scratch, self.region.ceiling)
        self.sites = Sites({"fake": Site(self.engine, self.scratch)}, "fake")
        self.jobs = Jobs(self.gate, FakeInputs(), self.sites)
        routes.append(batch.routes(self.jobs, Queues(self.gate)))
        planes = [openai.PLANE, bedrock.PLANE, bedrock.AGENT, anthropic.PLANE, s3.PLANE, batch.PLANE, batch.LOGS]
        planes.append(hec.PLANE)
        self.app = App(self.gate, Table([r for own in routes for r in own]), planes)
        asyncio.run(found_owner(self.gate, "owner", "0"))

    def close(self) -> None:
        self.reader.close()
        self.writer.close()

    def label(self, text: str) -> Label:
        return self.region.policies.parse(text) | self.region.floor

    def clearance(self, text: str) -> Label:
        """The label of whoever is cleared to a marking: it dominates everything that the marking may hold."""
        return self.region.policies.clearance(text) | self.region.floor

    def key(
        self, floor: str = SECRET, ceiling: str = "", client: str = "openai", language: str = "en", name: str = "user"
    ) -> tuple[str, str]:
        """A key of a principal cleared to HIGH: its id, and what its holder keeps secret."""

        async def make() -> tuple[str, str]:
            if self.gate.directory.named(name) is None:
                officer = await self.gate.open(self.owner(), Action("add", "principal"), self.region.ceiling)
                await add_person(officer, PersonRequest(name, HIGH))
            found = self.gate.directory.named(name)
            assert found is not None
            session = Session("s", found, self.region.floor, found.clearance, language)
            flow = await self.gate.open(session, Action("issue", "key"))
            key, secret = await issue(flow, KeyRequest(client, floor, ceiling or floor))
            return key.id, secret

        return asyncio.run(make())

    def owner(self) -> Session:
        found = self.gate.directory.named("owner")
        assert found is not None
        return Session("owner", found, self.region.floor, self.region.ceiling)

    def work(self, steps: int = 8, code: int = 0, files: dict[str, bytes] | None = None, ends: bool = True) -> None:
        """What waits begins, and what begins ends with that code and these files, for so many steps of the loop."""

        async def step() -> None:
            loop, at = Reconciler(self.gate, FakeInputs(), self.sites, None, monotonic=lambda: float(at[0])), [0]
            for at[0] in range(steps):
                await loop.step()
                for native in self.engine.all("waiting"):
                    if self.engine.begin(native) and ends:
                        self.engine.end(native, code, files=files)
            await loop.stop()

        asyncio.run(step())

    def entry(self, id: str) -> Entry:
        """The ledger entry of that id, as the owner's auditor sees it."""

        async def read() -> Entry:
            flow = await self.gate.open(self.owner(), Action("read", "ledger"), self.region.ceiling)
            return audit.entry(flow, id).entry

        return _settled(read)

    def ends(self, begun: str) -> list[Entry]:
        """What refers to that BEGIN."""

        async def read() -> list[Entry]:
            flow = await self.gate.open(self.owner(), Action("read", "ledger"), self.region.ceiling)
            return [seen.entry for seen in audit.entries(flow) if seen.entry.ref == begun]

        return _settled(read)

    def exists(self, id: str) -> bool:
        try:
            return bool(self.entry(id))
        except Absent:
            return False

    def send(
        self,
        method: str,
        path: str,
        body: Any = b"",
        headers: Iterable[tuple[str, str]] = (),
        leaves: Callable[[list[bytes]], bool] | None = None,
    ) -> Got:
        """One request through ASGI. `leaves` says, from the pieces so far, when the client hangs up."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return asyncio.run(self._send(method, path, raw, list(headers), leaves))

    async def _send(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: list[tuple[str, str]],
        leaves: Callable[[list[bytes]], bool] | None,
    ) -> Got:
        target, _, query = path.partition("?")
        named = {"host": "region.test", "content-length": str(len(body))} | {k.lower(): v for k, v in headers}
        scope = {
            "type": "http",
            "method": method,
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in named.items()],
            "client": ("127.0.0.1", 5),
        }
        told: dict[str, Any] = {}
        pieces: list[bytes] = []
        gone = asyncio.Event()
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            if leaves is not None and leaves(pieces):
                gone.set()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told.update(message)
            elif message["body"]:
                pieces.append(message["body"])
            if leaves is not None and leaves(pieces):
                gone.set()

        await self.app(scope, receive, send)
        answered = {k.decode("latin-1"): v.decode("latin-1") for k, v in told.get("headers", ())}
        return Got(told.get("status", 0), answered, pieces)


def _settled(read: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What is read once a server in another thread has written what it is about to write."""
    for _ in range(1000):
        try:
            return asyncio.run(read())
        except RuntimeError:  # an entry that waits in the server's loop cannot be waited for in ours
            time.sleep(0.01)
    return asyncio.run(read())


@contextmanager
def wired(folder: Path) -> Iterator[Wired]:
    region = Wired(folder)
    try:
        yield region
    finally:
        region.close()
