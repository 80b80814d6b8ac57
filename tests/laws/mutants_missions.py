"""Mutants of missions: one line broken, named after what a form, a report or a question does that it should not."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

NATIVE = "tests/doors/native/test_missions.py"
ANSWERS = "tests/missions/test_answers.py"
PROGRAM = "tests/missions/test_program.py"
CALLS = "tests/doors/native/test_mission_calls.py"
CHECK = "tests/cli/test_mission.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "mission-code-unmarked",
        "a mark in the code of a mission is not looked for",
        Edit("casemate.doors.native.missions:_said", "        *code,\n", ""),
        Tested(f"{NATIVE}::test_a_mark_in_what_was_brought_or_typed_refuses"),
    ),
    (
        "mission-form-unmarked",
        "a mark in a filled form is not looked for",
        Edit("casemate.doors.native.missions:texts_of_run", "*_strings(request.parameters), ", ""),
        Tested(f"{NATIVE}::test_a_mark_in_what_was_brought_or_typed_refuses"),
    ),
    (
        "mission-over-the-face",
        "a mission's file stands in the place of the face, or leads out of its folder",
        Edit("casemate.missions.host.host:_checked", "any(not _PLACE.fullmatch(name)", "any(False"),
        Tested(f"{NATIVE}::test_what_is_no_mission_is_refused"),
    ),
    (
        "mission-source-of-any-scheme",
        "a form names a source that only the region's own jobs may",
        Edit(
            "casemate.missions.host.host:Missions.estimate",
            'if not source.startswith(("dataset:", "object:", "job:")):',
            "if False:",
        ),
        Tested(f"{NATIVE}::test_what_does_not_fit_the_form_is_refused_and_nothing_is_kept"),
    ),
    (
        "mission-report-unmarked",
        "a report leaves without its marking",
        Edit("casemate.missions.host.outcome:report_of", "marking=banner", 'marking=""'),
        Tested(f"{NATIVE}::test_a_result_is_told_with_its_label_and_to_nobody_below"),
    ),
    (
        "mission-table-unmarked",
        "a table leaves without its marking",
        Edit("casemate.missions.host.outcome:table_of", 'f"# {banner}\\n{text}"', 'f"{text}"'),
        Tested(f"{NATIVE}::test_a_result_is_told_with_its_label_and_to_nobody_below"),
    ),
    (
        "mission-report-unescaped",
        "what a mission writes becomes a part of the page",
        Edit("casemate.reports.page:_part", "<p>{escape(each)}</p>", "<p>{each}</p>"),
        Tested(f"{NATIVE}::test_a_result_is_told_with_its_label_and_to_nobody_below"),
    ),
    (
        "mission-picture-inline",
        "a picture that a mission wrote runs what is in it",
        Edit(
            "casemate.reports.page:_part",
            """body = f'<img alt="{escape(part.title)}" src="data:image/svg+xml;base64,{data}">'""",
            "body = part.svg",
        ),
        Tested(f"{PROGRAM}::test_a_run_leaves_tables_files_a_report_and_two_digests"),
    ),
    (
        "mission-question-unmarked",
        "a mark in a question is not looked for, and it goes to a model",
        Edit("casemate.missions.host.answers:Answers._generated", "await flow.inspect((asked.prompt,))", "pass"),
        Tested(f"{ANSWERS}::test_a_mark_above_the_job_is_not_sent"),
    ),
    (
        "mission-question-of-the-lowered",
        "a question is answered for an owner who is no longer cleared for it",
        Edit("casemate.missions.host.answers:Answers._flow", "not access.label <= owner.clearance", "False"),
        Tested(f"{ANSWERS}::test_an_owner_who_may_not_ask_any_more_is_not_asked_for"),
    ),
    (
        "mission-question-of-any-job",
        "a job that is no mission is answered",
        Edit("casemate.missions.host.answers:_model", " or TAG not in job.spec.tags", ""),
        Tested(f"{ANSWERS}::test_a_job_that_named_no_model_or_is_no_mission_is_not_answered"),
    ),
    (
        "mission-question-again-and-again",
        "one question is answered, and counted, at every step",
        Edit("casemate.missions.host.answers:Answers._job", "if number not in known", "if True"),
        Tested(f"{ANSWERS}::test_a_question_is_answered_once_in_the_owners_name_at_the_jobs_label"),
    ),
    (
        "mission-bounds",
        "what is beyond a parameter's bounds runs",
        Edit("casemate.missions.form:_one", "low is not None and value < low", "False"),
        Tested(f"{PROGRAM}::test_what_is_out_of_bounds_is_refused_before_it_runs"),
    ),
    (
        "mission-sockets",
        "the conformance suite lets a mission have the network",
        Edit("casemate.cli.mission_check:_ran", "_BLOCKED", "_BLOCKED.replace('sys.addaudithook(hook)', '')"),
        Tested(f"{CHECK}::test_what_reaches_for_the_network_fails"),
    ),
    (
        "mission-call-unmarked",
        "a mark that a model wrote into the JSON of its arguments is not looked for",
        Edit("casemate.missions.host.tool:said_by", "    yield from _texts(given)\n", ""),
        Tested(f"{CALLS}::test_a_mark_in_what_a_model_wrote_refuses_however_it_is_wrapped"),
    ),
    (
        "mission-call-chooses-more",
        "what a model wrote beside parameters and inputs is taken in silence",
        Edit(
            "casemate.missions.host.tool:asked_by",
            "convert(given, Arguments)",
            "convert({name: given[name] for name in ('parameters', 'inputs') if name in given}, Arguments)",
        ),
        Tested(f"{CALLS}::test_what_does_not_fit_is_told_to_the_model_and_nothing_runs"),
    ),
    (
        "mission-turn-unmarked",
        "what a run found goes to a model without its marking, and from there to any label",
        Edit("casemate.missions.host.tool:content", "{banner}\\n", ""),
        Tested(f"{CALLS}::test_a_turn_that_goes_on_below_its_label_is_refused"),
    ),
    (
        "mission-tool-unmarked",
        "what a hidden mission is for goes into a conversation at any label",
        Edit("casemate.missions.host.tool:tool_of", '\\n{banner}"', '"'),
        Tested(f"{CALLS}::test_a_turn_that_goes_on_below_its_label_is_refused"),
    ),
    (
        "mission-call-unbounded",
        "a whole table goes to a model",
        Edit("casemate.missions.host.tool:_rows", "each[:CELL]", "each"),
        Tested(f"{CALLS}::test_what_a_model_is_told_has_bounds"),
    ),
    (
        "mission-call-of-nobody",
        "a run that a model asked for is not told from one that a person did",
        Edit("casemate.missions.host.host:Missions.called", ', CALLED: "yes"', ""),
        Tested(f"{CALLS}::test_a_call_is_a_run_at_the_acting_label_and_its_turn_bears_the_marking"),
    ),
)
