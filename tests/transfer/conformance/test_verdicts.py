"""Both verifiers give each case its verdict: those of casemate.transfer, and of the program that shares no line."""

from __future__ import annotations

from collections import Counter

import pytest

from casemate.transfer.verdict import RULES
from tests.transfer.conformance.both import Said, both_say
from tests.transfer.conformance.case import Case
from tests.transfer.conformance.inside import INSIDE
from tests.transfer.conformance.marked import MARKED
from tests.transfer.conformance.mixed import MIXED
from tests.transfer.conformance.outside import OUTSIDE
from tests.transfer.conformance.sealed import SEALED
from tests.transfer.conformance.vouched import VOUCHED

CASES = [*OUTSIDE, *MIXED, *SEALED, *INSIDE, *VOUCHED, *MARKED]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_give_the_verdict(case: Case) -> None:
    said = both_say(case.make(), case.known, case.now, case.guards, case.keys)
    verdict, rule = case.expect.split()
    assert said == Said(verdict, rule, case.alarms, case.gap)


def test_every_rule_has_its_cases_and_no_case_its_name_twice() -> None:
    assert {case.expect.split()[1] for case in CASES} == {*RULES, "accepted"}
    assert max(Counter(case.name for case in CASES).values()) == 1
