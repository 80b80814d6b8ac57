"""The way to a state: how much of the log, and which files, are taken."""

from __future__ import annotations

import pytest

from casemate.custody.backup import LINK_BYTES, Base, Commit, Member, Point, Span, Stamp, Title, changed, packs
from casemate.custody.backup_plan import Log, plan
from casemate.errors import BadInput

ONE, TWO = b"1" * 32, b"2" * 32


def titles() -> list[Title]:
    """Two runs of the log; file `a` is changed, `b` goes, `c` comes."""
    return [
        Title(0, "", 5, base=Base(100, 1)),
        Title(1, "", 10, wal=Span(ONE, 1, 5, 4096, 0, (Commit(2, 10), Commit(5, 20)))),
        Title(2, "", 20, files=(Member("a", 1, 0o600), Member("b", 1, 0o600))),
        Title(3, "", 20, point=Point(2)),
        Title(4, "", 30, wal=Span(ONE, 6, 7, 4096, 2, (Commit(7, 30),))),
        Title(5, "", 40, wal=Span(TWO, 1, 4, 4096, 3, (Commit(3, 25), Commit(4, 40)))),
        Title(6, "", 40, files=(Member("a", 2, 0o600), Member("c", 1, 0o600))),
        Title(7, "", 40, point=Point(5, ("b",))),
    ]


def test_to_the_end() -> None:
    way = plan(titles())
    assert (way.commit, way.at) == (5, 40)
    assert way.logs == (Log(ONE, 4096, (1, 4), 7), Log(TWO, 4096, (5,), 4))
    assert [(taken.member.path, taken.link) for taken in way.files] == [("a", 6), ("c", 6)]


def test_after_a_commit_inside_a_link() -> None:
    way = plan(titles(), after=4)
    assert way.logs[-1] == Log(TWO, 4096, (5,), 3)
    assert {taken.member.path: taken.link for taken in way.files} == {"a": 6, "b": 2, "c": 6}
    assert plan(titles(), after=1).logs == (Log(ONE, 4096, (1,), 2),)


def test_at_a_time_no_clock_runs_back() -> None:
    assert [plan(titles(), at=at).commit for at in (10, 19, 20, 29, 30, 39, 40, 99)] == [1, 1, 2, 2, 4, 4, 5, 5]


@pytest.mark.parametrize("after", [0, 6, 99])
def test_what_it_does_not_reach_is_refused(after: int) -> None:
    with pytest.raises(BadInput):
        plan(titles(), after=after)
    with pytest.raises(BadInput):
        plan(titles(), after=2, at=3)
    with pytest.raises(BadInput):
        plan(titles(), at=1)


def test_what_is_new_and_what_is_gone() -> None:
    known = {"a": Stamp(1, 1, 1), "b": Stamp(1, 1, 1), "c": Stamp(1, 1, 1)}
    assert changed(known, {"a": Stamp(1, 1, 1), "c": Stamp(1, 2, 1), "d": Stamp(0, 0, 0)}) == (["c", "d"], ("b",))


def test_packs_are_bounded() -> None:
    members = [Member("big", LINK_BYTES + 1, 0), *[Member(str(n), LINK_BYTES // 3, 0) for n in range(7)]]
    assert [len(pack) for pack in packs(members)] == [1, 3, 3, 1]
    assert list(packs([])) == []
