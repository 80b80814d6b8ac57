from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Damaged, TooLarge
from casemate.ledger import Entry, canonical, fitted, parse
from casemate.ledger.entry import BOUND
from tests.ledger.histories import entry

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
ENTRIES = st.builds(
    Entry,
    id=TEXT,
    log=TEXT,
    at=st.integers(-(2**63), 2**63 - 1),
    session=TEXT,
    principal=TEXT,
    action=TEXT,
    outcome=TEXT,
    rule=TEXT,
    facts=st.dictionaries(TEXT, TEXT | st.integers(-(2**63), 2**63 - 1), max_size=4),
    subjects=st.lists(TEXT, max_size=3).map(tuple),
    content=TEXT,
    ref=TEXT,
)


@given(ENTRIES)
def test_canonical_text_is_what_the_standard_library_writes_sorted_and_tight(made: Entry) -> None:
    plain = msgspec.to_builtins(made)
    assert canonical(made) == json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(ENTRIES)
def test_an_entry_is_read_back_as_it_was(made: Entry) -> None:
    assert parse(canonical(made)) == made


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b" ",
        lambda raw: raw.replace(b'":"', b'": "', 1),
        lambda raw: raw.replace(b"{", b'{"zz":1,', 1),
        lambda raw: raw.replace(b"ada", b"\\u0061da"),
        lambda raw: raw.replace(b'"at":', b'"at":0,"at":'),
        lambda raw: raw.replace(b'"found":3', b'"found":3.5'),
        lambda raw: raw.replace(b'"found":3', b'"found":true'),
        lambda raw: raw[:-1],
        lambda raw: b"",
        lambda raw: b"\xff",
        lambda raw: raw.replace(b"ada", b"\xff"),
        lambda raw: b"[]",
    ],
)
def test_any_other_way_of_writing_it_is_damaged(change) -> None:  # type: ignore[no-untyped-def]
    raw = canonical(entry(3))
    assert change(raw) != raw
    with pytest.raises(Damaged):
        parse(change(raw))


@pytest.mark.parametrize("value", [True, 1.5, None, b"x", ["x"]])
def test_a_fact_that_could_not_be_read_back_is_never_written(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(msgspec.structs.replace(entry(1), facts={"fact": value}))


def test_an_entry_that_would_not_fit_into_a_bundle_is_made_to_fit() -> None:
    made = msgspec.structs.replace(entry(1), subjects=tuple(f"document/doc_{n}@class_a" for n in range(5000)))
    short, plain = fitted(made)
    assert plain == canonical(short)
    assert len(canonical(short)) <= BOUND
    assert BOUND - len(canonical(short)) < 100
    assert short.subjects == made.subjects[: len(short.subjects)]
    assert short.facts == {**made.facts, "subjects": 5000}
    long, _ = fitted(msgspec.structs.replace(entry(1), facts={"reason": "é" * 50_000}))
    assert long.facts == {"reason": "é" * 1000, "subjects": 1}
    assert long.subjects == entry(1).subjects
    assert fitted(entry(1)) == (entry(1), canonical(entry(1)))
    with pytest.raises(TooLarge):
        fitted(msgspec.structs.replace(entry(1), session="x" * 70_000))
