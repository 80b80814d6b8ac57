"""The two-world law: what a view gives is a function of the records that flow to its label, byte for byte."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from worlds import IDS, NAMES, SCHEME, everything, walk, worlds

from casemate.missions import NoModel
from casemate_intelligence.extract import read
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
PEOPLE = {
    "entities": {"person": {"schema": "Person", "keys": ["code"], "properties": {"name": {"column": "name"}}}},
}
COLUMNS = ("name", "code", "phone", "country", "firm", "role")


@QUIET
@given(worlds())
def test_a_view_is_a_function_of_what_flows_to_it(case):
    observer, one, other = case
    assert everything(one, observer) == everything(other, observer)


@QUIET
@given(worlds())
def test_a_view_owes_nothing_to_those_that_stand_before_it_on_the_page(case):
    """Whichever was made first, and however much stands there: places, room and order are its own."""
    observer, one, other = case
    top = SCHEME.read("TOP SECRET//SI/TK//REL TO FRA")
    shares = [walk(records, top, observer)[1] for records in (one, other)]
    assert shares[0] == shares[1]


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


PORTIONS = [
    "Port call",
    "A ship berthed at Lisbon on 14 March 2023.",
    "It left for Genoa with €12,400.",
    "Seen off Athens.",
]
HIDDEN = ["Panama City", "A payment of €90,000 reached Hamburg on 2 April 2023.", "An agent in Geneva."]


def mixed(data, low, high):
    """What is low in its order, with some of what is high anywhere between."""
    told = list(low)
    for one in data.draw(st.lists(st.sampled_from(high), max_size=3)):
        told.insert(data.draw(st.integers(0, len(told))), one)
    return told


@QUIET
@given(st.data())
def test_a_paragraph_that_is_hidden_moves_nothing_of_the_document(tmp_path_factory, data):
    """Nor its title, the spans of its words, or the ids of what it mentions."""
    low = [f"(U) {one}" for one in data.draw(st.lists(st.sampled_from(PORTIONS), min_size=1, max_size=4))]
    folder, seen = tmp_path_factory.mktemp("paper"), []
    for _ in range(2):
        told = mixed(data, low, [f"({mark}) {one}" for one in HIDDEN for mark in ("S", "S//SI")])
        (folder / "paper.txt").write_text("\n\n".join(told), encoding="utf-8")
        records = list(Desk(SCHEME, SCHEME.read("TS//SI"), {}).document(folder / "paper.txt"))
        seen.append(everything(records, SCHEME.read("U")))
    assert seen[0] == seen[1]


class Toy:
    """Names what begins with a capital; after so many questions it answers no more."""

    def __init__(self, left):
        self.left = left

    def generate(self, prompt, most):
        self.left -= 1
        if self.left < 0:
            raise NoModel("the quota is used up")
        text = prompt.split("-----")[1]
        return json.dumps([{"kind": "person", "text": word} for word in re.findall(r"[A-Z][a-z]+", text)])


@QUIET
@given(st.data())
def test_what_a_model_reads_above_takes_nothing_from_what_it_reads_below(tmp_path_factory, data):
    """Also where its quota ends midway, and however many paragraphs stand above."""
    low = [f"(U) {one}" for one in data.draw(st.lists(st.sampled_from(PORTIONS), min_size=1, max_size=4))]
    left = data.draw(st.integers(1, 5))
    folder, seen = tmp_path_factory.mktemp("paper"), []
    for _ in range(2):
        told = mixed(data, low, [f"({mark}) {one}" for one in HIDDEN for mark in ("S", "S//SI")])
        (folder / "paper.txt").write_text("\n\n".join(told), encoding="utf-8")
        desk = Desk(SCHEME, SCHEME.read("TS//SI"), {})
        model = read(desk.paragraphs(folder / "paper.txt"), Toy(left).generate)
        records = list(replace(desk, names=model.names).document(folder / "paper.txt"))
        seen.append(everything(records, SCHEME.read("U")))
        found = [one for (label, _), each in model.found.items() for one in each if label == SCHEME.read("U")]
        assert "(named by a model)" in seen[-1] or not found
    assert seen[0] == seen[1]


@QUIET
@given(st.data())
def test_a_line_that_is_hidden_moves_no_other(tmp_path_factory, data):
    """Evidence names the line: its number counts lines of its own label alone, and a hidden source is not named."""
    lines = [
        json.dumps({"id": each, "schema": "Person", "properties": {"name": [name]}, "labels": "U"})
        for each, name in zip(IDS[:3], NAMES[:3], strict=True)
    ]
    own = {"id": IDS[3], "schema": "Person", "properties": {"name": [NAMES[4]]}, "labels": {"": "S", "name": "U"}}
    folder, seen = tmp_path_factory.mktemp("lines"), []
    for source in ("the first source", "the second source"):
        high = {"id": IDS[4], "schema": "Person", "properties": {"name": [NAMES[0]]}, "labels": "S"}
        told = mixed(data, [*lines, json.dumps({**own, "source": source})], [json.dumps(high)])
        (folder / "people.jsonl").write_text("\n".join(told), encoding="utf-8")
        rows = "name,code,label\n" + "".join(f"{NAMES[2]},x,U\n" if '"U"' in one else "Bo,y,S\n" for one in told)
        (folder / "people.csv").write_text(rows, encoding="utf-8")
        desk = Desk(SCHEME, SCHEME.read("TS"), {})
        records = [*desk.entities(folder / "people.jsonl"), *desk.table(folder / "people.csv", PEOPLE)]
        seen.append(everything(records, SCHEME.read("U")))
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
