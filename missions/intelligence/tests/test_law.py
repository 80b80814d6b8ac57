"""The two-world law: what a view gives is a function of the records that flow to its label, byte for byte."""

from __future__ import annotations

import csv
import io
import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from worlds import SCHEME, everything, worlds

from casemate_intelligence.load import Desk

# what a mutant breaks need not be told in its shortest form
PHASES = [Phase.explicit, Phase.generate, *([] if os.environ.get("MUTANT") else [Phase.shrink])]
QUIET = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)
MAPPING = {
    "entities": {
        "person": {
            "schema": "Person",
            "keys": ["code"],
            "properties": {"name": {"column": "name"}, "phone": {"column": "phone"}, "country": {"column": "country"}},
        },
        "firm": {"schema": "Company", "keys": ["firm"], "properties": {"name": {"column": "firm"}}},
        "owns": {
            "schema": "Ownership",
            "keys": ["code", "role"],
            "properties": {"owner": {"entity": "person"}, "asset": {"entity": "firm"}, "role": {"column": "role"}},
        },
    }
}
COLUMNS = ("name", "code", "phone", "country", "firm", "role")


@QUIET
@given(worlds())
def test_a_view_is_a_function_of_what_flows_to_it(case):
    observer, one, other = case
    assert everything(one, observer) == everything(other, observer)


@QUIET
@given(st.data())
def test_a_cell_that_is_hidden_shapes_nothing_of_the_row(tmp_path_factory, data):
    """Ids, telephone numbers and the names on an edge are made of several cells: each of them counts."""
    hidden = data.draw(st.sets(st.sampled_from(COLUMNS), min_size=1))
    values = [data.draw(st.sampled_from(["Ana", "Bo", "fr", "de", "040 123456", ""])) for _ in COLUMNS]
    changed = [
        data.draw(st.sampled_from(["Cy", "gb", "es", "030 654321", ""])) if name in hidden else value
        for name, value in zip(COLUMNS, values, strict=True)
    ]
    low = SCHEME.read("UNCLASSIFIED")
    folder, seen = tmp_path_factory.mktemp("table"), []
    for row in (values, changed):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([*COLUMNS, "label", *(f"label:{name}" for name in COLUMNS)])
        writer.writerow([*row, "U", *("S" if name in hidden else "" for name in COLUMNS)])
        (folder / "table.csv").write_text(text.getvalue(), encoding="utf-8")
        records = list(Desk(SCHEME, SCHEME.read("TS"), {}).table(folder / "table.csv", MAPPING))
        seen.append(everything(records, low))
    assert seen[0] == seen[1]


def test_cases_are_not_empty():
    """At least 30 % of the pairs of worlds differ where the observer sees nothing, and have edges where he does."""
    counted = [0, 0]

    @settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(worlds())
    def count(case):
        observer, one, other = case
        counted[0] += 1
        top = SCHEME.read("TOP SECRET//SI/TK//REL TO FRA")
        counted[1] += everything(one, top) != everything(other, top) and "Edge(" in everything(one, observer)

    count()
    assert counted[1] >= 0.3 * counted[0]
