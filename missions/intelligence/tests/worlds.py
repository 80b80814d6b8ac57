"""Two worlds that a view must not tell apart, and everything that a view gives."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from casemate.reports import Report, page
from casemate.reports.network import network_of
from casemate_intelligence import export, picture
from casemate_intelligence.label import Scheme
from casemate_intelligence.measure import measured
from casemate_intelligence.merge import Candidate
from casemate_intelligence.names import alike
from casemate_intelligence.outcome import Walk
from casemate_intelligence.question import answered, digest_of, question
from casemate_intelligence.record import Judgement, Source, Statement, Withdrawal
from casemate_intelligence.schema import kin
from casemate_intelligence.view import Settings, view_of

SCHEME = Scheme()
LABELS = ("U", "S", "S//SI", "C//TK", "U//REL TO FRA", "TS")
# who sees what, written by hand: an order that is wrong must not excuse itself
SEES = {"U": ("U",), "S": ("U", "S"), "S//REL TO FRA": ("U", "S", "U//REL TO FRA"), "C//TK": ("U", "C//TK")}
IDS = [f"e{number}" for number in range(7)]
NAMES = ["Viktor Maren", "Victor Maren", "V. Maren", "Elise Ferrand", "Ana Costa"]
DAYS = ["2023-01-05", "2023-02-01", "2023-03-09"]
QUESTIONS = ["from=Maren; hops=2", "from=e0; to=Ana Costa; first=2023-02", "by=Payment; last=2023-02-01"]
LINKS = [f"l{number}" for number in range(6)]


@st.composite
def told(draw, labels):
    """One record at one of the labels; ids, names and judgements are few, so that records meet."""
    label, source = draw(st.sampled_from(labels)), Source("file", draw(st.integers(0, 3)), 9, "words")
    kind = draw(st.sampled_from(["name", "name", "birth", "edge", "edge", "judge", "withdraw"]))
    entity = draw(st.sampled_from(IDS))
    if kind == "name":
        name = draw(st.sampled_from(NAMES))
        return [
            Statement(entity, "Person", "", "", label, source),
            Statement(entity, "Person", "name", name, label, source, "name"),
        ]
    if kind == "birth":
        day = draw(st.sampled_from(DAYS))
        return [Statement(entity, "Person", "birthDate", day, label, source, "date")]
    if kind == "edge":
        link, other, day = draw(st.sampled_from(LINKS)), draw(st.sampled_from(IDS)), draw(st.sampled_from(DAYS))
        return [
            Statement(link, "Payment", "payer", entity, label, source, "entity"),
            Statement(link, "Payment", "beneficiary", other, label, source, "entity"),
            Statement(link, "Payment", "date", day, label, source, "date"),
        ]
    name = f"j{draw(st.integers(0, 3))}"
    if kind == "withdraw":
        return [Withdrawal(name, label, "b", "2023")]
    other, same = draw(st.sampled_from(IDS)), draw(st.booleans())
    return [Judgement(name, entity, other, same, label, "a", "2023", "why")]


@st.composite
def worlds(draw):
    """(observer, one world, another): the same records that flow to the observer, others in each, in any order."""
    observer = draw(st.sampled_from(sorted(SEES)))
    shown = [SCHEME.read(text) for text in SEES[observer]]
    hidden = [SCHEME.read(text) for text in LABELS if text not in SEES[observer]]
    low = [one for some in draw(st.lists(told(shown), min_size=3, max_size=14)) for one in some]
    low += [
        Statement(each, "Person", "name", name, shown[0], Source("base"), "name")
        for each, name in zip(IDS, NAMES[:4], strict=False)
    ]
    low += [
        Statement("l0", "Payment", "payer", IDS[0], shown[0], Source("base"), "entity"),
        Statement("l0", "Payment", "beneficiary", IDS[3], shown[0], Source("base"), "entity"),
    ]
    made = []
    for _ in range(2):
        high = [one for some in draw(st.lists(told(hidden), min_size=1, max_size=8)) for one in some]
        made.append(draw(st.permutations(low + high)))
    return SCHEME.read(observer), made[0], made[1]


def rows_alike(statements):
    """A linker that learns: its scores owe something to all that it is given."""
    rows = sorted({one.entity for one in statements if one.schema == "Person"})
    return [
        Candidate(a, b, 1.0 if len(statements) % 3 == 0 else 0.9) for a, b in zip(rows[::2], rows[1::2], strict=False)
    ]


def walk(records, *observers):
    """What the page walks through, of each in turn."""
    told = Walk(0, len(observers), SCHEME)
    views = [view_of(records, one, Settings(kin(), alike, 0.97, 0.85, rows_alike)) for one in observers]
    return [told.told(view, measured(view)) for view in views]


def everything(records, observer, link=rows_alike):
    """All that a view gives, as text."""
    view = view_of(records, observer, Settings(kin(), alike, 0.97, 0.85, link))
    measures = measured(view)
    answers = [
        [one.id for name in NAMES for one in view.search(name)],
        [[edge.id for edge in view.path(a, b)] for a in IDS[:3] for b in IDS[3:]],
        [[edge.id for edge in view.expand(each, 2).edges] for each in IDS],
        [edge.id for edge in view.between("2023-01", "2023-02").edges],
        [digest_of(answered(view, question(text, {"Payment": ()}))) for text in QUESTIONS],
    ]
    exports = [export.ftm(view, SCHEME), export.graphml(view, measures, SCHEME), export.stix(view, SCHEME)]
    pictures = [picture.graph(view, measures, "M"), picture.time_line(view, "M"), picture.lon_lat(view, "M")]
    walked = json.loads(json.dumps(walk(records, SCHEME.read("U"), observer)))  # each flows to the observer
    whole = page(Report("T", [network_of({"views": walked}, "W")]), marking=SCHEME.write(observer))
    return repr((view, measures, answers, exports, pictures, whole))
