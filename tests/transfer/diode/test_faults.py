"""The faults of a one-way transfer, each under its number in the list of them; the rest of it holds over a real wire.

Of every one the same is asked: nothing is seen that is not whole and verified (the spool of the simulator asserts it),
the receiver lives, others go on, and every gap is named.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from casemate.clock import SECOND
from casemate.errors import Absent, BadInput
from casemate.transfer import diode
from casemate.transfer.diode import DEAD, Bounds, Gaps, Receiver
from tests.transfer.diode import sim
from tests.transfer.diode.sim import KEY, MTU, OTHER, PUBLIC, START, Endless, Faults, Link, Memory, pace

SMALL, LARGE = 40_000, 2_500_000
QUICK = range(3)


def data(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def link(seed: int = 0, sizes: tuple[int, ...] = (LARGE, SMALL), **how: Any) -> Link:
    """A link with objects offered; `how` are faults, but for what a Link takes."""
    own = {name: how.pop(name) for name in ("pace", "spool", "name", "key") if name in how}
    found = Link(seed, Faults(**how), **own)
    for place, size in enumerate(sizes):
        found.offer(data(seed * 7 + place, size))
    return found


def named(found: Link) -> bool:
    """Whether everything that did not arrive is named: as an object with gaps, or as a number never seen."""
    status = found.status()
    told = {each.sequence for each in status.objects}
    for gap in status.unseen:
        told.update(range(gap.first, gap.last + 1))
    return told == {manifest.sequence for manifest, _ in found.objects} - set(found.arrived)


@pytest.mark.parametrize("seed", QUICK)
def test_row_01_random_loss_below_the_budget(seed: int) -> None:
    found = link(seed, loss=random.Random(seed).uniform(0, 0.04), pace=pace(loss=0.04))
    assert found.run()
    assert found.whole
    assert found.receiver.counts["broken"] == 0


@pytest.mark.parametrize("seed", QUICK)
def test_row_02_loss_beyond_the_budget_is_named_and_a_later_turn_fills_it(seed: int) -> None:
    found = link(seed, (LARGE,), loss=0.3, pace=pace(turns=1))
    found.run()
    [told] = found.status().objects
    have = {index for blocks in found.spool.data.values() for index in blocks}
    assert told.missing == told.blocks - len(have) > 0
    assert named(found)
    found.channel.faults = Faults(loss=0.02)
    found.start_sender()
    found.run()
    assert found.whole


def test_row_02_a_gap_code_brings_what_is_missing_and_nothing_else() -> None:
    found = link(1, (9 * diode.BLOCK - 8,), pace=pace(loss=0.0, turns=50), blackouts=((500_000, 600_000),))
    found.run(lambda: bool(found.receiver.objects) and next(iter(found.receiver.objects.values())).missing == 8, 1)
    [told] = found.status().objects
    gaps = diode.read_gaps(KEY, found.name, told.code.lower().replace(".", " "))
    before = found.sender.sent
    found.channel.faults = Faults()
    found.sender.fill(gaps)
    assert found.run(lambda: found.whole)
    found.run()
    symbols = diode.source_symbols(diode.BLOCK, MTU)
    assert found.sender.sent - before < (told.missing + 1) * 2 * (symbols + 20)
    assert [offer.manifest.sequence for offer in found.sender.finished()] == [1], "its carousel has ended"


def test_row_02_a_code_for_nothing_that_was_offered_is_refused() -> None:
    found = link(1, (SMALL,))
    with pytest.raises(Absent):
        found.sender.fill(Gaps(9, None))
    with pytest.raises(BadInput):
        found.sender.fill(Gaps(1, ((0, 1),)))
    found.sender.fill(Gaps(1, ()))
    assert [offer.manifest.sequence for offer in found.sender.finished()] == [1]
    found.sender.fill(Gaps(1, None))
    found.run()
    assert found.whole


@pytest.mark.parametrize("seed", QUICK)
def test_row_03_a_burst_takes_an_eighth_of_itself_from_each_block(seed: int) -> None:
    """Sixty datagrams in a row: more than the repair of any block, and less than that of eight."""
    after = random.Random(seed).randrange(300_000, 7_000_000)
    found = link(seed, (8 * diode.BLOCK - 8,), pace=pace(loss=0.02), blackouts=((after, 60 * (MTU + diode.OVERHEAD)),))
    found.run()
    assert found.whole


@pytest.mark.parametrize("seed", QUICK)
def test_row_03_a_blackout_is_made_good_by_the_next_turn(seed: int) -> None:
    after = random.Random(seed).randrange(0, 3_000_000)
    found = link(seed, pace=pace(turns=2), blackouts=((after, 2_000_000),))
    found.run()
    assert found.whole


def test_row_04_duplicates_change_nothing() -> None:
    found = link(4, duplicate=5, loss=0.02)
    found.run()
    assert found.whole
    assert found.receiver.counts["published"] == 2


@pytest.mark.parametrize("window", [10, 1000, 10**6])
def test_row_05_any_order_within_the_window(window: int) -> None:
    found = link(5, reorder=window, pace=pace(turns=1))
    found.run()
    assert found.whole


def test_row_05_what_is_too_far_apart_is_counted_named_and_filled_later() -> None:
    """More blocks open at once than are kept: the oldest go, and are counted."""
    found = link(5, (6 * diode.BLOCK - 8,), reorder=10**6)
    found.receiver = Receiver(KEY, PUBLIC, MTU, found.spool, START, Bounds(blocks=2))
    found.run()
    assert found.receiver.counts["evicted"] > 0
    assert named(found)
    found.channel.faults = Faults()
    found.receiver.bounds = Bounds()
    found.start_sender()
    found.run()
    assert found.whole


def test_row_05_sessions_that_overtake_each_other_both_count() -> None:
    found = link(5, (LARGE,), pace=pace(turns=1))
    found.heard(found.sent())
    late = found.sent() + found.sent()
    found.start_sender()
    found.heard(found.sent())
    found.heard(late)
    assert found.receiver.reader.dropped["replayed"] == 0
    found.run()
    assert found.whole


@pytest.mark.parametrize("seed", QUICK)
def test_row_06_a_flipped_bit_is_dropped_and_never_poisons(seed: int) -> None:
    found = link(seed, flip=0.03, pace=pace(loss=0.04, turns=2))
    found.run()
    assert found.whole
    dropped = found.receiver.reader.dropped
    assert dropped["forged"] + dropped["replayed"] + dropped["foreign"] + dropped["senders"] > 0
    assert found.receiver.counts["broken"] == 0


@pytest.mark.parametrize("seed", QUICK)
def test_row_07_garbage_is_dropped_before_the_decoder(seed: int) -> None:
    found = link(seed, truncate=0.02, foreign=0.1, pace=pace(loss=0.04, turns=2))
    found.run()
    assert found.whole
    assert found.receiver.reader.dropped["length"] > 0


def test_row_08_what_another_key_wrote_is_forged() -> None:
    found = link(8, (SMALL,), key=OTHER)
    found.run()
    assert found.arrived == {}
    assert found.receiver.reader.dropped["forged"] > 0
    assert found.receiver.reader.sessions.known() == ()
    assert found.status().dead(START + DEAD + 1)


def test_row_08_an_old_session_that_is_played_again_is_refused_also_after_a_restart() -> None:
    found = link(8, (SMALL,), pace=pace(turns=1))
    recorded: list[bytes] = []
    carry = found.channel.carry
    found.channel.carry = lambda sent, now: recorded.extend(sent) or carry(sent, now)  # type: ignore[method-assign,func-returns-value]
    found.run()
    for _ in range(5):
        found.start_sender()
        found.heard(found.sent())
    before = found.receiver.pulse.at
    found.now += 10 * SECOND
    found.heard(recorded)
    assert found.receiver.reader.dropped["replayed"] == len(recorded)
    found.start_receiver()
    found.heard(recorded)
    assert found.receiver.reader.dropped["replayed"] == len(recorded)
    assert found.receiver.pulse.at == 0 < before


def test_row_08_a_heartbeat_that_is_played_again_does_not_keep_a_link_alive() -> None:
    found = link(8, ())
    beat = found.sent()
    found.heard(beat)
    at = found.receiver.pulse.at
    found.now += 10 * SECOND
    found.heard(beat)
    found.start_sender()
    found.heard(found.sent())
    assert found.receiver.pulse.at == found.now > at
    found.now += 10 * SECOND
    found.heard(beat)
    assert found.status().dead(found.now)


@pytest.mark.parametrize("seed", QUICK)
def test_row_09_a_receiver_that_restarts_keeps_its_finished_blocks(seed: int) -> None:
    """The process is gone at any datagram; what was not in the spool comes with the next turn, and no block twice."""
    draw = random.Random(seed)
    found = link(seed, pace=pace(turns=2), loss=0.01)
    for _ in range(3):
        stop = found.sender.sent + draw.randrange(1, 300)
        found.run(lambda stop=stop: found.sender.sent >= stop, 1)  # type: ignore[misc]
        found.start_receiver()
    found.run()
    assert found.whole


@pytest.mark.parametrize("seed", QUICK)
def test_row_10_a_sender_that_restarts_resumes_the_same_objects(seed: int) -> None:
    draw = random.Random(seed)
    found = link(seed, pace=pace(turns=1))
    late: list[bytes] = []
    for _ in range(3):
        stop = found.sender.sent + draw.randrange(1, 200)
        found.run(lambda stop=stop: found.sender.sent >= stop, 1)  # type: ignore[misc]
        late += found.sender.step(found.now + SECOND)
        found.start_sender()
    found.heard(found.sent())
    found.heard(late)
    assert found.run()
    assert found.whole


def test_row_11_two_senders_with_the_same_numbers_do_not_mix() -> None:
    spool = Memory()
    one = link(11, (LARGE,), spool=spool, name=b"low1")
    other = link(12, (LARGE,), spool=spool, name=b"low2")
    other.receiver = one.receiver
    for _ in range(200):
        one.heard(one.sent())
        one.heard(other.sent())
    assert sorted(spool.published.values()) == sorted(each.objects[0][1].data for each in (one, other))  # type: ignore[union-attr]
    assert one.status().unseen == ()


def test_row_11_a_seventeenth_sender_is_refused() -> None:
    found = link(11, ())
    for number in range(17):
        other = link(number, (), name=number.to_bytes(4, "big"))
        found.heard(other.sent())
    assert found.receiver.reader.dropped["senders"] > 0
    assert len(found.receiver.announced) <= 16


def test_row_12_who_comes_late_gets_it_from_the_carousel() -> None:
    found = link(12, pace=pace(turns=3))
    end = found.now + SECOND
    while found.now < end:
        found.sent()
    found.run()
    assert found.whole


def test_row_12_what_was_over_before_anybody_listened_is_named() -> None:
    found = link(12, (SMALL, SMALL, SMALL))
    while not found.sender.idle:
        found.sent()
    found.run(lambda: found.receiver.pulse.last is not None, 3)
    unseen = found.status().unseen
    assert [(gap.first, gap.last) for gap in unseen] == [(1, 3)]
    assert diode.read_gaps(KEY, found.name, unseen[0].code) == Gaps(1, None)
    for sequence in (1, 2, 3):
        found.sender.fill(Gaps(sequence, None))
    found.run()
    assert found.whole


def test_row_14_never_faster_than_the_cap() -> None:
    """The channel itself measures, and ends the test where more comes at once than the cap and one burst allow."""
    slow = pace(cap=4_000_000)
    burst = 2 * slow.most * slow.datagram
    found = link(14, (LARGE,), pace=slow, cap=4_000_000, burst_bytes=burst)
    found.run()
    assert found.whole
    assert (found.now - START) * 4 > (LARGE - burst)
    with pytest.raises(sim.RateExceeded):
        link(14, (LARGE,), pace=pace(cap=8_000_000), cap=4_000_000, burst_bytes=burst).run()


def test_row_18_what_is_open_is_bounded() -> None:
    """Sizes that are said to be huge, too many objects, blocks and messages: refused or let go, and counted."""
    found = Link(18, Faults())
    found.offer(Endless(1 << 45))
    for place in range(80):
        found.offer(Endless(50_000 + place))
    for _ in range(3000):
        found.heard(found.sent()[::3])
    assert found.receiver.counts["refused"] > 0
    assert "bounds" in {alarm.what for alarm in found.receiver.alarms}
    assert len(found.receiver.objects) <= found.receiver.bounds.objects
    assert len(found.receiver._blocks) <= found.receiver.bounds.blocks
    assert len(found.receiver._messages) <= found.receiver.bounds.messages
    assert len(found.receiver._orphans) <= found.receiver.bounds.orphans


def test_row_16_a_full_disk_stops_that_transfer_and_no_other() -> None:
    spool = Memory(room=diode.BLOCK + SMALL * 2)
    found = Link(16, Faults(), spool=spool, pace=pace(turns=60))
    found.offer(data(1, LARGE))
    found.offer(data(2, SMALL))
    found.run(lambda: 2 in found.arrived, 5)
    found.run(seconds=1)
    [told] = found.status().objects
    assert (told.stopped, told.sequence) == ("storage-full", 1)
    assert "storage-full" in {alarm.what for alarm in found.receiver.alarms}
    spool.room = 1 << 30
    assert found.run(lambda: found.whole, 90), "there is room again, and a later turn brings it"


def test_row_23_an_old_heartbeat_is_told_and_the_clock_decides_nothing() -> None:
    """The high clock is two years off: the link lives, the difference is told, the objects arrive."""
    found = link(23, (SMALL,))
    ahead = 63_000_000 * SECOND
    found.receiver = Receiver(KEY, PUBLIC, MTU, found.spool, found.now + ahead)
    while not found.sender.idle:
        for datagram in found.sent():
            found.receiver.take(datagram, found.now + ahead)
    assert found.whole
    assert found.receiver.pulse.skew == pytest.approx(-ahead, abs=SECOND)
    status = diode.status_of(found.receiver, KEY, found.now + ahead)
    assert not status.dead(found.now + ahead)
    assert status.dead(found.now + ahead + DEAD + 1)


def test_row_33_a_small_urgent_object_passes_a_hundred_gigabytes() -> None:
    """At 100 Mbit/s, within three seconds of virtual time; the worst of several moments is measured."""
    found = Link(33, Faults(loss=0.02), pace=pace(cap=12_500_000, turns=1))
    found.offer(Endless(100_000_000_000))
    worst = 0
    for number in range(2):
        found.run(seconds=0.7)
        began = found.now
        sequence = len(found.objects) + 1
        found.offer(data(number, 1_000_000), urgent=True)
        assert found.run(lambda sequence=sequence: sequence in found.arrived, 10)  # type: ignore[misc]
        worst = max(worst, found.now - began)
    assert worst < 3 * SECOND
    assert found.status().objects[0].sequence == 1, "the large one goes on"


def test_row_33_what_is_withdrawn_is_sent_no_more() -> None:
    found = link(33, (LARGE, SMALL), pace=pace(turns=100))
    found.run(seconds=0.05)
    found.sender.withdraw(1)
    found.sender.withdraw(99)
    found.run(lambda: 2 in found.arrived, 5)
    found.run(seconds=0.1)
    assert 1 not in found.arrived or found.whole


def test_row_35_a_dead_link_is_told_before_the_third_heartbeat() -> None:
    found = link(35, (SMALL,))
    found.run()
    found.receiver.tick(found.now)
    at = found.receiver.pulse.at
    silent = at + 3 * diode.INTERVAL
    found.receiver.tick(silent - 1)
    assert [alarm.what for alarm in found.receiver.alarms][-1] == "dead"
    assert found.receiver.alarms[-1].at < silent
    found.now = silent + SECOND
    found.heard(found.sent())
    assert [alarm.what for alarm in found.receiver.alarms][-1] == "alive"
