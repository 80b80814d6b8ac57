from __future__ import annotations

import msgspec
import pytest

from casemate.errors import Damaged
from casemate.store import Row, check, put_digest, row_digest

SEALED = b"sealed bytes"
ROW = Row(
    "class_a", "document", "doc_1", 3, 7, SEALED, row_digest(put_digest("class_a", "document", "doc_1", SEALED), 3, 7)
)


def test_a_row_as_written_passes() -> None:
    assert check(ROW) is ROW


@pytest.mark.parametrize(
    "change",
    [
        {"class_id": "class_b"},
        {"kind": "documents"},
        {"id": "doc_2"},
        {"version": 4},
        {"version": -1},
        {"version": 1 << 63},
        {"seq": 8},
        {"seq": -1},
        {"seq": 1 << 63},
        {"sealed": b"sealed byteS"},
        {"sealed": b""},
        {"digest": b""},
        {"digest": bytes(48)},
    ],
)
def test_a_row_with_anything_changed_is_damaged(change: dict[str, object]) -> None:
    with pytest.raises(Damaged):
        check(msgspec.structs.replace(ROW, **change))


def test_every_flipped_bit_of_the_sealed_bytes_is_damaged() -> None:
    for place in range(len(SEALED) * 8):
        changed = bytearray(SEALED)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Damaged):
            check(msgspec.structs.replace(ROW, sealed=bytes(changed)))


def test_names_cannot_be_shifted_into_each_other() -> None:
    assert put_digest("a", "bc", "d", b"e") != put_digest("ab", "c", "d", b"e")
    assert put_digest("a", "b", "c", b"de") != put_digest("a", "b", "cd", b"e")
