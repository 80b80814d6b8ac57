"""The two sides against each other: whatever comes, neither breaks, and what one has made the other reads the same."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.transfer.guard import RULES, Asked, judge
from casemate.transfer.guard.schema import Anything
from tests.transfer.guard import fuzz, samples

DEFECTS = {"guard-differs", "guard-crash", "guard-memory"}
DIRECTIONS = st.sampled_from(("in", "out"))
WELL = st.characters(exclude_categories=("Cs",))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.decimals(allow_nan=False, allow_infinity=False, places=6).map(float)
    | st.text(WELL)
)


def exact(said: str | bytes) -> Any:
    return json.loads(said, parse_int=Decimal, parse_float=Decimal)


def holds(format: Any, raw: bytes, direction: Any, schema: Any = None) -> tuple[bool, bytes]:
    """Judged, and judged again where it crosses: the verdict is one of the rules, and the form is one form."""
    said, made = judge(raw, Asked(format, direction, schema))
    assert said.rule not in DEFECTS, said
    assert said.agrees == (said.rule == "")
    if not said.agrees:
        assert said.rule in RULES
        return False, b""
    again, same = judge(made, Asked(format, direction, schema))
    assert (again.agrees, again.changed, same) == (True, False, made), again
    return True, made


@given(st.text(WELL), DIRECTIONS)
def test_texts(text: str, direction: str) -> None:
    holds("text", text.encode(), direction)


@given(
    st.lists(st.tuples(st.text(WELL, min_size=1), st.integers(-2000, 20_000), st.decimals(places=3)), max_size=4),
    DIRECTIONS,
)
def test_tables(rows: list[tuple[str, int, Any]], direction: str) -> None:
    lines = ['"' + name.replace('"', '""') + f'",{count},{price},,,' for name, count, price in rows]
    holds("csv", "\r\n".join(["name,count,price,day,kind,seen", *lines]).encode(), direction, samples.TABLE)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(WELL), inner), max_leaves=12))
def test_documents_of_anything_cross_inward_and_say_the_same(value: Any) -> None:
    crosses, made = holds("json", json.dumps(value).encode(), "in", Anything())
    if crosses:
        assert exact(made) == exact(json.dumps(value))


@given(st.text(WELL, max_size=80), st.text(WELL, max_size=40), st.lists(st.integers(-9, 99), max_size=20), DIRECTIONS)
def test_documents_of_a_schema(name: str, token: str, sizes: list[int], direction: str) -> None:
    said = {"name": name, "token": token, "sizes": sizes, "pair": [True, "2000-02-29"]}
    holds("json", json.dumps(said).encode(), direction, samples.DOCUMENT)


@given(st.integers(0), st.integers(1, 9), st.integers(1, 9), st.sampled_from((0, 2, 4, 6)), DIRECTIONS)
def test_pictures(seed: int, width: int, height: int, colour: int, direction: str) -> None:
    crosses, _ = holds("png", samples.picture(random.Random(seed), width, height, colour)[0], direction)
    assert crosses


@given(st.lists(st.tuples(st.sampled_from(("U8", "F32", "BF16")), st.lists(st.integers(0, 4), max_size=3)), max_size=5))
def test_tensors(shapes: list[tuple[str, list[int]]]) -> None:
    header, end = {}, 0
    for place, (dtype, shape) in enumerate(shapes):
        size = {"U8": 1, "F32": 4, "BF16": 2}[dtype]
        for side in shape:
            size *= side
        header[f"t.{-place}"] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    crosses, made = holds("safetensors", samples.tensors(header, bytes(end)), "in")
    assert crosses
    assert made.endswith(bytes(end))


@settings(max_examples=300)
@given(st.data())
def test_altered_files(data: st.DataObject) -> None:
    """A good file with pieces changed, cut, doubled or moved."""
    format, raw, schema = data.draw(st.sampled_from(samples.VALID))
    for _ in range(data.draw(st.integers(1, 3))):
        at, to = sorted((data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, len(raw)))))
        piece = data.draw(
            st.sampled_from((b"", raw[at:to], raw[at:to] * 2, b"\0", b'"', b"\xff\xff\xff\xff", b"[", b"9"))
        )
        raw = raw[:at] + piece + raw[to:] if data.draw(st.booleans()) else raw[:at] + piece + raw[at:]
    holds(format, raw, data.draw(DIRECTIONS), schema)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_bytes_of_anything(raw: bytes) -> None:
    fuzz.one(raw)


@pytest.mark.parametrize("place", range(len(samples.VALID)))
def test_the_fuzzer_reaches_every_format(place: int) -> None:
    fuzz.one(bytes([place]) + samples.VALID[place][1])
    fuzz.one(bytes([place | 0x80]) + samples.VALID[place][1])


@pytest.mark.long
def test_a_hundred_thousand_runs_of_atheris() -> None:
    assert fuzz.atheris(100_000) == 0
