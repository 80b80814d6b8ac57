"""The link at full length: thousands of seeds of all faults together, the table of recovery, kills at any moment."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from casemate.transfer.diode import encoded, repair_of, source_symbols
from casemate.transfer.diode.repair import Restoring
from tests.engines.test_diode_spool import killed_often
from tests.laws.long import HERE, leave
from tests.transfer.diode.sim import MTU, Channel, Faults, Link, Memory, pace
from tests.transfer.diode.test_faults import named

SEEDS = 2000
TENTH = range(0, SEEDS, 10)
HEAVY = range(3, SEEDS, SEEDS // 3)
CELLS = (  # bytes of a block, symbol, loss of the rule and of the channel, seeds
    (1 << 20, 1400, 0.02, 1500),
    (1 << 20, 8192, 0.02, 2000),
    (1 << 20, 1400, 0.04, 1000),
    (1 << 20, 8192, 0.04, 1500),
    (300_000, 1400, 0.02, 2000),
    (5_000, 1400, 0.10, 2000),
)


def trial(seed: int) -> Link:
    """Everything at once, drawn from the seed; then the weather clears, and all of it is there."""
    draw = random.Random(seed)
    faults = Faults(
        loss=draw.choice((0, 0.02, 0.06, 0.3)),
        burst=draw.choice((0, 0.001)),
        burst_length=draw.randrange(1, 200),
        duplicate=draw.choice((1, 1, 2, 5)),
        reorder=draw.choice((0, 0, 10, 1000)),
        flip=draw.choice((0, 0, 0.02)),
        truncate=draw.choice((0, 0, 0.02)),
        foreign=draw.choice((0, 0, 0.05)),
        blackouts=((draw.randrange(2_000_000), draw.randrange(1_000_000)),) if draw.random() < 0.3 else (),
    )
    room = 1 << 40 if draw.random() < 0.9 else draw.randrange(2_000_000)
    found = Link(seed, faults, pace(MTU, 0.02, turns=draw.choice((1, 2))), spool=Memory(room))
    for _ in range(draw.randrange(1, 4)):
        sizes = (900, 1_048_568, 1_400_000) if seed % 10 == 3 else (0, 900, 20_000, 60_000)
        found.offer(draw.randbytes(draw.choice(sizes)), draw.random() < 0.3)
    for _ in range(draw.randrange(3)):
        stop = found.sender.sent + draw.randrange(1, 200)
        found.run(lambda stop=stop: found.sender.sent >= stop, 5)  # type: ignore[misc]
        found.start_receiver() if draw.random() < 0.5 else found.start_sender()
    found.run()
    found.run(
        lambda: bool(found.receiver.announced) and max(found.receiver.announced.values()) == len(found.objects), 5
    )
    return found


def holds(seed: int) -> int:
    """Every law for one seed; how many objects needed the second weather."""
    found = trial(seed)
    sent = {manifest.sequence: whole.data for manifest, whole in found.objects}  # type: ignore[union-attr]
    assert all(sent[sequence] == data for sequence, data in found.arrived.items())
    if max(found.receiver.announced.values(), default=0) == len(sent):
        assert named(found), "a gap without a name"
    lacking = len(sent) - len(found.arrived)
    found.spool.room = 1 << 40
    found.channel = Channel(seed, Faults())
    found.start_receiver()
    found.start_sender()
    found.run()
    assert found.whole
    return lacking


@pytest.mark.parametrize("part", range(10))
def test_all_faults_at_once_for_a_tenth_of_the_seeds(part: int) -> None:
    for seed in TENTH[part::10]:
        holds(seed)


@pytest.mark.parametrize("seed", HEAVY)
def test_all_faults_at_once_with_objects_of_several_blocks(seed: int) -> None:
    holds(seed)


@pytest.mark.long
def test_all_faults_at_once_over_thousands_of_seeds() -> None:
    lacking = sum(holds(seed) > 0 for seed in range(SEEDS))
    assert 0 < lacking < SEEDS, "both kinds of weather are drawn"
    leave("diode_faults", seeds=SEEDS, filled_later=lacking)


def restored(size: int, symbol: int, loss: float, seeds: range) -> int:
    """Of how many seeds a block comes back under the repair that the rule gives."""
    data = random.Random(size).randbytes(size)
    packets = encoded(data, symbol, repair_of(source_symbols(size, symbol), loss))
    good = 0
    for seed in seeds:
        draw, block = random.Random(seed), Restoring(size, symbol)
        found = None
        for packet in packets:
            if draw.random() >= loss and found is None:
                found = block.take(packet)
        good += found == data
    return good


@pytest.mark.parametrize(("size", "symbol", "loss", "seeds"), CELLS)
def test_the_rule_holds_for_a_few_seeds(size: int, symbol: int, loss: float, seeds: int) -> None:
    assert restored(size, symbol, loss, range(seeds // 100)) == seeds // 100


@pytest.mark.long
def test_the_table_of_recovery_over_ten_thousand_seeds() -> None:
    """Loss, overhead, success: no block is lost, where the rule allows one of a thousand million."""
    rows = {}
    for size, symbol, loss, seeds in CELLS:
        symbols = source_symbols(size, symbol)
        overhead = round(1000 * repair_of(symbols, loss) / symbols)
        name = f"bytes_{size}_symbol_{symbol}_loss_permille_{round(loss * 1000)}"
        rows[f"{name}_overhead_permille"] = overhead
        rows[f"{name}_seeds"] = seeds
        rows[f"{name}_restored"] = restored(size, symbol, loss, range(seeds))
    leave("diode_recovery", seeds=sum(cell[3] for cell in CELLS), **rows)
    assert all(rows[name] == rows[name.replace("restored", "seeds")] for name in rows if name.endswith("restored"))


@pytest.mark.long
def test_kill_9_at_two_hundred_random_instants(tmp_path: Path) -> None:
    for seed in range(200):
        killed_often(tmp_path / str(seed), seed)
    leave("diode_kills", seeds=200)


@pytest.mark.parametrize("name", ["diode_faults", "diode_recovery", "diode_kills"])
def test_the_result_of_the_long_run_is_kept(name: str) -> None:
    kept = json.loads((HERE / "bench" / "long" / f"{name}.json").read_text())
    assert kept["counts"]["seeds"] >= 200
