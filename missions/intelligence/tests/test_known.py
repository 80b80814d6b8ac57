"""Against answers that others published."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import networkx as nx
import pytest

from casemate_intelligence.community import communities, modularity
from casemate_intelligence.label import Scheme
from casemate_intelligence.link import curve, linked
from casemate_intelligence.load import Desk
from casemate_intelligence.measure import betweenness, measured
from casemate_intelligence.mention import gazetteer
from casemate_intelligence.names import alike
from casemate_intelligence.schema import kin
from casemate_intelligence.view import Settings, view_of

TEI = "{http://www.tei-c.org/ns/1.0}"


def graph_of(known):
    return [f"{node}" for node in known], [tuple(sorted((f"{a}", f"{b}"))) for a, b in known.edges]


def test_florentine_families():
    """Padgett and Ansell's families: Medici .522 (Jackson, Social and Economic Networks, 2008)."""
    nodes, pairs = graph_of(nx.florentine_families_graph())
    found = betweenness(nodes, pairs)
    assert found["Medici"] == pytest.approx(0.522, abs=5e-4)
    assert max(found, key=found.get) == "Medici"


def test_karate_club():
    """Zachary's club: betweenness of member 0, and .4198, the optimum of modularity (Brandes et al. 2008)."""
    nodes, pairs = graph_of(nx.karate_club_graph())
    assert betweenness(nodes, pairs, normalized=False)["0"] == pytest.approx(231.0714, abs=1e-3)
    reached = [modularity(pairs, communities(nodes, pairs, seed)) for seed in range(5)]
    print("modularity reached from five seeds:", [round(each, 4) for each in reached])
    assert min(reached) == pytest.approx(0.4198, abs=5e-5)


@pytest.mark.parametrize("make", [nx.les_miserables_graph, nx.davis_southern_women_graph])
def test_modularity_is_the_one_that_networkx_counts_and_beats_greedy(make):
    nodes, pairs = graph_of(make())
    of = communities(nodes, pairs)
    groups = [{node for node in nodes if of[node] == one} for one in set(of.values())]
    graph = nx.Graph(pairs)
    assert modularity(pairs, of) == pytest.approx(nx.community.modularity(graph, groups))
    greedy = nx.community.greedy_modularity_communities(graph)
    assert modularity(pairs, of) >= nx.community.modularity(graph, greedy) - 1e-9


def test_donations_load_and_answer(real):
    scheme = Scheme()
    low = scheme.read("UNCLASSIFIED")
    desk = Desk(scheme, low, {})
    records = list(desk.entities(real / "intel" / "fixtures_donations.ijson"))
    assert len({one.entity for one in records}) == 474
    view = view_of(records, low, Settings(kin(), alike))
    kinds = Counter(edge.schema for edge in view.edges) + Counter(one.schema for one in view.entities.values())
    assert kinds["Payment"] == 290
    assert kinds["Address"] == 89
    assert sum(len(one.members) for one in view.entities.values()) + 290 == 474
    paid = Counter()
    for edge in view.edges:
        for fact in edge.facts:
            if fact.prop == "amountEur":
                paid[view.entities[edge.target].name] += float(fact.value)
    assert paid["CDU"] == pytest.approx(17.23e6, abs=0.01e6)
    measures = measured(view)
    central = max(measures.betweenness, key=lambda name: (measures.betweenness[name], name))
    assert view.entities[central].name == "CDU"
    one = view.search("Quandt")
    assert view.path(one[0].id, central)


def test_fake1000(real):
    """Precision at least .99 at a recall of at least .80; the curve is printed."""
    with (real / "intel" / "fake1000.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["unique_id"]: row for row in csv.DictReader(file)}
    groups = {}
    for name, row in rows.items():
        groups.setdefault(row["cluster"], []).append(name)
    told = curve(linked(rows), groups.values(), [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99])
    for line in told:
        print("threshold {:.2f}  precision {:.4f}  recall {:.4f}  F1 {:.4f}".format(*line))
    assert any(precision >= 0.99 and recall >= 0.80 for _, precision, recall, _ in told)


def shown(element) -> str:
    """The text of a paragraph without its notes."""
    parts = [element.text or ""]
    for child in element:
        parts += ["" if child.tag == f"{TEI}note" else shown(child), child.tail or ""]
    return "".join(parts)


def test_places_in_diplomatic_documents(real):
    """60 body paragraphs, annotated by hand: offsets and digests are kept here, the text is the shared data's."""
    marked = json.loads((Path(__file__).parent / "frus_places.json").read_text(encoding="utf-8"))
    root = ET.parse(real / "frus" / "frus1934v04.xml").getroot()
    name = "{http://www.w3.org/XML/1998/namespace}id"
    documents = {each.get(name): each for each in root.iter(f"{TEI}div") if each.get("type") == "document"}
    right = found = true = 0
    for one in marked:
        paragraph = list(documents[one["document"]].iter(f"{TEI}p"))[one["paragraph"]]
        text = " ".join(shown(paragraph).split())
        assert hashlib.sha256(text.encode()).hexdigest() == one["sha256"]
        ours = {(each.start, each.end) for each in gazetteer().find(text)}
        theirs = {tuple(span) for span in one["spans"]}
        right, found, true = right + len(ours & theirs), found + len(ours), true + len(theirs)
    f1 = 2 * right / (found + true)
    print(f"{true} mentions: precision {right / found:.3f} recall {right / true:.3f} F1 {f1:.3f}")
    assert len(marked) == 60
    assert f1 >= 0.75


def test_nothing_of_the_region_is_loaded():
    assert not [
        name for name in sys.modules if name.startswith(("casemate.access", "casemate.store", "casemate.doors"))
    ]
