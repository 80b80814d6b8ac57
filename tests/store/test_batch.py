from __future__ import annotations

import msgspec
import pytest

from casemate.store import Batch, ClassRow, EntryRow, Forget, Mark, Receipt, RowDelete, RowPut

BATCH = Batch(
    domain="class_a",
    key="once",
    puts=[
        RowPut("class_a", "document", "doc_1", b"s", bytes(48), [("name", b"b")], [("class_a", "source", "src_1")], 0)
    ],
    deletes=[RowDelete("class_a", "document", "doc_2", 4)],
    entries=[EntryRow("class_a", "ent_1", bytes(48), b"e", b"c", 9)],
    classes=[ClassRow("class_a", b"label")],
    forgets=[Forget("class_a", 3)],
    marks=[Mark("segment/a", 0, 64)],
    spares=["class_b"],
)


@pytest.mark.parametrize("value", [BATCH, Receipt((("class_a", 0),), (1, 2), replayed=True)])
def test_what_crosses_the_socket_arrives_as_it_was(value: Batch | Receipt) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value)) == value


@pytest.mark.parametrize("value", [BATCH, BATCH.puts[0], BATCH.entries[0], Receipt()])
def test_nothing_of_it_can_be_changed(value: object) -> None:
    with pytest.raises(AttributeError):
        value.key = "other"  # type: ignore[attr-defined]
