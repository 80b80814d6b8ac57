"""How a service goes on: by examples, and for any order of what replicas may say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from casemate.clock import SECOND
from casemate.jobs import Replica, Service, Serving, Spec
from casemate.jobs.service import FAILING, LONGEST, PAUSE, ROOM, Course, Seen, onward, revised

TWO = Service(replicas=2, start_s=60, drain_s=10)
WELL, RUNS, BUSY, GONE = Seen(True, True), Seen(True), Seen(True, True, 1), Seen(ended="exit 1")


def _up(serving: Serving, told: Service = TWO, now: int = 0) -> Serving:
    """As many as are wanted, all well."""
    course = onward(serving, told, dict.fromkeys((one.index for one in serving.replicas), WELL), now)
    return onward(course.serving, told, dict.fromkeys((r.index for r in course.serving.replicas), WELL), now).serving


def _states(course: Course) -> list[tuple[int, str]]:
    return [(one.index, one.state) for one in course.serving.replicas]


def test_as_many_begin_as_are_wanted_and_are_asked_once_they_are_well() -> None:
    first = onward(Serving(), TWO, {}, 0)
    assert (first.begin, first.doors, first.serving.made) == ((0, 1), (), 2)
    then = onward(first.serving, TWO, {0: WELL, 1: RUNS}, SECOND)
    assert (then.doors, then.begin, then.stop) == ((0,), (), ())


def test_what_ends_is_begun_again_after_a_pause_that_doubles() -> None:
    serving, now, pauses = _up(Serving(), replace(TWO, replicas=1)), 0, []
    for _ in range(12):
        one = serving.replicas[-1].index
        lost = onward(serving, replace(TWO, replicas=1), {one: GONE}, now)
        assert (lost.begin, lost.doors, lost.serving.why) == ((), (), "exit 1")
        pauses.append(lost.serving.again - now)
        now = lost.serving.again
        serving = onward(lost.serving, replace(TWO, replicas=1), {}, now).serving
    assert pauses[:4] == [PAUSE, 2 * PAUSE, 4 * PAUSE, 8 * PAUSE]
    assert pauses[-1] == LONGEST
    [last] = serving.replicas
    serving = onward(serving, replace(TWO, replicas=1), {last.index: WELL}, now).serving
    assert serving.failures == 12
    assert onward(serving, replace(TWO, replicas=1), {last.index: WELL}, now + FAILING + 1).serving.failures == 0


def test_one_that_fails_is_not_asked_and_ends_when_it_does_not_recover() -> None:
    serving = _up(Serving())
    ill = onward(serving, TWO, {0: RUNS, 1: WELL}, SECOND)
    assert (ill.doors, ill.stop) == ((1,), ())
    assert onward(ill.serving, TWO, {0: WELL, 1: WELL}, 2 * SECOND).doors == (0, 1)
    still = onward(ill.serving, TWO, {0: RUNS, 1: WELL}, SECOND + FAILING)
    assert still.stop == ()
    over = onward(ill.serving, TWO, {0: RUNS, 1: WELL}, SECOND + FAILING + 1)
    assert (over.stop, over.serving.why, over.doors) == ((0,), "HEALTH", (1,))


def test_one_that_never_becomes_well_is_ended_but_waits_for_room_as_long_as_it_takes() -> None:
    serving = onward(Serving(), TWO, {}, 0).serving
    for minute in range(1, 60):  # it has no room
        course = onward(serving, TWO, {0: Seen(), 1: Seen()}, minute * 40 * SECOND)
        assert course.stop == ()
        serving = course.serving
    begun = serving.replicas[0].since
    course = onward(serving, TWO, {0: RUNS, 1: WELL}, begun + 61 * SECOND)
    assert (course.stop, course.serving.why) == ((0,), "START")


def test_a_new_revision_takes_over_one_by_one_and_what_drains_finishes() -> None:
    serving, now = _up(Serving()), SECOND
    serving = revised(serving, Spec(("a",), service=TWO), Spec(("b",), service=TWO))
    assert serving.revision == 2
    first = onward(serving, TWO, {0: WELL, 1: WELL}, now)
    assert (first.begin, first.doors) == ((2,), (0, 1))
    waits = onward(first.serving, TWO, {0: WELL, 1: WELL, 2: RUNS}, now)
    assert (waits.begin, waits.doors) == ((), (0, 1))
    over = onward(waits.serving, TWO, {0: WELL, 1: BUSY, 2: WELL}, now)
    assert (over.doors, over.begin) == ((1, 2), (3,))
    last = onward(over.serving, TWO, {0: WELL, 1: BUSY, 2: WELL, 3: WELL}, now)
    assert (last.doors, last.stop) == ((2, 3), ())
    quiet = onward(last.serving, TWO, {0: WELL, 1: BUSY, 2: WELL, 3: WELL}, now + 2 * SECOND)
    assert quiet.stop == (0,)
    late = onward(quiet.serving, TWO, {0: WELL, 1: BUSY, 2: WELL, 3: WELL}, now + 11 * SECOND)
    assert late.stop == (1,)
    assert onward(late.serving, TWO, {2: WELL, 3: WELL}, now + 12 * SECOND).serving.failures == 0


def test_where_there_is_no_room_beside_them_one_of_several_old_ones_makes_it() -> None:
    serving = revised(_up(Serving()), Spec(("a",), service=TWO), Spec(("b",), service=TWO))
    serving = onward(serving, TWO, {0: WELL, 1: WELL}, 0).serving
    waits = onward(serving, TWO, {0: WELL, 1: WELL, 2: Seen()}, ROOM)
    assert waits.doors == (0, 1)
    less = onward(waits.serving, TWO, {0: WELL, 1: WELL, 2: Seen()}, ROOM + 1)
    assert (less.doors, less.begin) == ((1,), (3,))
    still = onward(less.serving, TWO, {0: WELL, 1: WELL, 2: Seen(), 3: Seen()}, 2 * ROOM)
    assert (still.doors, still.stop) == ((1,), (0,)), "the last that is well stays"
    over = onward(still.serving, TWO, {1: WELL, 2: WELL, 3: Seen()}, 2 * ROOM)
    assert over.doors == (1, 2)
    last = onward(over.serving, TWO, {1: WELL, 2: WELL, 3: Seen()}, 3 * ROOM)
    assert last.doors == (2,)


def test_the_only_one_is_not_taken_out_for_room() -> None:
    one = Service(replicas=1, start_s=60, drain_s=10)
    serving = revised(_up(Serving(), one), Spec(("a",), service=one), Spec(("b",), service=one))
    for second in range(100):
        course = onward(serving, one, {0: WELL, 1: Seen()}, second * SECOND)
        serving = course.serving
        assert course.doors == (0,)


def test_more_or_fewer_are_no_new_revision_and_another_port_is() -> None:
    before = Spec(("a",), kind="service", service=TWO)
    for told in (replace(TWO, replicas=5), replace(TWO, drain_s=3), replace(TWO, start_s=9)):
        assert revised(Serving(), before, replace(before, service=told)).revision == 1
    assert revised(Serving(), before, replace(before, service=replace(TWO, port=9000))).revision == 2
    fewer = onward(_up(Serving()), replace(TWO, replicas=1), {0: WELL, 1: WELL}, SECOND)
    assert _states(fewer) == [(0, "healthy"), (1, "draining")]


def test_a_stop_takes_all_of_them_out_and_begins_none() -> None:
    serving = onward(_up(Serving()), replace(TWO, replicas=3), {0: WELL, 1: WELL}, 0).serving
    course = onward(serving, TWO, {0: WELL, 1: WELL, 2: RUNS}, SECOND, stop=True)
    assert (course.doors, course.stop, course.begin) == ((), (2,), ())
    course = onward(course.serving, TWO, {0: WELL, 1: WELL, 2: RUNS}, 3 * SECOND, stop=True)
    assert course.stop == (0, 1)
    assert onward(course.serving, TWO, {}, 4 * SECOND, stop=True).serving.replicas == ()


SAID = st.sampled_from([WELL, WELL, RUNS, BUSY, Seen(), GONE])


@settings(max_examples=300)
@given(st.lists(st.tuples(st.lists(SAID, min_size=8, max_size=8), st.integers(0, 40), st.integers(0, 5)), max_size=30))
def test_whatever_replicas_say_no_more_run_than_are_wanted_and_one(
    steps: list[tuple[list[Seen], int, int]],
) -> None:
    serving, told, now, ended, stopped = Serving(), TWO, 0, set[int](), set[int]()
    for said, seconds, change in steps:
        now += seconds * SECOND
        if change == 0:
            serving = revised(serving, Spec(("a",), service=told), Spec(("b",), service=told))
        seen = {one.index: said[place % 8] for place, one in enumerate(serving.replicas)}
        before: dict[int, Replica] = {one.index: one for one in serving.replicas}
        course = onward(serving, told, seen, now)
        serving = course.serving
        indexes = [one.index for one in serving.replicas]
        assert len(set(indexes)) == len(indexes)
        asked = [one for one in serving.replicas if one.state in ("starting", "healthy", "failing")]
        assert len(asked) <= told.replicas + 1
        assert all(seen[index].healthy for index in course.doors)
        assert not stopped & set(course.stop)  # each is asked to end once
        assert not ended & set(indexes)  # what has ended never comes back
        taken = [i for i, one in before.items() if one.state == "healthy" and i in seen and seen[i].healthy]
        left = [one.index for one in serving.replicas if one.state == "healthy"]
        # nothing well is taken out before another is in its place, but for the room of one that has none
        waits = any(one.state == "starting" and not seen[i].runs for i, one in before.items())
        assert len(left) >= min(len(taken), told.replicas - waits)
        stopped |= set(course.stop)
        ended |= {index for index, one in seen.items() if one.ended}
