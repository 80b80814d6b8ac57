"""`make demo-airgap`: three regions with no route between them, and what rises and falls between them.

    UNCLASSIFIED  ==volumes, one disc lost==>  SECRET  ==one-way link, 2 % lost==>  TOP SECRET
                                               SECRET  <==one paragraph, two people==  (inside the second region)

Prints a table of steps with what was measured; ends with another code than 0 where one failed. Each region runs in a
network namespace without any link, and the one-way link is a real wire, where the machine allows them; else it is told.
"""

from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import _pytest.outcomes
import msgspec

from casemate.crypto import generate
from casemate.engines.transfer_yard import FolderYard
from casemate.identity.approval import Statement, sign, sign_offer
from casemate.labels import Policies
from casemate.transfer.region import Content, Outgoing, Packing
from casemate.transfer.region.channel import DOCUMENT_TYPE
from tests.engines.one_way import CASEMATE, HIGH, OneWay, one_way, until
from tests.transfer.staged import Staged, alone, staged

TEXTS = {
    "pier.txt": "The pier lies north of the harbour.\n\nThe ferry goes at dawn.",
    "storm.txt": "The storm reaches the lantern at noon.\n\nRations are at the cable house.",
}
PARAGRAPH = "The ferry goes at dawn; the pier is open."
FLOORS = {"low": "", "mid": "us:SECRET", "top": "us:TOP SECRET"}
LOSS = 20  # of a thousand datagrams
CHANNELS = "/api/transfer/channels"


class Table:
    """What was tried, whether it went as it should, and what was measured."""

    def __init__(self) -> None:
        self.failed = 0

    def step(self, said: str, deed: Callable[[], str]) -> None:
        begun = time.monotonic()
        try:
            told, good = deed(), True
        except (AssertionError, RuntimeError, OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
            told, good = f"{type(error).__name__}: {error}"[:300], False
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'}  {said:58}  {time.monotonic() - begun:6.1f} s  {told}", flush=True)


def main() -> int:
    """0 where every step went as it should."""
    table, into = Table(), alone()
    with tempfile.TemporaryDirectory(prefix="airgap-") as name, ExitStack() as stack:
        folder = Path(name)
        low, mid, top = (stack.enter_context(staged(name, folder, floor, into)) for name, floor in FLOORS.items())
        for region in (low, mid, top):
            known(region)
        table.step("three regions, and no way between them", lambda: apart(low, mid, top, bool(into)))
        table.step("a model and two documents come into UNCLASSIFIED", lambda: filled(low))
        table.step("a channel to SECRET: two cards carried by hand", lambda: introduced(low, mid, folder))
        bundle = folder / "one.cmb"
        table.step("they leave as one sealed bundle", lambda: sent(low, members(low), bundle))
        table.step("four volumes, one of them lost, give it back", lambda: lost_a_disc(low, bundle, folder))
        table.step("a changed byte is refused", lambda: changed(mid, bundle, folder))
        table.step("a bundle by somebody else's key is refused", lambda: forged(low, mid, folder))
        table.step("SECRET adopts all of it", lambda: adopted(mid, folder / "joined.cmb"))
        table.step("the same bundle again is refused", lambda: refused(mid, folder / "joined.cmb", "seen"))
        table.step("a channel to TOP SECRET", lambda: introduced(mid, top, folder))
        second = folder / "two.cmb"
        table.step("the same objects leave again, higher", lambda: sent(mid, members(mid), second))
        table.step(f"the one-way link, {LOSS / 10} % lost", lambda: linked(top, second, folder))
        table.step("TOP SECRET adopts what lies in its inbox", lambda: came(top))
        table.step("one paragraph goes down, by two people", lambda: released(mid, folder))
    print(f"{table.failed} steps failed" if table.failed else "all steps went as they should")
    return int(table.failed > 0)


def known(region: Staged) -> None:
    region.ceiling = region.owner().get("/api/region").label
    policies = Policies.load(("us",))
    bottom = policies.bottom({"DEMO"})
    region.floor = (policies.parse(FLOORS[region.name]) | bottom if FLOORS[region.name] else bottom).text
    for who, roles in (
        ("ann", ("user", "operator")),
        ("ben", ("releaser", "user")),
        ("carl", ("releaser", "user")),
    ):
        region.person(who, *roles)


def apart(low: Staged, mid: Staged, top: Staged, walled: bool) -> str:
    if not walled:
        return "NO NAMESPACES HERE: the regions share this machine's loopback"
    for region in (low, mid, top):
        assert region.links() == ["lo"], region.links()
    return "each sees its own loopback and no other device"


def filled(low: Staged) -> str:
    header = json.dumps({"w": {"dtype": "U8", "shape": [1 << 20], "data_offsets": [0, 1 << 20]}}).encode()
    file = low.place.path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(1 << 20))
    low.ok("models", "import", file, "--name", "small", "--label", low.floor)
    for name, text in TEXTS.items():
        query = {"name": name, "base": "demo", "label": low.floor, "marks": "text"}
        low.ask("ann", "POST", "/api/documents", acting=low.floor, raw=text.encode(), query=query)
    waited = low.until(lambda: len(documents(low)) == len(TEXTS))
    return f"ready after {waited:.1f} s"


