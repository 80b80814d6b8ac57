"""The fault list of a one-way transfer: each of its 35 rows has tests that bear its number (`row_9`, `fault_29`).

python -m tests.transfer.test_rows        the list
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROWS = 35
WHERE = ("transfer", "engines", "cli", "ledger")
_NUMBERED = re.compile(r"^(?:async )?def (test_(?:row|fault)_0?(\d{1,2})(?:_and_(\d{1,2}))?_\w+)", re.MULTILINE)


def rows() -> dict[int, list[str]]:
    """The tests of each row, as file::name."""
    found: dict[int, list[str]] = defaultdict(list)
    for folder in WHERE:
        for file in sorted((TESTS / folder).rglob("test_*.py")):
            for name, first, second in _NUMBERED.findall(file.read_text()):
                for number in filter(None, (first, second)):
                    found[int(number)].append(f"{file.relative_to(TESTS)}::{name}")
    return found


def test_each_row_has_a_test_that_bears_its_number() -> None:
    assert sorted(rows()) == list(range(1, ROWS + 1))


def test_rows_20_and_25_are_tried_to_their_ends() -> None:
    """Every subset of lost volumes with a stale one in each place; one table of keys, people, expiry and clocks."""
    found = rows()
    assert any("every_subset" in name and "stale" in name for name in found[20])
    assert any("one_table" in name for name in found[25])


if __name__ == "__main__":
    for row, names in sorted(rows().items()):
        print(row, *names, sep="\n    ")
