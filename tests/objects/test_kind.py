"""Kinds: what is encoded is decoded, older versions are upgraded, newer and broken ones are Damaged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Damaged
from casemate.objects import Kind


class Old(msgspec.Struct, frozen=True):
    name: str


class New(msgspec.Struct, frozen=True):
    title: str
    pages: int = 1


def renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {"title": fields["name"], "pages": 7}


OLD = Kind("thing", Old)
NEW = Kind("thing", New, version=2, indexed=("title", "pages"), upgrades={1: renamed})


@given(st.text(), st.integers(0, 1000))
def test_a_value_comes_back(title: str, pages: int) -> None:
    assert NEW.decode(NEW.encode(New(title, pages))) == New(title, pages)


def test_an_older_version_is_upgraded() -> None:
    assert NEW.decode(OLD.encode(Old("charter"))) == New("charter", 7)


@pytest.mark.parametrize(
    "raw",
    [
        NEW.encode(New("x")),  # newer than OLD knows
        b"\xc1",
        msgspec.msgpack.encode((1, {"other": 1})),
        msgspec.msgpack.encode((0, {})),  # a version that no upgrade knows
    ],
)
def test_what_cannot_be_read_is_damaged(raw: bytes) -> None:
    with pytest.raises(Damaged):
        OLD.decode(raw)


def test_indexed_fields_are_text() -> None:
    assert NEW.index(New("a", 3)) == (("title", "a"), ("pages", "3"))
