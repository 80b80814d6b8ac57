"""A chain's verdict: what is missing, swapped, doubled, cut or another's is told by its number."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.custody.backup import Base, Commit, Head, Member, Point, Span, Title
from casemate.custody.backup_verdict import Fault, Link, Verdict, judge


def chain(spans: int = 4) -> list[Link]:
    """A base, some spans with a point after every second one."""
    links: list[Link] = []

    def add(**what: Any) -> None:
        number = len(links)
        previous = links[-1].digest if links else ""
        title = Title(number, previous, number, **what)
        links.append(Link(f"f{number * 7919 % 1000:03d}", f"digest-{number}", title, signed=True))

    add(base=Base(10, 0))
    frame = 0
    for turn in range(spans):
        add(wal=Span(b"h" * 32, frame + 1, frame + 2, 4096, turn, (Commit(frame + 2, turn),)))
        frame += 2
        if turn % 2:
            add(files=(Member(f"f{turn}", 1, 0o600),))
            add(point=Point(turn + 1))
    return links


def faults(verdict: Verdict) -> set[tuple[str, int | None]]:
    return {(fault.what, fault.number) for fault in verdict.faults}


def test_a_whole_chain() -> None:
    links = chain()
    last = links[-1]
    verdict = judge(links, Head("c", 8, last.digest, 4, 0))
    assert verdict.whole
    assert [link.digest for link in verdict.links] == [link.digest for link in links]
    assert (verdict.points, verdict.unfinished) == ((4, 8), 0)


@pytest.mark.parametrize("number", range(9))
def test_a_missing_link_is_named_and_what_precedes_it_is_whole(number: int) -> None:
    links = chain()
    head = Head("c", 8, links[-1].digest, 4, 0)
    verdict = judge([link for at, link in enumerate(links) if at != number], head)
    assert (("cut" if number == 8 else "missing"), number) in faults(verdict)
    assert len(verdict.links) == number


def test_without_a_head_a_cut_is_told_as_unfinished() -> None:
    verdict = judge(chain()[:-1])
    assert (verdict.whole, verdict.unfinished) == (True, 3)


def test_what_opens_and_is_not_signed_is_told_and_counts_for_nothing() -> None:
    """In the place of a link, and beside the chain."""
    links = chain()
    forged = replace(links[3], signed=False)
    verdict = judge([*links[:3], forged, *links[4:]])
    assert faults(verdict) >= {("tampered", 3), ("missing", 3)}
    assert (len(verdict.links), verdict.tampered) == (3, True)
    beside = judge([*links, replace(forged, name="beside")])
    assert faults(beside) == {("tampered", 3)}
    assert len(beside.links) == len(links)
    assert not judge(links).tampered


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 1 << 30))
def test_another_link_in_a_place_is_told(one: int, other: int, seed: int) -> None:
    """Whatever takes a link's place, by its number or by its digest, is seen at it or at the next."""
    links = chain()
    title = links[other].title
    assert title is not None
    forged = Link("zzz", f"digest-{seed}", msgspec.structs.replace(title, number=one), signed=True)
    if one == other:
        forged = replace(forged, title=msgspec.structs.replace(title, previous="other"))
    there = [link for at, link in enumerate(links) if at != one]
    random.Random(seed).shuffle(there)
    verdict = judge([*there, forged], Head("c", 8, links[-1].digest, 4, 0))
    assert not verdict.whole
    assert len(verdict.links) <= one + 1


def test_doubled_damaged_and_foreign_links_are_named() -> None:
    links = chain()
    assert ("doubled", 3) in faults(judge([*links, replace(links[3], name="zz")]))
    assert Fault("damaged", None, "bad") in judge([*links, Link("bad", "", None)]).faults
    assert Fault("foreign", None, "far") in judge([*links, Link("far", "", None, foreign=True)]).faults


def test_frames_that_do_not_follow_are_a_gap() -> None:
    links = chain(2)
    title = links[2].title
    assert title is not None
    assert title.wal is not None
    for other in (
        msgspec.structs.replace(title.wal, first=4),
        msgspec.structs.replace(title.wal, before=0),
        msgspec.structs.replace(title.wal, header=b"i" * 32),
    ):
        changed = replace(links[2], title=msgspec.structs.replace(title, wal=other))
        assert ("gap", 2) in faults(judge([*links[:2], changed, *links[3:]]))


def test_nothing_is_no_chain() -> None:
    assert faults(judge([])) == {("missing", 0)}
