"""A label as a value: interned, immutable, known by its text."""

from __future__ import annotations

import copy
import gc
import hashlib
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from casemate.errors import MarkingError
from casemate.labels import Element, Label, make_label

SECRET = Element(2, "SECRET", frozenset({("SCI", "SI")}), (("REL", frozenset({"USA", "FRA"})),))


def test_text_and_id_are_canonical() -> None:
    label = make_label({"us": SECRET, "tlp": Element(1, "GREEN")}, ["EXERCISE", "ALPHA"])
    assert label.text == "agency=ALPHA + agency=EXERCISE + tlp:GREEN + us:SECRET//REL=FRA,USA//SCI=SI"
    assert label.id == hashlib.sha256(label.text.encode()).digest()[:16]
    assert label.agencies == {"EXERCISE", "ALPHA"}
    assert [name for name, _ in label.elements] == ["tlp", "us"]
    assert repr(label) == f"<Label {label.text}>"


def test_bottom_elements_are_dropped() -> None:
    assert make_label({"us": Element(0, "UNCLASSIFIED")}).text == "bottom"
    assert make_label({}).elements == ()
    assert make_label({}, ["EXERCISE"]).text == "agency=EXERCISE"


def test_what_is_released_to_some_or_kept_apart_is_no_bottom() -> None:
    assert make_label({"us": Element(0, "LOW", frozenset(), (("REL", frozenset({"USA"})),))}).text == "us:LOW//REL=USA"
    assert make_label({"us": Element(0, "LOW", frozenset({("SCI", "SI")}))}).text == "us:LOW//SCI=SI"


def test_equal_labels_are_one_object() -> None:
    one = make_label({"us": SECRET})
    assert make_label({"us": SECRET}) is one
    assert one == make_label({"us": SECRET})
    assert one != make_label({})
    assert hash(one) == int.from_bytes(hashlib.sha256(one.text.encode()).digest()[:7], "big")
    assert copy.copy(one) is one
    assert copy.deepcopy({"held": one})["held"] is one


def test_many_threads_make_one_label() -> None:
    def build(round_: int) -> list[Label]:
        return [make_label({"house": Element(1, "INTERNAL", frozenset({("TEAM", f"T{n}")}))}) for n in range(50)]

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(build, range(16)))
    assert all(made[n] is built[0][n] for made in built for n in range(50))


def test_a_label_that_nobody_holds_is_forgotten() -> None:
    from casemate.labels.label import _labels

    text = make_label({}, ["FORGOTTEN"]).text
    gc.collect()
    assert text not in _labels


def test_a_label_never_changes_and_is_not_made_by_hand() -> None:
    label = make_label({"us": SECRET})
    with pytest.raises(AttributeError, match="never changes"):
        label.text = "bottom"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="never changes"):
        del label.text
    with pytest.raises(TypeError, match="made by make_label"):
        Label()
    with pytest.raises(TypeError, match="travels as its text"):
        pickle.dumps(label)


@pytest.mark.parametrize(
    ("elements", "agencies"),
    [
        ({}, ["lower"]),
        ({}, ["A + B"]),
        ({}, [""]),
        ({"US": SECRET}, []),
        ({"us": Element(1, "SECRET//X")}, []),
        ({"us": Element(1, "SECRET + TLP")}, []),
        ({"us": Element(1, "A", frozenset({("sci", "SI")}))}, []),
        ({"us": Element(1, "A", frozenset({("SCI", "SI,TK")}))}, []),
        ({"us": Element(1, "A", frozenset(), (("REL", frozenset({"A=B"})),))}, []),
    ],
)
def test_a_name_that_would_make_two_labels_look_alike_is_refused(
    elements: dict[str, Element], agencies: list[str]
) -> None:
    with pytest.raises(MarkingError):
        make_label(elements, agencies)


def test_nobody_and_everybody_are_different() -> None:
    nobody = make_label({"us": Element(2, "SECRET", frozenset(), (("REL", frozenset()),))})
    everybody = make_label({"us": Element(2, "SECRET")})
    assert nobody.text == "us:SECRET//REL="
    assert everybody < nobody
    assert (nobody & everybody) is everybody


def test_needs_come_and_go_without_anything_else() -> None:
    plain = make_label({"us": SECRET}, ["EXERCISE"])
    known = plain.with_needs(["project/HERON", "OSPREY"])
    assert known.text == "agency=EXERCISE + need=OSPREY + need=project/HERON + us:SECRET//REL=FRA,USA//SCI=SI"
    assert known.needs == {"OSPREY", "project/HERON"}
    assert plain < known
    assert known.with_needs(["OSPREY"]) is known
    assert known.without_needs is plain
    assert plain.without_needs is plain
    assert (known & plain) is plain
    with pytest.raises(MarkingError, match="not the name of an authorization"):
        plain.with_needs(["A + B"])


def test_recipients_that_appear_later_change_no_earlier_comparison() -> None:
    before = make_label({"x": Element(0, "LOW", frozenset(), (("REL", frozenset({"AAA"})),))})
    after = make_label({"x": Element(0, "LOW", frozenset(), (("REL", frozenset({"AAA", "NEW-ONE"})),))})
    assert after < before
    assert not before <= after
