"""Mutants of what comes to missions from outside, and of their ensembles and environments: one line broken each."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

LISTENS = "tests/missions/test_listening.py"
TALKS = "tests/doors/native/test_mission_talks.py"
MEMBERS = "tests/missions/test_members.py"
EVENTS = "tests/doors/hec/test_send.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "listener-mark-unread",
        "a message that bears a higher mark lies at the listener's label",
        Edit("casemate.missions.host.listening:Listening._looked_at", "continue", "pass"),
        Tested(f"{LISTENS}::test_a_mark_above_the_label_is_kept_nowhere_and_counted_where_it_was"),
    ),
    (
        "listener-any-peer",
        "whoever reaches the address writes at the listener's label",
        Edit("casemate.engines.syslog_door:SyslogDoor._accept", "not self.known(peer) or", ""),
        Tested(f"{LISTENS}::test_whoever_is_no_peer_is_hung_up_on_and_so_is_one_too_many"),
    ),
    (
        "listener-any-certificate",
        "whoever has no certificate of the authorities that the settings name writes at the listener's label",
        Edit("casemate.wiring.tls:receiving", "ssl.CERT_REQUIRED", "ssl.CERT_OPTIONAL"),
        Tested("tests/missions/test_listening_tls.py::test_who_has_no_certificate_of_the_authority_is_not_listened_to"),
    ),
    (
        "listener-loses",
        "a message that could not be kept is let go",
        Edit("casemate.missions.host.listening:Listening.take", "await self.wait(pause)", "return"),
        Tested(f"{LISTENS}::test_what_cannot_be_kept_waits_and_is_not_lost"),
    ),
    (
        "watch-clears-what-came-later",
        "what was changed while a run went on is removed with what it took",
        Edit("casemate.missions.host.watching:Watching._clear", "and one.mark in known", ""),
        Tested("tests/missions/test_watch_times.py::test_what_was_run_over_is_removed_and_nothing_else"),
    ),
    (
        "ensemble-unheld",
        "a member runs with what its form would refuse",
        Edit("casemate.missions.host.ensemble:_held", "filled(fields, {**given, **point})", "pass"),
        Tested("tests/missions/test_ensemble.py::test_what_a_form_would_refuse_no_member_is_given"),
    ),
    (
        "ensemble-of-another-label",
        "what lies at another label counts as there",
        Edit("casemate.jobs.sweep:again", "before.array.ref.class_id != flow.access.id or", ""),
        Tested("tests/missions/test_ensemble.py::test_what_was_changed_since_is_a_conflict_and_another_label_has_none"),
    ),
    (
        "members-of-other-labels",
        "what an ensemble at another label has finished is found by one here",
        Edit("casemate.missions.host.members:_here", "ref.class_id == flow.access.id", "True"),
        Tested(f"{MEMBERS}::test_nothing_is_taken_over_from_below_nor_from_above"),
    ),
    (
        "member-of-another-label",
        "a child takes over what lies in another class",
        Edit("casemate.jobs.fan:_taken", "found.ref.class_id == flow.access.id", "True"),
        Tested("tests/jobs/test_fan.py::test_what_failed_is_gone_or_lies_below_is_run"),
    ),
    (
        "member-by-its-word",
        "a job counts as a member because it bears the mission's name, whatever it ran",
        Edit("casemate.missions.host.members:_key", "env={**env, ORDER: told}", "env={ORDER: told}, outputs=()"),
        Tested(f"{MEMBERS}::test_a_job_that_only_says_that_it_is_a_member_is_none"),
    ),
    (
        "member-over-what-was-changed",
        "a member is taken over whose inputs were changed before it was asked for",
        Edit("casemate.jobs.ask:Taken.over", "if same else {}", "if True else {}"),
        Tested("tests/jobs/test_fan.py::test_what_was_changed_in_the_meantime_is_run_over"),
    ),
    (
        "environment-of-that-name",
        "a name that somebody took lends a mission other libraries than its lock's",
        Edit("casemate.jobs.environment:Environments.add", "if len(same) < len(own):", "if False:"),
        Tested("tests/jobs/test_environment.py::test_a_lock_that_several_wheels_fit_names_them"),
    ),
    (
        "event-told-before-kept",
        "an event is acknowledged that could not be kept",
        Edit("casemate.doors.hec.send:_kept", "if isinstance(end, BaseException):", "if False:"),
        Tested(f"{EVENTS}::test_where_nothing_can_be_kept_nothing_is_acknowledged"),
    ),
    (
        "event-mark-unread",
        "an event that bears a higher mark lies at the key's label",
        Edit("casemate.doors.hec.send:events", "await flow.inspect(strings(found))", "pass"),
        Tested(f"{EVENTS}::test_a_mark_above_the_key_refuses_all_of_it"),
    ),
    (
        "talk-mark-unread",
        "a model's call names what its asker could not have written",
        Edit("casemate.doors.native.mission_talks:_Talks._called", "await flow.inspect(said_by(request))", "pass"),
        Tested(f"{TALKS}::test_a_mark_that_a_model_writes_into_a_call_refuses_it"),
    ),
    (
        "talk-unmarked",
        "what a run found is lent to an engine as if its asker had brought it from the floor",
        Edit("casemate.doors.native.mission_talks:_Talks.go", "flow.bear(flow.acting)", "pass"),
        Tested(f"{TALKS}::test_what_a_model_calls_is_run_once_and_told_and_then_it_answers"),
    ),
    (
        "talk-of-another",
        "a call is answered with the run of another conversation",
        Edit("casemate.missions.host.talk:call_of", "turns[: last + 1]", "0"),
        Tested(f"{TALKS}::test_another_conversation_is_another_run"),
    ),
    (
        "talk-calls-anything",
        "a model calls a mission that it was not told of",
        Edit("casemate.doors.native.mission_talks:_Talks._called", "if each.name not in names:", "if False:"),
        Tested(f"{TALKS}::test_a_mission_that_is_not_offered_is_not_called"),
    ),
)
