"""What Hypothesis makes of good bundles: whatever is changed, both verifiers say the same, and nothing but verdicts."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.transfer.conformance.beside import casemate_verify
from tests.transfer.conformance.both import both_say
from tests.transfer.conformance.forge import AREA, NOW, SIGNERS, Bundle, opener_bytes, root_of, state_of

QUIET = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
LONG = settings(QUIET, max_examples=3000)
VERDICTS = {"accept", "hold", "quarantine", "refuse"}


@cache
def good() -> bytes:
    return Bundle(roots={"1": root_of(), "2": root_of(2, "new", ("root", "rootnew"))}, roles="new").make()


def changed(raw: bytes, changes: list[tuple[int, int, int]]) -> bytes:
    """Bytes put in the place of others, taken out or put in, and the file cut or lengthened by what that makes."""
    data = bytearray(raw)
    for place, kind, value in changes:
        at = place % (len(data) + 1)
        if kind == 0 and at < len(data):
            data[at] = value
        elif kind == 1:
            data[at:at] = bytes([value])
        elif kind == 2:
            del data[at : at + value]
    return bytes(data)


CHANGES = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 6000), st.integers(0, 1 << 21)), st.sampled_from((0, 0, 0, 1, 2)), st.integers(0, 255)
    ),
    min_size=1,
    max_size=4,
)


@QUIET
@given(CHANGES)
@example([(0, 0, 0)])
def test_any_change_of_bytes_is_judged_alike_and_never_accepted(changes: list[tuple[int, int, int]]) -> None:
    judge_bytes(changes)


def judge_bytes(changes: list[tuple[int, int, int]]) -> None:
    raw = changed(good(), changes)
    said = both_say(raw, state_of())
    assert said.verdict == ("accept" if raw == good() else "refuse")


TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ("", "bottom", "us:SECRET", "us:TOP SECRET", "us:SECRET//SCI=SI", "a/b", "..", "con", "sha512:" + "0" * 128)
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**54), 2**54), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
STEPS = ("index", "manifest", "statement", "envelope", "targets", "snapshot", "timestamp")


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and step below a value of JSON."""
    found: list[tuple[Any, Any]] = []
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in list(steps):
        found += [(value, step), *places(inner)]
    return found


@st.composite
def bends(draw: st.DrawFn) -> dict[str, Any]:
    """A step of whose JSON one place is another value, taken away or put beside."""
    step, kind, value = draw(st.sampled_from(STEPS)), draw(st.integers(0, 2)), draw(VALUES)
    chosen = draw(st.integers(0, 10_000))

    def bend(said: Any) -> None:
        listed = places(said)
        holder, last = listed[chosen % len(listed)]
        if kind == 0:
            holder[last] = value
        elif kind == 1:
            del holder[last]
        elif isinstance(holder, list):
            holder.append(value)
        else:
            holder[f"x{chosen}"] = value

    return {step: bend}


@QUIET
@given(bends())
def test_any_change_of_what_is_signed_is_judged_alike(bend: dict[str, Any]) -> None:
    judge_bent(bend)


def judge_bent(bend: dict[str, Any]) -> None:
    try:
        raw = Bundle(bends=bend).make()
    except (TypeError, ValueError, KeyError, AttributeError):
        return  # the forger himself cannot make it: what he would build upon is gone
    assert both_say(raw, state_of()).verdict in VERDICTS


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], int]:
    """A good bundle, a state and a moment, each near the edge of what is taken."""
    near = st.integers(0, 5)
    sequence = draw(st.integers(1, 5))
    state = {
        "sequence": draw(near), "skip": draw(near), "attested": draw(st.sampled_from((0, NOW - 9, NOW, NOW + 9))),
        "window": draw(st.sampled_from((0, 9, 10**18 // 1000))),
        "bundle": draw(st.sampled_from(("", Bundle(sequence=sequence).id.hex()))),
        "label": draw(st.sampled_from(LABELS)), "floor": draw(st.sampled_from(LABELS)),
        "ceiling": draw(st.sampled_from(LABELS)),
        "versions": {role: draw(st.integers(0, 2)) for role in ("snapshot", "targets", "timestamp")},
        "guard": draw(st.sampled_from(("each", "named"))),
    }  # fmt: skip
    made = {
        "sequence": sequence, "expires": NOW + draw(st.integers(-9, 9)), "issued": NOW + draw(st.integers(-99, 9)),
        "labels": {"weights": draw(st.sampled_from((*LABELS, None, "x")))},
        "signs": tuple(draw(st.lists(st.sampled_from(SIGNERS), min_size=1, unique=True))),
        "bends": {"statement": lambda said: said["predicate"].update(label=draw_label)},
    }  # fmt: skip
    draw_label = draw(st.sampled_from((state["label"], "us:SECRET")))
    return made, state, NOW + draw(st.integers(-9, 9))


LABELS = (
    "bottom",
    "us:CONFIDENTIAL",
    "us:SECRET",
    "us:SECRET//REL=GBR,USA",
    "us:SECRET//SCI=SI",
    "us:TOP SECRET//SCI=SI,TK",
    "agency=NAVY + us:SECRET",
    "site:CLOSED + us:SECRET",
)


@QUIET
@given(histories())
def test_any_state_and_moment_are_judged_alike(drawn: tuple[dict[str, Any], dict[str, Any], int]) -> None:
    judge_history(drawn)


def judge_history(drawn: tuple[dict[str, Any], dict[str, Any], int]) -> None:
    made, state, now = drawn
    assert both_say(Bundle(**made).make(), state_of(**state), now).verdict in VERDICTS


@QUIET
@given(
    st.one_of(
        st.binary(max_size=400),
        CHANGES.map(lambda changes: changed(state_of(), changes)),
        VALUES.map(lambda v: json.dumps(v).encode()),
    )
)
def test_a_state_is_read_or_unusable(raw: bytes) -> None:
    for reader in (casemate_verify.read_state, casemate_verify.read_guards):
        try:
            reader(raw)
        except casemate_verify.Unusable:
            continue


@QUIET
@given(st.binary(max_size=400), st.sampled_from((b"", b"CMBNDL\x00\x02")), st.booleans())
def test_random_bytes_are_refused(raw: bytes, head: bytes, filled: bool) -> None:
    data = (head + raw).ljust(AREA + (1 << 20) + 16 if filled else 0, b"\x00")
    opener = casemate_verify.Opener(opener_bytes())
    known = casemate_verify.read_state(state_of())
    assert casemate_verify.verify(io.BytesIO(data), known, NOW, opener).rule == "bounds"


@pytest.mark.long
@pytest.mark.parametrize("judge", [judge_bytes, judge_bent, judge_history], ids=lambda judge: judge.__name__)
def test_both_agree_at_full_length(judge: Any) -> None:
    drawn = {judge_bytes: CHANGES, judge_bent: bends(), judge_history: histories()}[judge]
    LONG(given(drawn)(judge))()
