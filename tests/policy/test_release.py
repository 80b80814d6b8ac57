"""The rules of the release door one by one: what each refuses alone, and that nothing leaves without all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.identity import Principal
from casemate.policy import Decision, Need, Permit, Refuse
from casemate.policy.release import Approving, Leaving, Room, may_approve, may_leave
from tests.policy.test_decide import LOW, SECRET, TOP

NOW = 100
ASKED = Leaving(SECRET, LOW, SECRET, "prn_ann", 200, 10, Room(1, 10, 5, 50))


def approving(name: str, **other: Any) -> Approving:
    id = f"prn_{name}"
    him = Principal(id, name, SECRET, frozenset({"releaser"}))
    return replace(Approving(id, f"key_{name}", him, id, LOW, 200, "prn_dan", True), **other)


BEN, CARL = approving("ben"), approving("carl")


def rule(decision: Decision) -> str:
    return decision.rule


def leaves(asked: Leaving = ASKED, *approvals: Approving, principals: int = 3, now: int = NOW) -> Decision:
    return may_leave(asked, approvals or (BEN, CARL), principals, LOW, now)


def test_two_approvals_and_it_may() -> None:
    assert leaves() == Permit("release")
    assert leaves(ASKED, BEN, CARL, approving("dora")) == Permit("release")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"target": SECRET}, "release-target"),
        ({"target": TOP}, "release-target"),
        ({"expires": NOW}, "release-expired"),
        ({"changed": True}, "release-changed"),
        ({"originators": frozenset({"NAVY"})}, "release-originator"),
        ({"requester": "prn_ben"}, "release-self"),
        ({"room": Room(0, 10, 5, 50)}, "release-quota"),
        ({"room": Room(1, 9, 5, 50)}, "release-quota"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else next(iter(value)),
)
def test_a_request_that_may_not(other: dict[str, Any], told: str) -> None:
    assert rule(leaves(replace(ASKED, **other))) == told
    if told not in ("release-originator", "release-self", "release-quota"):
        assert rule(may_approve(replace(ASKED, **other), BEN, (), 3, LOW, NOW)) == told


def test_nothing_goes_below_the_floor_of_the_region() -> None:
    assert rule(may_leave(ASKED, (BEN, CARL), 3, SECRET, NOW)) == "release-target"


def test_there_is_no_door_for_two() -> None:
    assert leaves(principals=2) == Refuse("release-door", {"need": "3"})


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"approver": None}, "release-approver"),
        ({"approver": Principal("prn_carl", "carl", SECRET, frozenset({"officer", "user"}))}, "release-approver"),
        ({"approver": Principal("prn_carl", "carl", LOW, frozenset({"releaser"}))}, "release-approver"),
        ({"owner": ""}, "release-key"),
        ({"owner": "prn_ben"}, "release-key"),
        ({"lowest": None}, "release-key"),
        ({"lowest": SECRET}, "release-key"),
        ({"ends": NOW}, "release-key"),
        ({"signed": False}, "release-signature"),
        ({"id": "prn_ann", "owner": "prn_ann"}, "release-self"),
        ({"id": "prn_ben", "owner": "prn_ben"}, "release-two-people"),
        ({"key": "key_ben"}, "release-two-people"),
        ({"registrar": "prn_ben"}, "release-registrar"),
        ({"registrar": "prn_carl"}, "release-registrar"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(f"{k}={v}"[:30] for k, v in value.items()),
)
def test_an_approval_that_does_not_stand(other: dict[str, Any], told: str) -> None:
    """It is refused when it is given; given before, it does not count, and stands in nobody's way."""
    bad = replace(CARL, **other)
    assert rule(may_approve(ASKED, bad, (BEN,), 3, LOW, NOW)) == told
    assert rule(leaves(ASKED, BEN, bad)) == told
    if told != "release-registrar" and "key" not in other:
        assert leaves(ASKED, bad, BEN, approving("dora")) == Permit("release")


def test_an_approver_needs_to_know() -> None:
    asked = replace(ASKED, need=Need.parse("ALPHA|BETA"))
    assert rule(leaves(asked)) == "release-approver"
    knows = [
        replace(each, approver=Principal(each.id, "x", SECRET.with_needs({"BETA"}), frozenset({"releaser"})))
        for each in (BEN, CARL)
    ]
    assert leaves(asked, *knows) == Permit("release")


def test_a_registrar_does_not_approve_beside_the_key_that_he_registered() -> None:
    ben = replace(BEN, registrar="prn_carl")
    assert rule(leaves(ASKED, ben, CARL)) == "release-registrar"
    assert leaves(ASKED, ben, CARL, approving("dora")) == Permit("release")


def test_one_approval_is_not_enough() -> None:
    assert leaves(ASKED, BEN) == Refuse("release-approvals", {"have": "1", "need": "2"})
    assert may_leave(ASKED, (), 3, LOW, NOW) == Refuse("release-approvals", {"have": "0", "need": "2"})
    assert may_approve(ASKED, BEN, (), 3, LOW, NOW) == Permit("release")


def test_every_originator_has_to_speak() -> None:
    asked = replace(ASKED, originators=frozenset({"NAVY", "ARMY"}))
    navy = replace(BEN, speaks=frozenset({"NAVY"}))
    assert leaves(asked, navy, CARL) == Refuse("release-originator", {"originator": "ARMY"})
    assert leaves(asked, navy, replace(CARL, speaks=frozenset({"ARMY", "OTHER"}))) == Permit("release")
    nobody = replace(ASKED, originators=frozenset({""}))
    assert rule(leaves(nobody, navy, CARL)) == "release-originator"


@given(
    st.lists(
        st.builds(
            lambda name, releaser, clearance, owner, lowest, ends, registrar, signed: Approving(
                f"prn_{name}",
                f"key_{name}",
                Principal(f"prn_{name}", name, clearance, frozenset({"releaser"} if releaser else {"user"})),
                f"prn_{owner or name}",
                lowest,
                ends,
                f"prn_{registrar}",
                signed,
            ),
            st.sampled_from("abcd"),
            st.booleans(),
            st.sampled_from((LOW, SECRET, TOP)),
            st.sampled_from(("", "", "", "a")),
            st.sampled_from((LOW, LOW, SECRET, None)),
            st.sampled_from((NOW, NOW + 1, NOW + 50)),
            st.sampled_from("abxy"),
            st.booleans(),
        ),
        max_size=4,
    ),
    st.sampled_from("abcz"),
)
def test_what_leaves_has_two_people_who_may(approvals: list[Approving], requester: str) -> None:
    """Whatever approvals there are: a permit means that two different, cleared releasers signed with their own keys."""
    asked = replace(ASKED, requester=f"prn_{requester}")
    if isinstance(may_leave(asked, approvals, 3, LOW, NOW), Permit):
        good = {
            each.id
            for each in approvals
            if each.signed
            and each.id != asked.requester
            and each.owner == each.id
            and each.approver is not None
            and "releaser" in each.approver.roles
            and each.approver.clearance >= SECRET
            and each.lowest is LOW
            and each.ends > NOW
            and each.registrar != each.id
        }
        assert len(good) >= 2
