"""Backups that were damaged, and processes that were killed: all of it is found, and nothing half is called whole."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import msgspec
import pytest

from casemate.crypto import Keeper, KeySigner, generate, generate_keeper
from casemate.custody.backup import Title
from casemate.custody.backup_plan import plan
from casemate.custody.backup_verdict import Fault
from casemate.engines import backup_restore
from casemate.engines.backup_chain import Chain
from casemate.engines.backup_link import opened, write_link
from casemate.engines.backup_restore import bring_back, survey
from casemate.engines.backup_tables import tables_of
from casemate.errors import BadInput, Damaged, StorageFull
from tests.engines.backing import Place, batch, flip
from tests.laws.long import leave

SEED = int(os.environ.get("CASEMATE_BACKUP_SEED", str(random.SystemRandom().randrange(1 << 30))))
KILLS, FLIPS = 3, 30


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def filled(place: Place, points: int = 3) -> None:
    """Some history with points."""
    writer, shipper = place.open()
    try:
        for point in range(points):
            for turn in range(6):
                await writer.commit(batch(f"{point}-{turn}", 2))
            place.blob(f"b{point}", os.urandom(3000))
            await asyncio.to_thread(shipper.run, True)
    finally:
        writer.close()


def flipped(place: Place, count: int) -> int:
    """So many flipped bits, each in some file of the chain: how many were found."""
    rng = random.Random(SEED)
    folder, _ = place.chain()
    found = 0
    for _ in range(count):
        path = rng.choice(sorted(folder.iterdir()))
        raw = path.read_bytes()
        flip(path, rng)
        try:
            verdict = place.verdict()
            if path.suffix == ".link":
                assert path.name in {fault.name for fault in verdict.faults}, SEED
            found += not verdict.whole
        except Damaged:
            found += 1
        path.write_bytes(raw)
    assert place.verdict().whole
    return found


async def test_a_flipped_bit_anywhere_is_found(place: Place) -> None:
    """Also in what may be read without a key: the marking is bound into every link."""
    await filled(place)
    print(f"\nflipped bits: {FLIPS} from seed {SEED}")
    assert flipped(place, FLIPS) == FLIPS


@pytest.mark.long
async def test_flipped_bits_in_full(place: Place) -> None:
    await filled(place)
    assert flipped(place, 300) == 300
    leave("backup_flips", flips=300, found=300)


async def test_a_changed_marking_is_found(place: Place) -> None:
    await filled(place, 1)
    folder, face = place.chain()
    told = (folder / "face.json").read_text()
    (folder / "face.json").write_text(told.replace("SECRET//NOFORN", "UNCLASSIFIED"))
    assert not place.verdict().whole
    (folder / "face.json").write_text(told)
    assert survey(folder, face, [place.keeper], trusted=[place.vouched]).whole


async def test_damage_refuses_and_the_last_good_point_can_be_had(place: Place) -> None:
    await filled(place)
    whole = place.verdict()
    point = [title for title in whole.titles if title.point is not None][1]
    bad = next(link for link in whole.links if link.title is not None and link.title.number == point.number + 1)
    folder, face = place.chain()
    flip(folder / bad.name, random.Random(SEED))
    verdict = place.verdict()
    assert not verdict.whole
    assert verdict.points[-1] == point.number
    assert point.point is not None
    good = verdict.upto(verdict.points[-1])
    bring_back(folder, face, [place.keeper], good, plan(good.titles), place.path / "good")
    assert place.held("good") == dict(point.point.tables)
    with pytest.raises(Damaged):  # whoever goes on without asking for a verdict first
        bring_back(folder, face, [place.keeper], whole, plan(whole.titles), place.path / "bad")
    assert not (place.path / "bad" / "casemate.toml").exists(), "what is not whole is no region"


async def test_another_key_opens_nothing(place: Place) -> None:
    await filled(place, 1)
    folder, face = place.chain()
    verdict = survey(folder, face, [Keeper(generate_keeper("cnsa2"))], trusted=[place.vouched])
    assert verdict.links == ()
    assert {fault.what for fault in verdict.faults} == {"damaged", "missing"}


async def test_links_of_another_chain_are_foreign(place: Place) -> None:
    await filled(place, 1)
    other = Place(place.path / "other", place.keeper)
    await filled(other, 1)
    strange = next(other.chain()[0].glob("*.link"))
    (place.chain()[0] / strange.name).write_bytes(strange.read_bytes())
    assert [fault.what for fault in place.verdict().faults] == ["foreign"]


async def test_a_log_whose_frames_do_not_check_is_not_restored(place: Place) -> None:
    """What was damaged before it was sealed is told by SQLite's own checksums."""
    await filled(place, 1)
    real = backup_restore._Back._body

    def body(self: Any, number: int) -> Any:
        pieces = list(real(self, number))
        title = self._links[number].title
        if title.wal is not None:
            first = bytearray(pieces[0])
            first[200] ^= 1
            pieces[0] = bytes(first)
        yield from pieces

    with patch.object(backup_restore._Back, "_body", body), pytest.raises(Damaged):
        place.back("bad")


