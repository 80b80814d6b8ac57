"""What a model says of a text is held to the text: word for word, with its characters, or it is nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from test_mission import NAME, given, rows

from casemate.errors import BadInput
from casemate.missions import Context, NoModel
from casemate.missions.program import describe, found, run
from casemate_intelligence.extract import MOST_LABELS, MOST_OF_LABEL, names_in, read
from casemate_intelligence.label import Label

TEXT = "Orrin met Ana Costa; Costa Shipping paid Orrin, not Orrington."


def said(*names):
    return json.dumps([{"kind": kind, "text": text} for kind, text in names])


def test_a_name_counts_wherever_it_stands_as_whole_words():
    names, dropped = names_in(TEXT, said(("person", "Orrin"), ("organisation", "Costa Shipping"), ("person", "Bo")))
    assert [(one.start, one.end, one.value) for one in names] == [
        (0, 5, "Person"),
        (21, 35, "Organization"),
        (41, 46, "Person"),
    ]
    assert dropped == 1


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Orrin",
        "{}",
        "[" * 100_000,
        '["Orrin"]',
        said(("vessel", "Orrin")),
        said(("person", "O")),
        said(("person", "x" * 121)),
        json.dumps([{"kind": "person", "text": 3}]),
        json.dumps([{"kind": "person", "text": "Orrin", "label": "U"}]),
        said(*[("person", "Orrin")] * 41),
        "```json\n[]\n```",
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_names_nothing(answer):
    assert names_in(TEXT, answer) == ((), 1)


@drawn(st.text(), st.text(), st.sampled_from(["person", "organisation"]))
def test_every_span_leads_to_its_words(text, name, kind):
    for one in names_in(text + name, said((kind, name)))[0]:
        assert (text + name)[one.start : one.end] == one.text == name


def test_so_many_of_each_label_are_asked_for_and_each_text_once():
    asked = []
    low, high = Label(0), Label(2)
    many = [(high, "x"), (high, "x"), *((low, f"p {number}") for number in range(MOST_OF_LABEL + 9)), (low, "y" * 9000)]
    told = read(many, lambda prompt, most: asked.append(prompt) or "[]")
    assert (told.asked, told.answered, len(asked)) == (MOST_OF_LABEL + 1,) * 3
    assert "\nx\n" in asked[-1]
    with pytest.raises(BadInput):
        read([(Label(0, frozenset({str(number)})), "x") for number in range(MOST_LABELS + 1)], lambda *_: "[]")


def extracted(folder, out, ask):
    """A run with a model, as the program makes it."""
    mission = found(NAME)
    order = json.loads((folder / "mission.json").read_text(encoding="utf-8"))
    from casemate.missions.describe import parameters_of
    from casemate.missions.program import _inputs

    out.mkdir()
    parameters = parameters_of(mission, {**order["parameters"], "extract": True, "link": False})
    context = Context(parameters, _inputs(mission, folder), out, out, 1, ask=ask)
    result = mission.run(context)
    return result, mission.report(context, result)


def test_names_of_a_model_stand_in_the_evidence_with_span_mark_and_who_found_them(tmp_path):
    def ask(prompt, most):
        return said(("organisation", "Orrin Bunkering"), ("person", "Viktor Maren"))

    result, report = extracted(given(tmp_path / "in"), tmp_path / "out", ask)
    named = [row for row in result.tables["evidence"].rows if row[5] == "port-call.txt (named by a model)"]
    assert {(row[2], row[3]) for row in named} >= {("name", "Orrin Bunkering")}
    assert all(row[4].startswith("(U)") and row[7] - row[6] == len("Orrin Bunkering") for row in named)
    assert not [row for row in result.tables["evidence"].rows if row[3] == "Viktor Maren" and "model" in row[5]]
    assert result.figures["model.asked"] == result.figures["model.answered"] > 3
    assert str(result.figures["model.dropped"]) in report.parts[1].text


def test_without_a_model_it_goes_on_and_says_so(tmp_path):
    def none(prompt, most):
        raise NoModel("none")

    result, report = extracted(given(tmp_path / "in"), tmp_path / "out", none)
    assert result.figures["model.answered"] == 0
    assert "answered for 0" in report.parts[1].text
    assert {one["name"]: one["default"] for one in describe(NAME)["parameters"]}["extract"] is False
    told = run(NAME, given(tmp_path / "in2", link=False), tmp_path / "out2")
    assert not [name for name in told["figures"] if name.startswith("model.")]
    assert not [row for row in rows(tmp_path / "out2", "evidence") if "model" in row[5]]
