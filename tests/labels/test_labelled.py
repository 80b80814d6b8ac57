"""The envelope: computed with, never looked at."""

from __future__ import annotations

import copy
import functools
import pickle
import traceback

import pytest

from casemate.errors import BadInput, Internal
from casemate.labels import Element, Labelled, combine, gather, make_label
from casemate.labels.unseal import LabelledFailure, unseal

LOW = make_label({"house": Element(1, "INTERNAL")})
HIGH = make_label({"house": Element(3, "RESTRICTED")})
ASIDE = make_label({"tlp": Element(4, "RED")})
CANARY = "canary-7731"


def double(value: int) -> int:
    return value * 2


def add(one: int, other: int) -> int:
    return one + other


def explode(value: object) -> int:
    raise ValueError(f"{CANARY} {value}")


def refuse(value: object) -> int:
    raise BadInput(what=str(value))


class Box:
    def method(self, value: int) -> int:
        return value


def test_map_keeps_the_label() -> None:
    made = Labelled(HIGH, 21).map(double)
    assert made.label is HIGH
    assert unseal(made) == 42


def test_builtins_and_types_are_named_functions_too() -> None:
    assert unseal(Labelled(LOW, "abc").map(len)) == 3
    assert unseal(Labelled(LOW, "12").map(int)) == 12
    assert unseal(Labelled(LOW, "ab").map(str.upper)) == "AB"


def test_combine_and_gather_join_labels() -> None:
    both = combine(Labelled(LOW, 1), Labelled(ASIDE, 2), add)
    assert both.label is (LOW | ASIDE)
    assert unseal(both) == 3
    row = gather(LOW, [Labelled(HIGH, 1), Labelled(ASIDE, 2)])
    assert row.label is (HIGH | ASIDE)
    assert unseal(row) == (1, 2)
    assert gather(LOW, []).label is LOW
    assert unseal(gather(LOW, [])) == ()


def test_raised_joins_a_floor_and_never_lowers() -> None:
    value = Labelled(HIGH, 1)
    assert value.raised(LOW) is value
    assert value.raised(ASIDE).label is (HIGH | ASIDE)
    assert unseal(value.raised(ASIDE)) == 1


def test_a_failure_is_a_value_that_only_unseal_raises() -> None:
    failed = Labelled(HIGH, "secret").map(explode)
    assert failed.label is HIGH
    with pytest.raises(LabelledFailure) as caught:
        unseal(failed.map(double))
    assert caught.value.kind == "ValueError"
    assert isinstance(caught.value.error, Internal)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_our_own_error_is_kept_as_a_fresh_copy() -> None:
    with pytest.raises(LabelledFailure) as caught:
        unseal(Labelled(HIGH, "field").map(refuse))
    assert isinstance(caught.value.error, BadInput)
    assert caught.value.error.facts == {"what": "field"}
    assert caught.value.error.__traceback__ is None
    assert caught.value.error.__context__ is None


def test_a_failure_passes_through_combine_gather_and_raised() -> None:
    failed = Labelled(HIGH, 0).map(explode)
    fine = Labelled(ASIDE, 1)
    for whole in (combine(failed, fine, add), combine(fine, failed, add), gather(LOW, [fine, failed])):
        assert whole.label is (HIGH | ASIDE)
        with pytest.raises(LabelledFailure):
            unseal(whole)
    with pytest.raises(LabelledFailure):
        unseal(failed.raised(ASIDE))


def test_it_shows_compares_and_serialises_nothing() -> None:
    value = Labelled(HIGH, CANARY)
    failed = Labelled(HIGH, CANARY).map(explode)
    assert CANARY not in repr(value) + str(value) + f"{value}" + repr(failed) + repr(failed._value)
    assert "house:RESTRICTED" in repr(value)
    assert value != Labelled(HIGH, CANARY)
    with pytest.raises(TypeError):
        bool(value)
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        pickle.dumps(value)
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        copy.copy(value)
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        copy.deepcopy(value)


def test_it_never_changes() -> None:
    value = Labelled(HIGH, 1)
    with pytest.raises(AttributeError):
        value.label = LOW
    with pytest.raises(AttributeError):
        del value._value


def test_only_named_functions_without_closure_are_taken() -> None:
    outside = [CANARY]

    def closure(value: int) -> int:
        outside.append(str(value))
        return value

    @functools.wraps(double)
    def passes_for_a_named_one(value: int) -> int:
        return closure(value)

    for wrong in (
        lambda value: value,
        closure,
        passes_for_a_named_one,
        Box().method,
        functools.partial(add, 1),
        "abc".join,
    ):
        with pytest.raises(TypeError, match="named function of a module"):
            Labelled(LOW, 1).map(wrong)
        with pytest.raises(TypeError, match="named function of a module"):
            combine(Labelled(LOW, 1), Labelled(LOW, 2), wrong)
    assert outside == [CANARY]


def test_a_wrong_function_is_refused_even_where_the_value_failed() -> None:
    with pytest.raises(TypeError):
        Labelled(LOW, 1).map(explode).map(lambda value: value)