def test_a_path_that_leads_out_is_refused(place: Place) -> None:
    title = Title(3, "", 0)
    with pytest.raises(BadInput):
        backup_restore._inside(place.path, "../out", title)
    with pytest.raises(BadInput):
        backup_restore._inside(place.path, "/etc/passwd", title)


async def test_no_room_where_it_is_restored(place: Place) -> None:
    await filled(place, 1)
    full = OSError(errno.ENOSPC, "full")
    with patch.object(backup_restore._Back, "_write", side_effect=full), pytest.raises(StorageFull):
        place.back("full")


async def test_a_link_is_read_from_its_beginning(place: Place) -> None:
    await filled(place, 1)
    folder, face = place.chain()
    path = next(folder.glob("*.link"))
    raw = path.read_bytes()
    for cut in (0, 5, 11, 100, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with (
            pytest.raises(Damaged),
            opened(path, (folder / "face.json").read_bytes(), face.chain, [place.keeper]) as link,
        ):
            list(link.body())
    path.write_bytes(raw + b"x")
    assert not place.verdict().whole


# ---- kill -9 ---------------------------------------------------------------------------------------------------------


def child(place: Place, key: bytes, what: str, last: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.engines.backup_child", what, str(place.path), key.hex(), last]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2])
    assert _out(process).readline() == "open\n"
    return process


def _out(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def killed(tmp_path: Path, rounds: int, rng: random.Random) -> tuple[int, int]:
    """Rounds of one region, each killed while it writes and ships; chains begun, commits acknowledged."""
    key = generate_keeper("cnsa2")
    place = Place(tmp_path, Keeper(key))
    acknowledged: list[str] = []
    for turn in range(rounds):
        process = child(place, key, "run", f"t{turn}")
        time.sleep(rng.uniform(0.02, 0.5))
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in _out(process).read().splitlines() if line.strip()]
        process.wait()
    writer, shipper = place.open()
    head = shipper.run(True)
    writer.close()
    verdict = place.verdict(head)
    assert verdict.whole, verdict.faults
    place.back("back", after=head.commit)
    there = place.held("back")
    assert there == place.tables()
    assert there["rows"].rows >= 3 * len(acknowledged)
    return len(list(place.home.iterdir())), len(acknowledged)


def test_killed_while_it_ships(tmp_path: Path) -> None:
    """The chain goes on over every kill, and what was acknowledged is in it."""
    print(f"\nkilled while it ships: {KILLS} rounds from seed {SEED}")
    chains, acknowledged = killed(tmp_path, KILLS, random.Random(SEED))
    assert chains >= 1
    assert acknowledged >= 1


@pytest.mark.long
def test_killed_while_it_ships_in_full(tmp_path: Path) -> None:
    chains, acknowledged = killed(tmp_path, 40, random.Random(SEED))
    leave("backup_kills", rounds=40, chains=chains, acknowledged=acknowledged)


def test_killed_while_it_restores(tmp_path: Path) -> None:
    """What is half there is no region, and is not restored over."""
    key = generate_keeper("cnsa2")
    place, rng = Place(tmp_path, Keeper(key)), random.Random(SEED)
    asyncio.run(filled(place, 4))
    ended = 0
    for turn in range(KILLS):
        process = child(place, key, "restore", f"back{turn}")
        time.sleep(rng.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        done = "done" in _out(process).read()
        process.wait()
        into = place.path / f"back{turn}"
        if (into / "casemate.toml").exists():
            assert tables_of(into / "data" / "records.db") == place.tables()
            ended += 1
        else:
            assert not done
    place.back("after")
    assert place.held("after") == place.tables()
    assert ended <= KILLS


async def forged(place: Place, **more: Any) -> Place:
    """The same region's backup by somebody who knows the public keys and the destination, and not the region's own."""
    other = Place(place.path / "other", place.keeper, **more)
    await filled(other)
    return other


async def test_a_chain_that_somebody_else_wrote_is_refused(place: Place) -> None:
    await filled(place)
    for signer in (KeySigner(generate(drawn=b"x" * 64)), KeySigner(generate("hybrid"))):
        other = await forged(place, signer=signer)
        folder, face = other.chain()
        verdict = survey(folder, face, [place.keeper], trusted=[place.vouched])
        assert (verdict.whole, verdict.tampered, verdict.links) == (False, True, ())
        assert {fault.what for fault in verdict.faults} == {"tampered", "missing"}
        # it may also say that it is signed by the region's key
        told = msgspec.structs.replace(face, signer=place.signer.public.hex())
        assert survey(folder, told, [place.keeper], trusted=[place.vouched]).links == ()
        assert survey(folder, face, [place.keeper], trusted=[place.vouched, other.vouched]).links == ()
        assert survey(folder, face, [place.keeper]).links == (), "where nothing vouches, nothing is believed"
        shutil.rmtree(other.path)


async def test_a_link_that_somebody_else_wrote_or_that_nobody_signed_is_named(place: Place) -> None:
    await filled(place)
    folder, face = place.chain()
    raw, names = (folder / "face.json").read_bytes(), {}
    for link in place.verdict().links:
        assert link.title is not None
        names[link.title.number] = (link.name, link.title)
    name, title = names[2]
    whole = (folder / name).read_bytes()
    with opened(folder / name, raw, face.chain, [place.keeper]) as link:
        body = list(link.body())
    thief = KeySigner(generate(drawn=b"x" * 64))
    write_link(folder / name, raw, face.chain, (place.keeper.recipient,), thief, title, body)
    other = (folder / name).read_bytes()
    assert len(other) == len(whole), "it opens, and says the same; only who wrote it is another"
    for form in (other, whole[:-68] + bytes(4), whole[:-68] + bytes(64) + whole[-4:], other[:-68] + whole[-68:]):
        (folder / name).write_bytes(form)
        for deep in (True, False):
            verdict = survey(folder, face, [place.keeper], deep=deep, trusted=[place.vouched])
            assert Fault("tampered", 2, name) in verdict.faults
            assert len(verdict.links) == 2
    (folder / name).write_bytes(whole)
    assert place.verdict().whole
    for size in (0, 3, 8):
        (folder / name).write_bytes(whole[:size])
        assert Fault("damaged", None, name) in place.verdict().faults


async def test_a_chain_of_before_is_named_and_not_gone_on_with(place: Place) -> None:
    await filled(place)
    folder, _ = place.chain()
    face = (folder / "face.json").read_bytes()
    (folder / "face.json").write_bytes(face.replace(b"backup v2", b"backup v1"))
    with pytest.raises(Damaged, match="before links were signed"):
        place.chain()
    assert Chain.resume(place.region / "data", place.home, (), place.signer) is None
    (folder / "face.json").write_bytes(face)
    assert Chain.resume(place.region / "data", place.home, (), place.signer) is not None
    assert Chain.resume(place.region / "data", place.home, (), KeySigner(generate())) is None
    (folder / "face.json").write_bytes(face.replace(place.signer.public.hex().encode(), b"no key"))
    with pytest.raises(Damaged):
        place.verdict()
