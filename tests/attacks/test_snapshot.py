"""Attacks on the snapshot: a file that somebody else put there, and what one may learn from how it is taken."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from casemate.access.publish import Publisher
from casemate.accounts import KeyRequest, issue, revoke
from casemate.crypto import KeySigner, generate
from casemate.engines.key_store import KeyStore
from casemate.identity import Peer
from casemate.policy import Action
from casemate.store import pack_snapshot, read_snapshot
from casemate.store.snapshot import BOUND
from tests.laws.world import World, a_world
from tests.wiring.split import Split, a_split

LOW = "us:UNCLASSIFIED"
HIGH = "us:SECRET//NOFORN"


def scene(do: Callable[[Split], Awaitable[None]]) -> None:
    async def run() -> None:
        async with a_world(7, ("us",)) as world:
            await world.person("ana", HIGH)
            async with a_split(world) as split:
                await do(split)

    asyncio.run(run())


async def admitted(split: Split, who: str = "ana") -> int:
    return (await split.call(who, "GET", "/v1/models")).status


def forged(split: Split, kind: str, raw: bytes, tmp: Path) -> bytes:
    vault = split.control.house.gate.vault
    found = read_snapshot(raw, vault.signer.public, vault.sealer, vault.region.name)
    later = msgspec.structs.replace(found, sequence=found.sequence + 1000)
    return {
        "another signature": lambda: pack_snapshot(later, KeySigner(generate()), vault.sealer),
        "another seal": lambda: pack_snapshot(later, vault.signer, KeyStore(tmp)),
        "another region": lambda: pack_snapshot(
            msgspec.structs.replace(later, region="other"), vault.signer, vault.sealer
        ),
        "an older one": lambda: raw,
        "cut off": lambda: raw[: len(raw) // 2],
        "empty": lambda: b"",
        "too large": lambda: raw.ljust(BOUND + 1, b"\0"),
        "noise": lambda: bytes(range(256)) * 300,
    }[kind]()


KINDS = {
    "another signature": "signature",
    "another seal": "seal",
    "another region": "region",
    "an older one": "older",
    "cut off": "size",
    "empty": "size",
    "too large": "size",
    "noise": "form",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_controls_next_one_is_told_once_and_the_last_good_one_stays(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Then control writes its next one, and all is as if nothing had been."""

    async def attack(split: Split) -> None:
        path = split.control.house.folder.snapshot
        old = path.read_bytes()
        await split.spread()
        for _ in range(3):
            path.unlink()
            path.write_bytes(forged(split, kind, old, tmp_path))
            await split.follow()
            assert await admitted(split) == 200
        split.control.clock.forward(1)
        await split.spread()
        assert split.data.gate.directory.fresh()

    scene(attack)
    assert capfd.readouterr().err == f"casemate: snapshot.follow: refused ({KINDS[kind]})\n"


def test_a_revoked_key_does_not_come_back_with_a_kept_file(tmp_path: Path) -> None:
    """Whoever can write the file, but not sign, can only put back what is older than what is known."""

    async def attack(split: Split) -> None:
        gate, path = split.control.house.gate, split.control.house.folder.snapshot
        owner = gate.admit(Peer(0))
        key, split.control.keys["eve"] = await issue(await gate.open(owner, Action("issue", "key")), KeyRequest())
        await split.spread()
        assert await admitted(split, "eve") == 200
        shutil.copy(path, tmp_path / "kept")
        await revoke(await gate.open(owner, Action("revoke", "key")), key.id)
        await split.spread()
        assert await admitted(split, "eve") == 401
        for name in (path, path.with_name("snapshot.previous")):
            name.unlink()
            shutil.copy(tmp_path / "kept", name)
        await split.follow()
        assert await admitted(split, "eve") == 401

    scene(attack)


def test_the_file_tells_a_thief_its_class_of_size_and_nothing_else() -> None:
    async def attack(split: Split) -> None:
        path = split.control.house.folder.snapshot
        before = len(path.read_bytes())
        for number in range(5):
            await split.control.person(f"spy{number}", HIGH)
        await split.publish()
        raw = path.read_bytes()
        assert len(raw) == before
        for secret in (b"spy0", b"SECRET", b"ana", split.control.keys["ana"].encode()):
            assert secret not in raw

    scene(attack)


def test_who_is_low_sees_nothing_of_who_was_added_above() -> None:
    """Two worlds: in one of them ten more are cleared to SECRET, with keys, failures and a revocation of their own."""

    async def world_of(above: int) -> list[object]:
        async with a_world(11, ("us",)) as world:
            await world.person("low", LOW)
            async with a_split(world) as split:
                for number in range(above):
                    await world.person(f"high{number}", HIGH)
                    await split.call(f"high{number}", "GET", "/v1/models")
                await split.spread()
                for number in range(above):
                    await split.call(f"high{number}", "GET", "/v1/models")
                return await seen_by_low(world, split)

    async def seen_by_low(world: World, split: Split) -> list[object]:
        told: list[object] = []
        for method, target, signed in (
            ("GET", "/v1/models", False),
            ("GET", "/v1/models/casemate/extractive-reader", False),
            ("GET", "/foundation-models", True),
            ("GET", "/api/principals", False),
        ):
            seen = await split.call("low", method, target, signed=signed)
            told.append((seen.status, seen.headers, seen.pieces))
        world.clock.forward(3600)
        told.append((await split.call("low", "GET", "/v1/models")).status)
        return told

    few, many = asyncio.run(world_of(0)), asyncio.run(world_of(10))
    assert few == many


def test_control_does_the_same_work_whatever_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out because it is as it was: the whole is read, signed and written at each beat."""
    made: list[int] = []
    make = Publisher.make

    async def noted(self: Publisher) -> bytes:
        raw = await make(self)
        made.append(len(raw))
        return raw

    async def attack(split: Split) -> None:
        monkeypatch.setattr(Publisher, "make", noted)
        reader = split.control.calls
        asked = []
        for change in (False, False, True, False):
            if change:
                await split.control.person("eve", HIGH)
            reader.clear()
            await split.publish()
            asked.append([call for call in reader if "directory" in call])
        assert asked[0] == asked[1] == asked[2] == asked[3] != []
        assert len(set(made)) == 1

    scene(attack)
