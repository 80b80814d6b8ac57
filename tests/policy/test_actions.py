"""The table of actions: no door without one, no action that a stranger's role opens, and labels before roles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.identity import ROLES, Principal, Session
from casemate.labels import Label
from casemate.policy import ACTIONS, Action, Permit, Refuse, Target, decide
from tests.laws.world import World, a_world
from tests.policy.test_decide import LOW, SECRET, TOP

EVERYONE = {*ROLES, "service"}
LABELS = st.sampled_from((LOW, SECRET, TOP))
MAYBE = st.none() | LABELS


async def test_every_door_asks_about_an_action_of_the_table(world: World) -> None:
    asked = {route.action.name for route in world.house.app.table.routes}
    assert asked <= set(ACTIONS)


async def test_a_region_of_any_policies_has_the_same_doors(world: World) -> None:
    async with a_world(1, ("house", "tlp")) as other:
        routes = [[(r.method, r.path, r.action.name) for r in w.house.app.table.routes] for w in (world, other)]
    assert routes[0] == routes[1]


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_rule_names_roles_that_there_are(name: str) -> None:
    rule = ACTIONS[name]
    assert rule.roles
    assert rule.roles | rule.others <= EVERYONE
    assert rule.others <= rule.roles, "whoever may do it to another's may do it at all"


def test_officers_and_operators_read_no_content() -> None:
    content = ("answer.", "document.", "knowledge.")
    for name, rule in ACTIONS.items():
        if name.startswith(content):
            assert not rule.roles & {"officer", "operator", "releaser"}, name
    assert ACTIONS["ledger.open"].roles == {"auditor"}


@given(LABELS, LABELS, LABELS, LABELS, st.sets(st.sampled_from(sorted(EVERYONE))), st.sampled_from(sorted(ACTIONS)))
def test_a_permit_needs_labels_in_order_and_a_role(
    floor: Label, ceiling: Label, clearance: Label, acting: Label, roles: set[str], name: str
) -> None:
    session = Session("s", Principal("p", "ann", clearance, frozenset(roles)), floor, ceiling)
    kind, _, verb = name.rpartition(".")
    decision = decide(session, acting, Action(verb, kind), Target())
    within = floor <= acting <= ceiling <= clearance
    assert isinstance(decision, Permit) == (within and bool(roles & ACTIONS[name].roles))
    if isinstance(decision, Refuse):
        assert decision.rule == ("role" if within else "acting-label")


@given(LABELS, MAYBE, MAYBE, MAYBE, MAYBE)
def test_nothing_is_read_up_written_down_or_lent_above(
    acting: Label, reads: Label | None, writes: Label | None, lends: Label | None, ceiling: Label | None
) -> None:
    session = Session("s", Principal("p", "ann", TOP, frozenset({"user"})), LOW, TOP)
    decision = decide(session, acting, Action("ask", "answer"), Target(reads, writes, lends, ceiling))
    fine = (
        (reads is None or reads <= acting)
        and (writes is None or acting <= writes)
        and (lends is None or (ceiling is not None and lends <= ceiling))
    )
    assert isinstance(decision, Permit) == fine
    if isinstance(decision, Refuse) and decision.face == "absent":
        assert decision.rule == "no-read-up"
