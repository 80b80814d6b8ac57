"""Somebody's own terminal while he works in a job's: what may reach it, and that it is as it was afterwards."""

from __future__ import annotations

import os
import signal
import termios
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.cli.screen import Steered, raw

PASSES = [
    b"plain \xc3\xa9\r\n", b"\x1b[1;31mred\x1b[0m", b"\x1b[2J\x1b[10;20H", b"\x1b[?1049h", b"\x1b[6n", b"\x1b[?25l",
    b"\x1b(B", b"\x1b7\x1b8", b"\x1b=", b"\x1bM", b"\xc2\xa0", b"\x1b[4 q", b"\x1b[5n",
    b"\x1b[u", b"\x1b[2S", b"\x1b[!p",
    b"\x1b[1;1;2;2$z", b"\x1b[>4;2m", b"\xe2\x9c\x93 \x1b[1m\xe2\x9c\x93",
]  # fmt: skip
DROPPED = [
    b"\x1b]2;title\x07", b"\x1b]0;title\x1b\\", b"\x1b]52;c;?\x07", b"\x1b]52;c;aGk=\x1b\\", b"\x1bP$qm\x1b\\",
    b"\x1b_apc\x1b\\", b"\x1b^pm\x1b\\", b"\x1bXsos\x1b\\", b"\x1b[21t", b"\x1b[c", b"\x1b[>c", b"\x1b[>q", b"\x1b[x",
    b"\x1b[?1$p", b"\x1b[5i", b"\xc2\x9d2;title\x07", b"\xc2\x9b21t", b"\x1bZ", b"\x05", b"\x1b]8;;http://e\x07",
    # a byte that is part of a letter, and that ended the strings of 8 bits once
    b"\x1b]2;\xe2\x9c\x93 title\x07", b"\x1b]52;c;aGk=\x9c\x07", b"\x1b]2;\xc2\x9b\x9c\x1b\\", b"\x1bP\x9c$qm\x1b\\",
    b"\x1bktitle\x1b\\",
    # what is asked: a checksum of a part of the screen, its colours, the state of the cursor, keys, colours, the mouse
    b"\x1b[1;1;1;1;1;9*y", b"\x1b[1;1;1;9#|", b"\x1b[1$w", b"\x1b[2$w", b"\x1b[&u", b"\x1b[?u", b"\x1b[?2;1;0S",
    b"\x1b[?996n", b"\x1b[?15n", b"\x1b[1'|", b"\xc2\x9b1;1;1;1;1;9*y", b"\x1b[?$p",
]  # fmt: skip


@pytest.mark.parametrize("said", PASSES)
def test_what_moves_and_colours_passes(said: bytes) -> None:
    assert Steered().shown(said + b"|") == said + b"|"


@pytest.mark.parametrize("said", DROPPED)
def test_what_speaks_past_the_screen_does_not(said: bytes) -> None:
    shown = Steered().shown(b"a" + said + b"b")
    assert shown.replace(b"\x1b\\", b"") == b"ab"


@pytest.mark.parametrize("said", DROPPED)
def test_nor_in_pieces(said: bytes) -> None:
    steered, whole = Steered(), b""
    for at in range(len(said)):
        whole += steered.shown(said[at : at + 1])
    whole += steered.shown(b"b")
    assert whole.replace(b"\x1b\\", b"") == b"b"


def test_a_string_without_an_end_is_never_shown() -> None:
    steered = Steered()
    assert steered.shown(b"\x1b]2;" + b"x" * 200_000) == b""
    assert steered.shown(b"y" * 10) == b""
    assert steered.shown(b"z\x07after") == b"after"


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_pieces_show_the_same_and_no_title_ever(data: bytes, cuts: list[int]) -> None:
    data = data.replace(b"q", b"\x1b]2;").replace(b"r", b"\x1b[").replace(b"s", b"\x07")
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    steered, shown = Steered(), b""
    for start, end in pairwise(places):
        shown += steered.shown(data[start:end])
    assert b"\x1b]" not in shown
    assert b"\xc2\x9d" not in shown


def test_a_terminal_is_raw_and_then_as_it_was() -> None:
    outer, inner = os.openpty()
    before = termios.tcgetattr(inner)
    with raw(inner):
        assert not termios.tcgetattr(inner)[3] & termios.ECHO
    assert termios.tcgetattr(inner) == before
    with pytest.raises(ValueError, match="broken"), raw(inner):
        raise ValueError("broken")
    assert termios.tcgetattr(inner) == before
    with pytest.raises(SystemExit) as end, raw(inner):
        os.kill(os.getpid(), signal.SIGTERM)
    assert (end.value.code, termios.tcgetattr(inner)) == (143, before)
    with raw(os.open(os.devnull, os.O_RDONLY)):
        pass
    os.close(outer)
    os.close(inner)
