"""A world of the two-world law: a whole region in this process, with time and entropy in the law's hand.

Every response is taken apart into what the law compares: status, headers, body and stream boundaries, and the sequence
of calls that the request caused at the store, the ledger and the engines. Excluded are the Date header and the request
id, and nothing else.
"""

from __future__ import annotations

import gc
import itertools
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from casemate.accounts import KeyRequest, PersonRequest, add_person, found_owner, issue
from casemate.clock import ManualClock, iso
from casemate.engines.key_store import KeyStore
from casemate.engines.key_store_signer import KeptSigner
from casemate.identity import Peer, Signed
from casemate.identity.sigv4 import Authorization, signature
from casemate.ids import DerivedEntropy
from casemate.knowledge.reading.extract import Extracted, Paragraph, Part
from casemate.policy import Action
from casemate.wiring import Folder, House, open_house
from tests.laws.trees import ROOT

EXCLUDED = {"date", "x-request-id"}
POLICIES = ("us", "nato", "fr", "tlp", "house")

SETTINGS = """
[region]
name = "law"
agency = "EXERCISE"
policies = [{policies}]
[knowledge]
embedder = "hashing"
[datasets.roots.open]
path = "{root}"
label = "agency=EXERCISE"
"""


class PlainExtractor:
    """Text as the cell gives it, without a child: paragraphs are separated by empty lines."""

    async def extract(self, name: str, data: bytes, domain: str | None = None) -> Extracted:
        paragraphs = [Paragraph(text=p, kind="paragraph") for p in data.decode().split("\n\n") if p.strip()]
        return Extracted(media="text/plain", parts=[Part(title="", key="", pages=[paragraphs])])


@dataclass
class Seen:
    """One response as the law compares it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes, ...]
    calls: tuple[str, ...] = ()

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def header(self, name: str) -> str:
        return dict(self.headers).get(name.lower(), "")


class Recorder:
    """Stands before a port and notes each call by name and by what was asked."""

    def __init__(self, port: Any, name: str, calls: list[str]) -> None:
        self._port, self._name, self._calls = port, name, calls

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._port, attribute)
        if not callable(found):
            return found

        def called(*args: Any, **named: Any) -> Any:
            self._calls.append(f"{self._name}.{attribute}({_shape(args)})")
            return found(*args, **named)

        return called


def _shape(args: tuple[Any, ...]) -> str:
    """What was asked, as far as it may not differ: names, class ids and sizes of batches."""
    told = []
    for arg in args:
        if isinstance(arg, str | int | type(None)):
            told.append(str(arg))
        elif isinstance(arg, list | tuple):
            told.append("[" + ",".join(a if isinstance(a, str) else type(a).__name__ for a in arg) + "]")
        elif hasattr(arg, "puts"):
            told.append(f"batch:{arg.domain}:{len(arg.puts)}:{len(arg.deletes)}:{len(arg.entries)}")
        else:
            told.append(type(arg).__name__)
    return ",".join(told)


@dataclass
class World:
    """A region, its clients' keys, and the clock that only the law moves."""

    house: House
    folder: Path
    clock: ManualClock
    calls: list[str]
    keys: dict[str, str] = field(default_factory=dict)
    signers: dict[str, tuple[str, str]] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    prints: dict[str, str] = field(default_factory=dict)

    @property
    def policies(self) -> Any:
        return self.house.gate.vault.region.policies

    async def person(self, name: str, clearance: str, roles: tuple[str, ...] = ("user",)) -> None:
        """A principal with a key between the region's floor and his clearance."""
        gate = self.house.gate
        owner = gate.admit(Peer(0))
        flow = await gate.open(owner, Action("add", "principal"))
        await add_person(flow, PersonRequest(name, clearance, roles))
        flow = await gate.open(owner, Action("issue", "key"))
        floor = gate.vault.region.floor.text
        _, secret = await issue(flow, KeyRequest(principal=name, floor=floor, ceiling=clearance))
        self.keys[name] = secret
        flow = await gate.open(owner, Action("issue", "key"))
        key, secret = await issue(flow, KeyRequest("boto3", floor, clearance, principal=name))
        self.signers[name] = (key.id, secret)

    async def step(self, *names: str) -> None:
        """One round of the loops named, or of all."""
        for loop in self.house.loops:
            if not names or loop.name in names:
                await loop.step()

    async def call(
        self,
        who: str,
        method: str,
        target: str,
        body: Any = None,
        acting: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        signed: bool = False,
    ) -> Seen:
        """One request through the whole frame."""
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        parts = urlsplit(target)
        sent = [*headers, ("host", "region.test")]
        if signed:
            sent += self._signature(who, method, parts.path, raw, acting)
        elif who in self.keys:
            sent.append(("authorization", f"Bearer {self.keys[who]}"))
        if acting and not signed:
            sent.append(("casemate-acting-label", acting))
        scope = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "raw_path": quote(parts.path, safe="/%:").encode(),
            "query_string": parts.query.encode(),
            "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in sent],
            "client": ("peer", 0) if who == "owner" else ("127.0.0.1", 1),
        }
        return await self._drive(scope, raw)

    def _signature(self, who: str, method: str, path: str, raw: bytes, acting: str) -> list[tuple[str, str]]:
        """The headers that a SigV4 client adds, the acting label among them, since what decides must be signed."""
        key_id, secret = self.signers[who]
        stamp = iso(self.clock.now())[:19].replace("-", "").replace(":", "") + "Z"
        headers = (("casemate-acting-label", acting), ("host", "region.test"), ("x-amz-date", stamp))
        names = tuple(name for name, _ in headers)
        auth = Authorization(key_id, stamp[:8], "law", "bedrock", names, "")
        signed = Signed(key_id, method, path, "", headers, raw, "")
        scope = f"{key_id}/{stamp[:8]}/law/bedrock/aws4_request"
        value = f"Credential={scope}, SignedHeaders={';'.join(names)}, Signature={signature(signed, auth, secret)}"
        return [headers[0], ("x-amz-date", stamp), ("authorization", f"AWS4-HMAC-SHA256 {value}")]

    async def _drive(self, scope: dict[str, Any], raw: bytes) -> Seen:
        self.calls.clear()
        sent: list[dict[str, Any]] = []
        incoming = iter([{"type": "http.request", "body": raw, "more_body": False}])
        await self.house.app(scope, _receiver(incoming), _sender(sent))
        head = sent[0]
        names = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in head["headers"]]
        return Seen(
            head["status"],
            tuple(sorted((n, v) for n, v in names if n not in EXCLUDED)),
            tuple(message["body"] for message in sent[1:]),
            tuple(self.calls),
        )