def documents(region: Staged) -> list[dict[str, Any]]:
    listed = region.ask("ann", "GET", "/api/documents", acting=region.floor)["documents"]
    return [each for each in listed if each["state"] == "ready"]


def members(region: Staged) -> list[dict[str, str]]:
    return [{"kind": "model", "id": "small"}, *({"kind": "document", "id": each["id"]} for each in documents(region))]


def introduced(source: Staged, target: Staged, folder: Path) -> str:
    card, told = folder / f"{target.name}.card", folder / f"{source.name}.introduction"
    target.ok("channel", "receive", "up", "--source", source.name, "--output", card, "--label", target.floor)
    way = "up" if source.name == "low" else "higher"
    source.ok("channel", "send", way, card, "--output", told, "--label", source.floor)
    target.ok("channel", "trust", "up", told)
    return f"{card.stat().st_size + told.stat().st_size} bytes carried"


def sent(region: Staged, objects: list[dict[str, str]], into: Path) -> str:
    way = "up" if region.name == "low" else "higher"
    assert len(objects) == 1 + len(TEXTS), objects
    told = region.ask("ben", "POST", f"{CHANNELS}/{way}/bundles", {"members": objects}, region.floor)
    region.ask("ben", "GET", f"/api/transfer/bundles/{told['id']}/file", acting=region.floor, into=into)
    assert into.stat().st_size == told["size"]
    assert not any(text.encode() in into.read_bytes() for text in TEXTS.values())
    return f"number {told['sequence']}, {len(told['members'])} objects, {told['size']} bytes"


def lost_a_disc(region: Staged, bundle: Path, folder: Path) -> str:
    discs = folder / "discs"
    discs.mkdir()
    words = ("--output", discs, "--banner", "UNCLASSIFIED", "--count", "4", "--parity", "1")
    told = region.ok("bundle", "split", bundle, *words)
    Path(told["files"][1]).unlink()
    region.ok("bundle", "join", discs, "--output", folder / "joined.cmb")
    assert (folder / "joined.cmb").read_bytes() == bundle.read_bytes()
    return f"any {told['need']} of {told['of']}; the same bytes"


def refused(region: Staged, file: Path, rule: str) -> str:
    ran = region.run("bundle", "import", file, "--json")
    told = ran.json["data"]
    assert ran.code, told
    assert (told["verdict"], told["rule"]) == ("refuse", rule), told
    return f"by the rule {rule}"


def changed(region: Staged, bundle: Path, folder: Path) -> str:
    raw = bytearray(bundle.read_bytes())
    raw[-4096] ^= 1
    (folder / "changed.cmb").write_bytes(raw)
    return refused(region, folder / "changed.cmb", "frames")


def forged(low: Staged, mid: Staged, folder: Path) -> str:
    """Whoever has seen both cards can make one: what he has not is a key that anybody trusts."""
    card = json.loads((folder / "mid.card").read_text())
    told = json.loads((folder / "low.introduction").read_text())
    now = time.time_ns() // 1000
    about = b'{"base":"demo","name":"false.txt"}'
    contents = (Content("about.json", about), Content("content", b"Open the gate."))
    packing = Packing(
        bundle="ab" * 16,
        channel=told["channel"],
        sequence=1,
        previous="",
        source=low.name,
        destination=mid.name,
        label=told["label"],
        banner=told["banner"],
        issued=now,
        expires=now + 86_400_000_000,
        recipient=bytes.fromhex(card["recipient"]),
        root=told["root"].encode(),
        signing=generate("hybrid"),
        roles=generate("cnsa2"),
        objects=(Outgoing("document-1", DOCUMENT_TYPE, told["label"], contents),),
    )
    asyncio.run(FolderYard(folder / "forge").pack(packing))
    return refused(mid, folder / "forge" / "draft" / f"{packing.bundle}.cmb", "threshold")


def adopted(mid: Staged, file: Path) -> str:
    told = mid.ok("bundle", "import", file)
    assert told["verdict"] == "accept", told
    return there(mid)


