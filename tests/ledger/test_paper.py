from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.ledger import EMPTY, Head, print_paper, read_paper

HEAD = Head("abcdefghijklmnopqrstuvwxyz", 1234567, EMPTY.hex())
LINES = print_paper(HEAD).lines


@given(st.integers(0, 2**63 - 1), st.sampled_from([32, 48]), st.data())
def test_a_head_is_typed_back(size: int, width: int, data: st.DataObject) -> None:
    head = Head("log_1", size, data.draw(st.binary(min_size=width, max_size=width)).hex())
    assert read_paper(print_paper(head).lines) == head


def test_it_is_short_groups_on_few_lines() -> None:
    assert len(LINES) == 4
    assert all(re.fullmatch(r"L[1-9] [a-z2-7]{5}(-[a-z2-7]{1,5}){1,7}", line) for line in LINES)


def test_how_it_is_typed_does_not_matter() -> None:
    typed = [line.upper().replace("-", "  ").replace("O", "0") for line in LINES]
    assert read_paper(["", *typed, " "]) == HEAD
    assert read_paper([line[1:] for line in LINES]) == HEAD


def test_every_letter_typed_wrong_is_found_in_its_line() -> None:
    for number, line in enumerate(LINES, 1):
        for place in range(3, len(line)):
            if line[place] != "-":
                wrong = line[:place] + ("a" if line[place] != "a" else "c") + line[place + 1 :]
                with pytest.raises(BadInput, match=f"Line {number} was typed wrong"):
                    read_paper([*LINES[: number - 1], wrong, *LINES[number:]])


@pytest.mark.parametrize(
    "lines", [[], LINES[:-1], LINES[1:], (LINES[1], LINES[0], *LINES[2:]), ["L1"], ["hello"], ["L1 abcde"]]
)
def test_missing_or_swapped_lines_are_told(lines: list[str]) -> None:
    with pytest.raises(BadInput):
        read_paper(lines)


@pytest.mark.parametrize(
    "head", [Head("log", 1, "zz"), Head("log", 1, "00"), Head("", 1, EMPTY.hex()), Head("é", 1, EMPTY.hex())]
)
def test_what_is_no_head_is_not_printed(head: Head) -> None:
    with pytest.raises(BadInput):
        print_paper(head)


def test_lines_that_are_right_and_too_few_are_told() -> None:
    """Four lines of six are whole bytes: all but the head's end."""
    lines = print_paper(Head("l" * 60, 7, EMPTY.hex())).lines
    assert len(lines) == 6
    with pytest.raises(BadInput, match="Lines are missing"):
        read_paper(lines[:4])