def _receiver(incoming: Iterator[dict[str, Any]]) -> Callable[[], Awaitable[dict[str, Any]]]:
    import asyncio

    async def receive() -> dict[str, Any]:
        for message in incoming:
            return message
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    return receive


def _sender(sent: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Awaitable[None]]:
    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    return send


def keyed(folder: Folder, seed: int = 0) -> None:
    """Keys such as `init` makes, but of one seed: Ed25519 alone signs the same twice."""
    entropy = DerivedEntropy(seed.to_bytes(8, "big"))
    KeptSigner(folder.keys, KeyStore(folder.keys, entropy, durable=False), "ledger", "ed25519", False, entropy)


_GONE = itertools.count(1)
"""Worlds that have ended. Each is a knot with threads of its own, and a large process is rarely looked through."""


@asynccontextmanager
async def a_world(seed: int = 0, policies: tuple[str, ...] = POLICIES, more: str = "") -> Any:
    """A fresh region with its owner, and `more` in its settings; gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="law-"))
    folder = Folder(path)
    for part in (folder.data, folder.keys, folder.run):
        part.mkdir(mode=0o700)
    settings = SETTINGS.format(root=ROOT, policies=", ".join(f'"{p}"' for p in policies))
    folder.settings_file.write_text(settings + more)
    keyed(folder, seed)
    clock = ManualClock()
    entropy = DerivedEntropy(seed.to_bytes(8, "big"))
    house = await open_house(folder, "all", clock, entropy, durable=False, extractor=PlainExtractor())
    calls: list[str] = []
    _listen(house, calls)
    try:
        await found_owner(house.gate, "owner", "0")
        yield World(house, path, clock, calls)
    finally:
        await house.close()
        house.gate.vault.reader.close()
        shutil.rmtree(path, ignore_errors=True)
        if next(_GONE) % 64 == 0:
            gc.collect()


def _listen(house: House, calls: list[str]) -> None:
    """Put recorders before the ports of the vault; the vault is frozen, so this is done behind its back."""
    vault = house.gate.vault
    for name in ("reader", "committer", "journal", "blobs"):
        object.__setattr__(vault, name, Recorder(getattr(vault, name), name, calls))
