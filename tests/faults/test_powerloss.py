"""Loss of power below SQLite at random instants: FULL loses nothing that was promised, NORMAL fails the same test."""

from __future__ import annotations

import random
from pathlib import Path
from typing import get_args

import pytest

from tests.faults.powerloss import Mode, Synchronous, Trial, judged, trial
from tests.laws.long import leave

TRIALS, TENTH = 300, 30


def trials(folder: Path, count: int, mode: Mode, synchronous: Synchronous, seed: int) -> list[Trial]:
    return [trial(seed + n, folder / f"{mode}{synchronous}{n}", mode, synchronous) for n in range(count)]


def held(folder: Path, count: int, seed: int) -> int:
    """How many batches were promised in these trials, half of them of either mode; nothing of any was lost."""
    promised = 0
    for mode in get_args(Mode):
        for number, each in enumerate(trials(folder, count // 2, mode, "FULL", seed)):
            assert each.holds, (mode, seed + number, each)
            promised += each.promised
    assert promised > count
    return promised


def failed(folder: Path, count: int, seed: int) -> int:
    """In how many trials NORMAL loses what was acknowledged: the test that FULL passes is one that bites."""
    return sum(not each.holds for each in trials(folder, count, "drop", "NORMAL", seed))


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"\npower: {TENTH} trials of {TRIALS}, seed {seed}: {held(tmp_path, TENTH, seed)} promised, none lost")


def test_normal_fails_the_same_test(tmp_path: Path) -> None:
    assert failed(tmp_path, 12, random.SystemRandom().randrange(1 << 30)) >= 3


def test_the_judge_sees_what_is_gone(tmp_path: Path) -> None:
    found = trial(3, tmp_path / "one", "torn")
    assert found.holds
    [wreck] = (tmp_path / "one").glob("after/records.db")
    assert judged(wreck, ["0_none"], {}).lost == 1
    assert not any(Trial(1, *losses).holds for losses in ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)))


@pytest.mark.long
def test_nothing_acknowledged_is_lost_in_300_trials(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 30)
    promised = held(tmp_path, TRIALS, seed)
    lost = failed(tmp_path, TRIALS, seed)
    assert lost >= TRIALS * 0.5
    leave("store_powerloss", trials=TRIALS, promised=promised, lost_full=0, trials_normal_lost=lost, seed=seed)