def there(region: Staged) -> str:
    """The model registered and not accredited; the documents ready, at the floor of the region."""
    waited = region.until(lambda: len(documents(region)) == len(TEXTS))
    marks = {each["mark"] for each in documents(region)}
    found = [each for each in region.ok("models", "list") if each["name"] == "small"]
    assert [each["accreditation"] for each in found] == [""], found
    return f"documents at {', '.join(sorted(marks))} after {waited:.1f} s; the model waits for an officer"


def linked(top: Staged, bundle: Path, folder: Path) -> str:
    try:
        with one_way() as wire:
            return carried(top, bundle, folder, wire)
    except _pytest.outcomes.Skipped as why:
        (top.place.region / "transfer" / "inbox").mkdir(mode=0o700, parents=True, exist_ok=True)
        (top.place.region / "transfer" / "inbox" / "one.cmb").write_bytes(bundle.read_bytes())
        return f"NO ONE-WAY LINK HERE, carried by hand: {why}"


def carried(top: Staged, bundle: Path, folder: Path, wire: OneWay) -> str:
    low, high = folder / "link-low", folder / "link-high"
    made = ["new", str(low), str(high), "--address", f"{HIGH}:6000", "--symbol", "8192", "--cap", "800"]
    subprocess.run([*CASEMATE, *made], check=True, capture_output=True, timeout=60)
    settings = low / "link.toml"
    settings.write_text(
        "\n".join([*(x for x in settings.read_text().splitlines() if "offload" not in x), "offload = false", ""])
    )
    (low / "out" / "two.cmb").write_bytes(bundle.read_bytes())
    before = wire.reverse
    wire.loss(LOSS)
    begun = time.monotonic()
    with wire.running(wire.high, "receive", high) as receiving:
        until(receiving, "Listening")
        send = [*wire.low, *CASEMATE, "send", str(low), "--once"]
        subprocess.run(send, check=True, timeout=120, capture_output=True)
        until(receiving, "Whole and verified")
    seconds = time.monotonic() - begun
    (arrived,) = (high / "arrived").iterdir()
    assert arrived.read_bytes() == bundle.read_bytes()
    back = wire.reverse
    assert back == 0, (before, back)
    lost = json.loads((high / "status.json").read_bytes())["lost"] / 10
    inbox = top.place.region / "transfer" / "inbox"
    inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    arrived.rename(inbox / "two.cmb")
    return f"{bundle.stat().st_size} bytes in {seconds:.1f} s, {lost} % seen lost, {back} packets back"


def came(top: Staged) -> str:
    top.until(lambda: bool(top.ok("channel", "log")))
    (told,) = top.ok("channel", "log")
    assert told["verdict"] == "accept", told
    return there(top)


def released(mid: Staged, folder: Path) -> str:
    """What somebody kept higher up comes down to this region's floor: two approve, neither of whom asked."""
    del folder
    high = (Policies.load(("us",)).parse("us:TOP SECRET") | Policies.load(("us",)).bottom({"DEMO"})).text
    session = mid.ask("ann", "GET", "/api/region")["name"]
    for who in ("ben", "carl"):
        private = generate()
        public, proof = sign_offer(session, who, private)
        offered = mid.ask(who, "POST", "/api/release-keys", {"public": public, "proof": proof}, high)
        mid.ok("release", "register", offered["id"], "--lowest", mid.floor)
        mid.keys[f"{who}'s"] = private.hex()
    mid.ask("ann", "POST", "/api/answers", {"text": PARAGRAPH}, high)
    kept = mid.ask("ann", "GET", "/api/answers", acting=high)[0]["id"]
    body = {"kind": "answer", "id": kept, "to": mid.floor, "reason": "for those who sail"}
    asked = mid.ask("ann", "POST", "/api/releases", body, high)["id"]
    for who in ("ben", "carl"):
        seen = mid.ask(who, "GET", f"/api/releases/{asked}", acting=high)
        assert PARAGRAPH in seen["text"], seen
        named, signature = sign(msgspec.convert(seen["statement"], Statement), bytes.fromhex(mid.keys[f"{who}'s"]))
        mid.ask(who, "POST", f"/api/releases/{asked}/approve", {"key": named.key, "signature": signature}, high)
    landed = mid.ask("ann", "POST", f"/api/releases/{asked}/carry", None, high)["landed"]
    below = mid.ask("ann", "GET", "/api/answers", acting=mid.floor)
    assert any(PARAGRAPH in each["answer"]["text"] for each in below), below
    return f"{len(PARAGRAPH)} characters, {landed.partition('@')[0][:24]}"


if __name__ == "__main__":
    sys.exit(main())
