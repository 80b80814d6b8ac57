"""What every Sealer promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.engines.key_store import KeyStore
from casemate.errors import Damaged
from casemate.store import Sealer


@pytest.fixture(params=[KeyStore])
def sealer(request: pytest.FixtureRequest, tmp_path: Path) -> Sealer:
    return request.param(tmp_path / "keys")  # type: ignore[no-any-return]


def test_what_is_sealed_opens_for_the_same_class_purpose_and_aad(sealer: Sealer) -> None:
    sealed = sealer.seal("class_a", "document", b"content", b"aad")
    assert b"content" not in sealed
    assert sealer.open("class_a", "document", sealed, b"aad") == b"content"


def test_it_opens_into_memory_as_well(sealer: Sealer) -> None:
    into = memoryview(bytearray(7))
    sealer.open_into(
        "class_a", "document", memoryview(sealer.seal("class_a", "document", b"content", b"aad")), b"aad", into
    )
    assert bytes(into) == b"content"
    with pytest.raises(Damaged):
        sealer.open_into(
            "class_b", "document", memoryview(sealer.seal("class_a", "document", b"content", b"")), b"", into
        )


@pytest.mark.parametrize(
    ("class_id", "purpose", "aad"),
    [("class_b", "document", b"aad"), ("class_a", "entry", b"aad"), ("class_a", "document", b"other")],
)
def test_it_opens_for_no_other(sealer: Sealer, class_id: str, purpose: str, aad: bytes) -> None:
    sealed = sealer.seal("class_a", "document", b"content", b"aad")
    with pytest.raises(Damaged):
        sealer.open(class_id, purpose, sealed, aad)


def test_sealing_the_same_twice_does_not_show_it(sealer: Sealer) -> None:
    assert sealer.seal("c", "p", b"same", b"") != sealer.seal("c", "p", b"same", b"")


def test_blinds_are_equal_for_equal_values_of_a_field_in_a_class_alone(sealer: Sealer) -> None:
    blind = sealer.blind("class_a", "name", "ada")
    assert blind == sealer.blind("class_a", "name", "ada")
    others = [("class_b", "name", "ada"), ("class_a", "title", "ada"), ("class_a", "name", "adb")]
    assert blind not in [sealer.blind(*other) for other in others]
    assert len(blind) == 48


def test_it_says_how_its_keys_are_kept(sealer: Sealer) -> None:
    assert sealer.describe().endswith(".")
