"""Mutants of the release door: a rule of going down broken, named after what then leaves, with what sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

RULES = "casemate.policy.release"


def _attack(name: str) -> Tested:
    return Tested(f"tests/attacks/test_release.py::{name}")


def _day(name: str) -> Tested:
    return Tested(f"tests/attacks/test_release_quota.py::{name}")


LOST = _attack("test_an_approver_loses_his_role_his_clearance_or_his_key_before_it_is_carried_out")

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "approves-himself",
        "one person brings something down, with a second who looks away",
        Edit(f"{RULES}:_stands", "each.id == asked.requester", "False"),
        _attack("test_the_requester_approves_himself"),
    ),
    (
        "one-approval",
        "a single releaser lets it leave",
        Edit(f"{RULES}:may_leave", "len(standing) < APPROVERS", "len(standing) < 1"),
        _attack("test_one_person_with_two_keys"),
    ),
    (
        "two-keys-of-one",
        "two keys of one person are two people",
        Edit(f"{RULES}:_beside", "each.id == other.id or each.key == other.key", "each.key == other.key"),
        _attack("test_one_person_with_two_keys"),
    ),
    (
        "any-signature",
        "an approval of one thing is used for another",
        Edit(f"{RULES}:_stands", "None if each.signed else Refuse", "None if True else Refuse"),
        _attack("test_a_signature_over_something_else"),
    ),
    (
        "no-releaser",
        "an approval counts of somebody who is no releaser any more",
        Edit(f"{RULES}:_stands", '"releaser" not in him.roles', "False"),
        LOST,
    ),
    (
        "approved-unseen",
        "an approval counts of somebody who may not see it any more",
        Edit(f"{RULES}:_knows", "(asked.source | asked.lies) <= him.clearance", "True"),
        LOST,
    ),
    (
        "key-without-bounds",
        "a key releases lower than it was registered for",
        Edit(f"{RULES}:_stands", "not each.lowest <= asked.target", "False"),
        _attack("test_a_key_may_release_only_so_low"),
    ),
    (
        "for-ever",
        "an old request is carried out when nobody remembers it",
        Edit(f"{RULES}:_asked", "now >= asked.expires", "False"),
        _attack("test_the_time_has_ended"),
    ),
    (
        "registrar-approves",
        "whoever registered a key approves beside it",
        Edit(f"{RULES}:_beside", "each.id == one.registrar or one.id == each.registrar", "False"),
        _attack("test_the_officer_who_registered_the_keys_approves"),
    ),
    (
        "leaves-unasked",
        "ORCON leaves without its originator's approval",
        Edit(f"{RULES}:may_leave", "if silent:", "if False:"),
        _attack("test_nothing_of_an_originator_leaves_without_an_approval_in_its_name"),
    ),
    (
        "door-of-two",
        "a region of two people has a release door",
        Edit(f"{RULES}:_asked", "principals < PRINCIPALS", "False"),
        _attack("test_with_fewer_than_three_principals_there_is_no_release_door"),
    ),
    (
        "quota-of-all",
        "what has left one class is told to another by what may still leave there",
        Edit(
            "casemate.access.release_quota:today",
            "counted = [each for each in await flow.read_each(SPENT, _ID) if each.ref.class_id == flow.access.id]",
            "counted = (await flow.read_each(SPENT, _ID))[-1:]",
        ),
        _day("test_what_is_used_up_above_says_nothing_below"),
    ),
    (
        "quota-uncounted",
        "everything leaves in a day, a little at a time",
        Edit("casemate.access.release_quota:Today.after", "self.spent.count + 1", "0"),
        _day("test_more_leaves_in_a_day_than_the_officer_allows"),
    ),
    (
        "quota-of-bytes",
        "one release is as large as it likes",
        Edit(f"{RULES}:may_leave", "asked.room.size < asked.size", "False"),
        _day("test_more_bytes_leave_than_the_officer_allows"),
    ),
    (
        "quota-by-the-clock",
        "a clock that is set back lets out another day's worth",
        Edit("casemate.access.release_quota:today", "found.value.day >= day", "found.value.day == day"),
        _day("test_a_clock_that_is_set_back_does_not_begin_a_new_day"),
    ),
    (
        "leaves-unguarded",
        "what leaves is not looked at as what it says it is",
        Edit("casemate.transfer.dispatch:OutwardGuard.remade", "if verdict.agrees else", "if True else"),
        _day("test_what_the_outward_guard_does_not_take_is_not_even_asked_for"),
    ),
    (
        "marks-of-the-guarded",
        "the guard puts a mark together that the sanitiser has not seen",
        Edit("casemate.access.release:ReleaseDoor._clean", "again if isinstance(again, Refuse) else Clean", "Clean"),
        _day("test_a_mark_in_what_the_guard_has_made_stays"),
    ),
    (
        "not-his-request",
        "somebody sees what another has asked to be released",
        Edit("casemate.access.release:ReleaseDoor._his", 'or "releaser" in me.roles', "or True"),
        _attack("test_somebody_else_s_request_is_not_there"),
    ),
)
