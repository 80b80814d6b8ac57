"""Many rows, few labels: the table says of each label what the order says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.labels import Label, dominated
from tests.labels.worlds import ALL, labels


@settings(max_examples=100, deadline=None)
@given(st.lists(labels(), max_size=8), labels())
def test_a_byte_for_each_label_in_its_order(some: list[Label], reader: Label) -> None:
    assert dominated(some, reader) == bytes(label <= reader for label in some)


def test_a_column_of_label_numbers_is_looked_up_in_it() -> None:
    some = [ALL.parse(text) for text in ("us:SECRET//NOFORN", "us:UNCLASSIFIED", "us:TOP SECRET//NOFORN")]
    table = np.frombuffer(dominated(some, some[0]), dtype=np.bool_)
    assert np.flatnonzero(table.take(np.array([2, 1, 0, 1, 2], dtype=np.uint16))).tolist() == [1, 2, 3]
