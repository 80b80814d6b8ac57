"""The rules of a decision in their order, told again: the first that says no is the answer, and it has its face."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.identity import ROLES, Principal, Session
from casemate.labels import Label, Policies
from casemate.policy import ACTIONS, Action, Decision, Need, Permit, Refuse, Target, decide

POLICIES = Policies.load(("us", "integrity"))
LABELS = [
    POLICIES.parse(text)
    for text in (
        "bottom",
        "us:SECRET//REL=USA",
        "need=OSPREY",
        "us:SECRET//REL=USA + need=OSPREY",
        "integrity:UNTRUSTED",
        "us:SECRET//REL=USA + need=OSPREY + integrity:UNTRUSTED",
    )
]
HIDDEN = frozenset({"no-read-up", "need", "owner"})
some = st.sampled_from(LABELS)
agencies = st.frozensets(st.sampled_from(["ALPHA", "BRAVO"]))
targets = st.builds(
    Target,
    reads=st.none() | some,
    writes=st.none() | some,
    lends=st.none() | some,
    ceiling=st.none() | some,
    owner=st.sampled_from(["", "me", "somebody"]),
    need=st.sampled_from([Need(), Need.parse("OSPREY|HERON")]),
    outside=st.booleans(),
    originators=agencies,
    approved=agencies,
)
# Most examples are of a session that reaches everywhere: else the first rule would hide the others.
wide = st.just((LABELS[0], LABELS[-1], LABELS[-1]))
sessions = st.one_of(wide, wide, wide, st.tuples(some, some, some))
names = st.sampled_from([*ACTIONS, "wheel.invent"])
roles = st.frozensets(st.sampled_from([*ROLES, "service"]), max_size=3) | st.just(frozenset(ROLES))


def refusals(held: Session, acting: Label, name: str, asked: Target) -> Iterable[str]:
    """Every rule that says no, in the order of the rules."""
    if not (held.floor <= acting and acting <= held.ceiling and held.ceiling <= held.principal.clearance):
        lacking = acting.needs - held.ceiling.needs
        alone = lacking and held.floor <= acting and acting.without_needs <= held.ceiling
        yield "acting-needs" if alone else "acting-label"
    if name not in ACTIONS:
        yield "no-rule"
        return
    rule, mine = ACTIONS[name], held.principal.roles
    if asked.reads is not None and not asked.reads.without_needs <= acting:
        yield "no-read-up"
    if asked.writes is not None and not acting <= asked.writes:
        yield "no-write-down"
    if asked.lends is not None:
        lent = asked.lends if asked.outside else asked.lends.without_needs
        if asked.ceiling is None or not lent <= asked.ceiling:
            yield "accreditation"
    distrust = {policy: element.level for policy, element in acting.elements}.get("integrity", 0)
    if rule.integrity is not None and distrust > rule.integrity:
        yield "integrity"
    if asked.outside and asked.originators - asked.approved:
        yield "orcon"
    if (asked.reads is not None and asked.reads.needs - acting.needs) or not asked.need.allows(acting.needs):
        yield "need"
    if not mine & rule.roles:
        yield "role"
    if asked.owner == "somebody" and not mine & rule.others:
        yield "owner"


@settings(max_examples=2000)
@given(sessions, some, names, roles, targets)
def test_the_first_rule_that_says_no_is_the_answer(
    between: tuple[Label, Label, Label], acting: Label, name: str, held: frozenset[str], asked: Target
) -> None:
    floor, ceiling, clearance = between
    session = Session("s", Principal("me", "ana", clearance, held), floor, ceiling)
    kind, _, verb = name.partition(".")
    decision: Decision = decide(session, acting, Action(verb, kind), asked)
    first = next(iter(refusals(session, acting, name, asked)), None)
    if first is None:
        assert decision == Permit(name)
    else:
        assert isinstance(decision, Refuse), first
        assert decision.rule == first
        assert decision.face == ("absent" if first in HIDDEN else "refused")
