"""Standing questions: what answers them in each view, when the answer is another, and what is no question."""

from __future__ import annotations

import json

import pytest
from test_mission import NAME, given, rows

from casemate.errors import BadInput
from casemate.missions.program import run
from casemate_intelligence.question import question
from casemate_intelligence.schema import kin

SCHEMATA = {name: kin().above[name] for name in kin().edges}
ASKED = {
    "from=Viktor Maren; to=Quill Harbour Services": [("SECRET", 3), ("SECRET//SI", 3)],
    "from=Viktor Maren; to=Quill Harbour Services; hops=2": [],
    "by=Payment; least=100000": [("UNCLASSIFIED", 1), ("SECRET", 2), ("SECRET//SI", 2)],
    "by=Payment; first=2023-04; last=2023-05": [("UNCLASSIFIED", 1), ("SECRET", 1), ("SECRET//SI", 2)],
    "from=co-orrin; by=Interest": [("UNCLASSIFIED", 1), ("SECRET", 1), ("SECRET//SI", 1)],
    "from=nobody": [],
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    result = run(NAME, given(folder / "in", questions=list(ASKED), link=False), folder / "out")
    return result, folder


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_each_view_answers_of_what_it_sees(told, number):
    result, folder = told
    found = [row for row in rows(folder / "out", "answers") if row[1] == f"q{number + 1}"]
    counted = [(view, sum(row[0] == view for row in found)) for view in ("UNCLASSIFIED", "SECRET", "SECRET//SI")]
    expected = list(ASKED.values())[number]
    assert [each for each in counted if each[1]] == expected
    assert result["figures"][f"q{number + 1}.count"] == dict(expected).get("SECRET//SI", 0)


def test_an_answer_is_another_as_soon_as_a_link_is(told, tmp_path):
    result, _ = told
    folder = given(tmp_path / "in", questions=list(ASKED), link=False)
    more = {"id": "pay9", "schema": "Payment", "labels": "SECRET"}
    more["properties"] = {"payer": ["co-maren"], "beneficiary": ["co-sable"], "amountEur": ["1000000"]}
    with (folder / "entities" / "more.jsonl").open("w", encoding="utf-8") as file:
        file.write(json.dumps(more) + "\n")
    again = run(NAME, folder, tmp_path / "out")
    changed = [
        number
        for number in range(1, len(ASKED) + 1)
        if again["figures"][f"q{number}.answer"] != result["figures"][f"q{number}.answer"]
    ]
    assert changed == [3]


@pytest.mark.parametrize(
    "text",
    ["", "from", "who=x", "from=", "from=a; from=b", "by=Dragon", "least=much; by=Payment", "least=nan", "hops=0"],
)
def test_what_is_no_question_is_refused(text):
    with pytest.raises(BadInput):
        question(text, SCHEMATA)
