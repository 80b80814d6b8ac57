"""The mission through its real door: the program that every mission shares, on the exercise."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from casemate.errors import BadInput
from casemate.missions.program import describe, need, run
from casemate_intelligence.label import Scheme
from casemate_intelligence.load import Desk
from casemate_intelligence.names import alike
from casemate_intelligence.schema import kin
from casemate_intelligence.view import Settings, view_of

EXERCISE = Path(__file__).parents[1] / "exercise"
NAME = "casemate_intelligence.mission:Intelligence"


def given(folder: Path, **parameters) -> Path:
    """The exercise as a job finds it."""
    shutil.copytree(EXERCISE, folder)
    order = json.loads((folder / "mission.json").read_text(encoding="utf-8"))
    order["parameters"] |= parameters
    (folder / "mission.json").write_text(json.dumps(order), encoding="utf-8")
    return folder


def rows(told: Path, table: str) -> list[list[str]]:
    import csv

    with (told / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run(NAME, given(folder / "in"), folder / "out", marking="SECRET//SI")
    return folder / "out"


def test_it_describes_itself_and_says_what_it_needs(tmp_path):
    assert describe(NAME)["name"] == "intelligence"
    assert need(NAME, given(tmp_path / "in"))["memory_mb"] > 600


def test_two_that_a_secret_judgement_makes_one_are_two_below(told):
    members = {(row[0], row[1]): row[5] for row in rows(told, "entities")}
    assert members[("UNCLASSIFIED", "p-maren")] == "1"
    assert ("UNCLASSIFIED", "p-marenko") in members
    assert members[("SECRET", "p-maren")] == "2"
    assert ("SECRET", "p-marenko") not in members


def test_a_judgement_that_was_withdrawn_counts_no_more(told):
    assert {row[1] for row in rows(told, "entities")} >= {"p-ferrand", "p-ferrand2"}
    assert not [row for row in rows(told, "candidates") if "p-ferrand" in row[1:3]]


def test_what_a_merge_moved_bears_its_mark(told):
    """Cold Lantern's owner is Wiktor Marenko to all; that he is Viktor Maren is secret."""
    edges = {(row[0], row[1]): row for row in rows(told, "edges")}
    assert edges[("UNCLASSIFIED", "o1")][3:7] == ["Wiktor Marenko", "Cold Lantern Shipping Ltd", "2019-05-01", "(U)"]
    assert edges[("SECRET", "o1")][3:7] == ["Viktor Maren", "Cold Lantern Shipping Ltd", "2019-05-01", "(S)"]
    assert ("SECRET", "pay3") not in edges
    assert ("SECRET//SI", "pay3") in edges


def test_a_path_that_goes_by_a_secret_merge_is_none_below(told):
    paths = [row[0] for row in rows(told, "answers") if row[1] == "path"]
    assert "UNCLASSIFIED" not in paths
    assert "SECRET" in paths


def test_evidence_is_quoted_with_its_portion_mark_and_span(told):
    """The span leads back to the words in the document's paragraphs of that mark."""
    found = [row for row in rows(told, "evidence") if row[5] == "port-call.txt" and row[2] == "full"]
    text = (EXERCISE / "documents" / "port-call.txt").read_text(encoding="utf-8")
    assert {row[3] for row in found if row[0] == "UNCLASSIFIED"} == {"Lisbon", "Genoa", "Athens"}
    assert {"Tunisia", "Panama City"} <= {row[3] for row in found if row[0] == "SECRET"}
    for row in found:
        mark = row[4].partition(")")[0] + ") "
        own = "\n\n".join(each.strip().removeprefix(mark) for each in text.split("\n\n") if each.startswith(mark))
        assert own[int(row[6]) : int(row[7])] == row[3]


def test_below_nothing_of_above_is_written(told):
    """Every file and row of the lowest view, searched for what only stands above it."""
    files = "".join(file.read_text(encoding="utf-8") for file in sorted((told / "files").glob("view1.*")))
    low = [
        row
        for name in ("entities", "edges", "evidence", "answers")
        for row in rows(told, name)
        if row[0] == "UNCLASSIFIED"
    ]
    for secret in ("Panama City", "pay2", "pay3", '1971-04-02", "SECRET', "181500", "SECRET", "Tunisia", "passport"):
        assert secret not in files
        assert not [row for row in low if secret in " ".join(row)]


def test_exports_are_read_again(told):
    scheme = Scheme()
    top = scheme.read("SECRET//SI")
    desk = Desk(scheme, top, {})
    again = view_of(desk.entities(told / "files" / "view3.ftm.jsonl"), top, Settings(kin(), alike))
    edges = [row for row in rows(told, "edges") if row[0] == "SECRET//SI"]
    assert {edge.id for edge in again.edges} == {row[1] for row in edges}
    graph = ET.parse(told / "files" / "view3.graphml").getroot()
    assert len(graph.findall(".//{*}edge")) == len(edges)
    bundle = json.loads((told / "files" / "view3.stix.json").read_text(encoding="utf-8"))
    related = [one for one in bundle["objects"] if one["type"] == "relationship"]
    known = {one["id"] for one in bundle["objects"]}
    assert len(related) == len(edges)
    assert all({one["source_ref"], one["target_ref"], *one["object_marking_refs"]} <= known for one in related)
    (told / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    from_stix = view_of(desk.bundle(told / "bundle.json"), top, Settings(kin()))
    assert len(from_stix.edges) == len(edges)


def test_the_page_is_one_file_that_fetches_nothing(told):
    page = (told / "report.html").read_text(encoding="utf-8")
    assert "SECRET//SI" in page
    assert page.count("<script") == 2  # data, and the script of ours that its policy names
    assert not [each for each in ('src="http', 'href="http') if each in page]


def test_the_same_inputs_give_the_same_digest(told, tmp_path):
    again = run(NAME, given(tmp_path / "in"), tmp_path / "out")
    assert again["digest"] == json.loads((told / "result.json").read_text(encoding="utf-8"))["digest"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"label": "SECRET", "views": ["SECRET"]}, "above that of the run"),
        ({"views": ["TOP SECRET"]}, "at or below the label of the run"),
        ({"views": ["EYES ONLY"]}, "no label of this run"),
        ({"views": []}, "From 1 to 8"),
        ({"levels": ["LOW"]}, "NAME=PORTION"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, parameters, words):
    with pytest.raises(BadInput) as refused:
        run(NAME, given(tmp_path / "in", **parameters), tmp_path / "out")
    assert words in refused.value.facts["what"]


@pytest.mark.parametrize(
    ("role", "text", "words"),
    [
        ("entities", "[]\n", "no object of JSON"),
        ("entities", '{"id": 1}\n', "no entity"),
        ("entities", '{"id": "a", "schema": "Dragon"}\n', "no schema"),
        ("entities", '{"id": "a", "schema": "Person", "properties": {"wings": ["2"]}}\n', "no property"),
        ("judgements", '{"left": "a"}\n', "no judgement"),
        ("mappings", '{"entities": {}, "database": "sqlite:///x"}', "entities, and nothing else"),
        ("mappings", "nothing", "no JSON"),
        ("bundles", '{"type": "bundle"}', "STIX input"),
    ],
)
def test_an_input_that_is_broken_is_named(tmp_path, role, text, words):
    folder = given(tmp_path / "in")
    shutil.rmtree(folder / role, ignore_errors=True)
    (folder / role).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        run(NAME, folder, tmp_path / "out")
    assert words in refused.value.facts["what"]
