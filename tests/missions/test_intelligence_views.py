"""Intelligence analysis without its libraries: labels, views and merges stand on the standard library alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "missions" / "intelligence" / "src"


@pytest.fixture(autouse=True)
def mission(monkeypatch):
    """The mission is a distribution of its own: here its pure parts are imported from where they lie."""
    monkeypatch.syspath_prepend(str(SOURCE))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "casemate_intelligence"]:
        del sys.modules[name]


@pytest.fixture
def records():
    from casemate_intelligence.label import Scheme
    from casemate_intelligence.record import Judgement, Source, Statement

    low, high = (Scheme().read(text) for text in ("UNCLASSIFIED", "SECRET"))
    names = {"a": "Ana Costa", "b": "A. Costa", "c": "Costa Shipping", "d": "Orrin"}
    told = [
        Statement(entity, "Company" if entity in "cd" else "Person", "name", name, low, Source("file"), "name")
        for entity, name in names.items()
    ]
    for link, one, other, label in (("l1", "b", "c", low), ("l2", "c", "d", high)):
        told.append(Statement(link, "Payment", "payer", one, label, Source("file"), "entity"))
        told.append(Statement(link, "Payment", "beneficiary", other, label, Source("file"), "entity"))
        told.append(Statement(link, "Payment", "date", "2023-03-01", label, Source("file"), "date"))
    return [*told, Judgement("j", "a", "b", True, high, "analyst", "2023-04-01")]


def view(records, text):
    from casemate_intelligence.kin import Kin
    from casemate_intelligence.label import Scheme
    from casemate_intelligence.view import Settings, view_of

    return view_of(records, Scheme().read(text), Settings(Kin({"Payment": ("payer", "beneficiary")})))


def test_two_that_a_secret_judgement_makes_one_stay_two_below(records):
    below, above = view(records, "UNCLASSIFIED"), view(records, "SECRET")
    assert set(below.entities) == {"a", "b", "c", "d"}
    assert above.entities["a"].members == ("a", "b")
    assert [edge.id for edge in below.edges] == ["l1"]
    assert not below.path("a", "c")
    assert [edge.id for edge in above.path("a", "d")] == ["l1", "l2"]
    assert set(above.expand("a").entities) == {"a", "c"}
    assert not below.expand("nobody").entities


def test_an_edge_that_a_merge_moved_bears_the_mark_of_the_merge(records):
    from casemate_intelligence.label import Scheme

    marks = {edge.id: Scheme().portion(edge.label) for edge in view(records, "SECRET").edges}
    assert marks == {"l1": "(S)", "l2": "(S)"}
    assert Scheme().portion(view(records, "UNCLASSIFIED").edges[0].label) == "(U)"


def test_a_judgement_that_is_withdrawn_counts_no_more_for_whoever_sees_that(records):
    from casemate_intelligence.label import Scheme
    from casemate_intelligence.record import Withdrawal

    undone = [*records, Withdrawal("j", Scheme().read("TOP SECRET"), "analyst", "2023-05-01")]
    assert len(view(undone, "SECRET").entities) == 3
    assert len(view(undone, "TOP SECRET").entities) == 4


def test_a_window_of_time_and_a_search(records):
    above = view(records, "SECRET")
    assert [edge.id for edge in above.between("2023-03", "2023-03").edges] == ["l1", "l2"]
    assert not above.between("2023-04", "2024").edges
    assert [one.id for one in above.search("costa")] == ["a", "c"]


@pytest.mark.parametrize("text", ["", "EYES ONLY", "SECRET//", "secret", "S//REL TO ", "U/SI"])
def test_a_mark_that_nobody_knows_is_no_label(text):
    from casemate_intelligence.label import Scheme

    from casemate.errors import BadInput

    with pytest.raises(BadInput):
        Scheme().read(text)


def test_the_order_of_labels_is_no_line():
    from casemate_intelligence.label import Scheme

    read = Scheme().read
    assert read("S").flows_to(read("TS//SI"))
    assert not read("C//TK").flows_to(read("S//SI"))
    assert not read("S//REL TO FRA").flows_to(read("S"))
    assert not read("S//REL TO FRA").flows_to(read("S//REL TO FRA, USA"))
    assert read("S//REL TO FRA, USA").flows_to(read("S//REL TO FRA"))
    joined = read("S//SI//REL TO FRA, USA").join(read("C//TK//REL TO FRA, GBR"))
    assert Scheme().write(joined) == "SECRET//SI/TK//REL TO FRA"
    nobody = read("S//REL TO FRA").join(read("S//REL TO USA"))
    assert read(Scheme().write(nobody)) == nobody
    assert not nobody.flows_to(read("TS//REL TO FRA"))


def test_communities_of_two_cliques():
    from casemate_intelligence.community import communities, modularity

    pairs = [(a, b) for group in ("abcd", "efgh") for a in group for b in group if a < b] + [("d", "e")]
    found = communities("abcdefgh", pairs)
    assert found == {name: int(name > "d") for name in "abcdefgh"}
    assert modularity(pairs, found) == pytest.approx(12 / 13 - 0.5)
    assert communities("ab", []) == {"a": 0, "b": 1}
