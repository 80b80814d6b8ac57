"""kill -9 in the middle of reading, merging and forgetting: every document comes to rest, once.

CASEMATE_KILL_ROUNDS sets how often (3 where it does not say).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from casemate.access import HELD
from casemate.clock import ManualClock
from casemate.ids import SystemEntropy
from casemate.knowledge import Library, add
from casemate.knowledge.documents.document import DOCUMENT, PART
from casemate.knowledge.documents.gone import gone
from casemate.knowledge.documents.remove import remove
from casemate.policy import Action
from casemate.wiring import Folder, open_house
from tests.access.test_flow import ACT
from tests.attacks.scene import LOW, SECRET, label_of, principal
from tests.laws.world import SETTINGS, PlainExtractor, World, keyed

ROUNDS = int(os.environ.get("CASEMATE_KILL_ROUNDS", "3"))
CHILD = Path(__file__).with_name("ingest_child.py")
ROOT = Path(__file__).parents[2]
EACH = 12


def text(round_: int, number: int) -> bytes:
    return b"(U) The ferry %d of day %d.\n\n(S//NF) The convoy %d of day %d." % (number, round_, number, round_)


async def within(folder: Path, round_: int) -> None:
    """Bring some documents, and remove one of those that have come to rest."""
    house = await open_house(Folder(folder), "all", ManualClock(), SystemEntropy(), extractor=PlainExtractor())
    world = World(house, folder, ManualClock(), [])
    ann = principal(world, "ann", SECRET)
    for number in range(EACH):
        flow = await house.gate.open(ann, Action("add", "document"), label_of(world, SECRET))
        await add(flow, f"{round_}-{number}.txt", "port", text(round_, number))
    flow = await house.gate.open(ann, Action("remove", "document"), label_of(world, LOW))
    already = (await gone(flow)).of(flow.acting)
    there = [part.id for part in await flow.every(PART) if part.id not in already]
    if there:
        await remove(flow, there[0])
    await house.close()


def killed(folder: Path, after: float) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(CHILD), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"reading\n"
        time.sleep(after)
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
    assert child.returncode == -signal.SIGKILL


async def settled(folder: Path) -> tuple[Counter[str], int]:
    """What a new process finds once it has gone on to the end: every passage, and how many were removed."""
    house = await open_house(Folder(folder), "all", ManualClock(), SystemEntropy(), extractor=PlainExtractor())
    world = World(house, folder, ManualClock(), [])
    for _ in range(2):
        await world.step("knowledge.ingest", "knowledge.forget", "knowledge.compact")
    flow = await house.gate.open(principal(world, "ann", SECRET), ACT, label_of(world, SECRET))
    assert await flow.every(HELD) == []
    removed = await gone(flow)
    told = Counter(passage.text for part in await flow.every(PART) for passage in part.value.passages)
    assert all(not removed.rules(each.id, each.label, each.value.added_by) for each in await flow.every(DOCUMENT))
    shards = await Library(None).shards(flow, ("all",))
    assert told == Counter(passage.text for shard in shards for passage in shard.passages())
    count = len(removed.of(flow.acting))
    await house.close()
    return told, count


def test_every_document_comes_to_rest_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for part in (folder.data, folder.keys, folder.run):
        part.mkdir(mode=0o700)
    folder.settings_file.write_text(SETTINGS.format(policies='"us"', root=tmp_path))
    keyed(folder)
    chance = random.Random(5)
    for round_ in range(ROUNDS):
        asyncio.run(within(tmp_path, round_))
        killed(tmp_path, chance.uniform(0.0, 0.15))
    asyncio.run(within(tmp_path, ROUNDS))
    told, removed = asyncio.run(settled(tmp_path))
    assert set(told.values()) == {1}
    assert len(told) == 2 * (EACH * (ROUNDS + 1) - removed)
