"""Mutants of missions: one line broken, named after what a form, a report or a question does that it should not."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

NATIVE = "tests/doors/native/test_missions.py"
ANSWERS = "tests/missions/test_answers.py"
PROGRAM = "tests/missions/test_program.py"
CALLS = "tests/doors/native/test_mission_calls.py"
WATCHES = "tests/missions/test_watches.py"
NOTICES = "tests/missions/test_notices.py"
STANDING = "tests/missions/test_standing.py"
NETWORK = "tests/reports/test_network.py"
CHECK = "tests/cli/test_mission.py"
FINDINGS = "tests/missions/test_findings.py"

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
        "mission-network-unescaped",
        "what a mission writes into a network ends the data and begins a script",
        Edit("casemate.reports.network:drawn", r'.replace("<", "\\u003c")', ""),
        Tested(f"{NETWORK}::test_whatever_a_mission_writes_the_page_has_our_script_and_no_other"),
    ),
    (
        "mission-script-of-anybody",
        "a page with a network lets any script run",
        Edit("casemate.reports.page:policy", "script-src {script_hash()}", "script-src 'unsafe-inline'"),
        Tested(f"{NETWORK}::test_whatever_a_mission_writes_the_page_has_our_script_and_no_other"),
    ),
    (
        "mission-script-without-need",
        "a page without a network lets scripts run",
        Edit("casemate.reports.page:policy", " if _walks(report) else _POLICY", ""),
        Tested(f"{NETWORK}::test_a_page_lets_a_script_run_only_where_there_is_a_network"),
    ),
    (
        "mission-sheet-unmarked",
        "a printed sheet of a report bears no marking",
        Edit("casemate.reports.page:page", "_STYLE + _sheet(marking)", "_STYLE"),
        Tested(f"{NETWORK}::test_a_marking_breaks_out_of_no_style"),
    ),
    (
        "mission-question-unmarked",
        "a mark in a question is not looked for, and it goes to a model",
        Edit("casemate.missions.host.answers:Answers._generated", "await flow.inspect((asked.prompt,))", "pass"),
        Tested(f"{ANSWERS}::test_a_mark_above_the_job_is_not_sent"),
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
        "mission-watch-twice",
        "what was run over is run over again: the cursor is not changed in the commit of the job",
        Edit("casemate.missions.host.watching:Watching._begin", "taken=taken, ", ""),
        Tested(f"{WATCHES}::test_what_is_new_is_run_over_once_and_one_run_at_a_time"),
    ),
    (
        "mission-watch-two-at-once",
        "a watch begins a run while another is under way",
        Edit("casemate.missions.host.watching:Watching.lane", "if found.value.job else", "if False else"),
        Tested(f"{WATCHES}::test_what_is_new_is_run_over_once_and_one_run_at_a_time"),
    ),
    (
        "mission-watch-of-the-lowered",
        "a watch runs for an owner who is no longer cleared for its label",
        Edit("casemate.missions.host.watching:Watching._flow", "not access.label <= owner.clearance", "False"),
        Tested(f"{WATCHES}::test_an_owner_who_may_not_act_there_any_more_is_not_run_for"),
    ),
    (
        "mission-watch-of-another",
        "anybody removes the watch of another",
        Edit("casemate.missions.host.watches:Watches._own", "isinstance(decision, Refuse)", "False"),
        Tested(f"{WATCHES}::test_a_watch_is_removed_by_its_owner_at_its_label"),
    ),
    (
        "mission-watch-changes-at-first",
        "a question is told to have changed that was never answered before",
        Edit("casemate.missions.host.watch:Condition.met", "and self.figure in before and", "and"),
        Tested(f"{STANDING}::test_a_notice_is_made_when_the_answer_changes_and_not_before"),
    ),
    (
        "mission-watch-paused-runs",
        "a watch that was paused runs on",
        Edit("casemate.missions.host.watching:Watching._begin", "watch.paused or ", ""),
        Tested(f"{STANDING}::test_a_paused_watch_begins_nothing_and_what_came_meanwhile_is_new"),
    ),
    (
        "mission-watch-unmarked",
        "a mark in what was typed for a watch is not looked for",
        Edit("casemate.doors.native.mission_watches:_said", "*texts_of_run(request.run),", ""),
        Tested(f"{WATCHES}::test_a_mark_in_what_was_typed_refuses"),
    ),
    (
        "notice-whole-below",
        "a notice goes whole to a sink that its label is above",
        Edit("casemate.missions.host.notices:Notices._to", "self._bare()", "self._whole(flow, found)"),
        Tested(f"{NOTICES}::test_a_notice_lies_at_the_label_and_leaves_whole_only_where_the_sink_dominates"),
    ),
    (
        "notice-announced-anywhere",
        "a sink is told that there is something, of a label of which the settings let nothing be said",
        Edit("casemate.access.leave:announce", "known is not None and value.label <= known", "True"),
        Tested(f"{NOTICES}::test_a_notice_lies_at_the_label_and_leaves_whole_only_where_the_sink_dominates"),
    ),
    (
        "notice-lent-above",
        "the gate gives a sink what its accreditation does not dominate",
        Edit("casemate.access.leave:announce", "ceiling=to.label", "ceiling=value.label"),
        Tested("tests/access/test_announce.py::test_a_sink_is_told_what_its_accreditation_dominates_and_no_more"),
    ),
    (
        "notice-unrecorded",
        "what a sink was told stands in no ledger",
        Edit(
            "casemate.access.leave:announce",
            'flow.append(Note(flow.action.name, "lent", facts=facts))',
            "pass",
        ),
        Tested(f"{NOTICES}::test_a_notice_lies_at_the_label_and_leaves_whole_only_where_the_sink_dominates"),
    ),
    (
        "notice-as-often-as-one-likes",
        "that there is something is said at every run: a message in how often",
        Edit("casemate.missions.host.notices:Notices._to", "now - last[0].value.at < HOUR", "False"),
        Tested(f"{NOTICES}::test_that_there_is_something_is_said_once_an_hour"),
    ),
    (
        "notice-id-below",
        "the id of a notice reaches a sink that its label is above",
        Edit(
            "casemate.missions.host.notices:Notices._to",
            "flow.access.id, id, self._bare()",
            "flow.access.id, found.id, self._bare()",
        ),
        Tested(f"{NOTICES}::test_a_notice_lies_at_the_label_and_leaves_whole_only_where_the_sink_dominates"),
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
        "mission-answer-left-behind",
        "an answer lies plain in a folder that was sealed and removed while a model wrote it",
        Edit(
            "casemate.missions.host.answers:Answers._job",
            "await site.scratch.fill(site.scratch.at(access.id, attempt.token)",
            "await site.scratch.fill(await site.scratch.make(access.id, attempt.token)",
        ),
        Tested(f"{ANSWERS}::test_what_was_removed_while_a_model_answered_stays_removed"),
    ),
    (
        "mission-broken-folder-holds-up",
        "a job that breaks its folder keeps a model from all others of its label",
        Edit(
            "casemate.missions.host.answers:Answers.lane", "except (CasemateError, OSError):", "except CasemateError:"
        ),
        Tested(f"{ANSWERS}::test_a_job_that_breaks_its_folder_asks_once_and_holds_up_nobody"),
    ),
    (
        "mission-past-the-veto",
        "whom a policy of the region keeps from models has them through a mission",
        Edit("casemate.missions.host.answers:Answers._flow", "await self.gate.open(himself, ASK)", "pass"),
        Tested(f"{ANSWERS}::test_an_owner_whom_a_policy_forbids_is_refused_once"),
    ),
    (
        "mission-refused-at-every-step",
        "the ledger is filled with one refusal of a question that a policy forbids",
        Edit("casemate.missions.host.answers:Answers._flow", "except Refused:", "except ZeroDivisionError:"),
        Tested(f"{ANSWERS}::test_an_owner_whom_a_policy_forbids_is_refused_once"),
    ),
    (
        "mission-alike-by-its-own-word",
        "two runs are alike because a program says so",
        Edit(
            "casemate.missions.host.outcome:_true",
            'return known and (told["asked"], told["digest"]) == (digest_of(asked), digest_of(made))',
            "return True",
        ),
        Tested(f"{NATIVE}::test_a_result_whose_digests_are_not_those_of_what_it_left_is_none"),
    ),
    (
        "mission-name-leads-elsewhere",
        "the link of a table leads to another page of the console",
        Edit("casemate.missions.host.outcome:_named", "_NAME.fullmatch(name) for", "True for"),
        Tested(f"{NATIVE}::test_a_name_that_leads_elsewhere_is_no_name"),
    ),
    (
        "mission-table-with-formulas",
        "a spreadsheet computes what an intruder wrote into a log",
        Edit("casemate.missions.host.outcome:_inert", "_FORMULA.search(text) is None", "True"),
        Tested(f"{NATIVE}::test_no_cell_of_a_table_is_a_formula"),
    ),
    (
        "mission-report-on-the-loop",
        "everybody waits while the report of one label is drawn",
        Edit(
            "casemate.missions.host.outcome:report_of",
            "return await flow.gate.threads.run(flow.access.id, drawn)",
            "return drawn()",
        ),
        Tested(f"{NATIVE}::test_what_is_too_large_to_be_drawn_is_refused_and_nobody_waits_for_it"),
    ),
    (
        "mission-report-without-end",
        "a report of 16 MiB takes a gigabyte to draw",
        Edit("casemate.reports.report:read", "_values(value) > MOST_VALUES", "False"),
        Tested(f"{NATIVE}::test_what_is_too_large_to_be_drawn_is_refused_and_nobody_waits_for_it"),
    ),
    (
        "mission-again-overtakes",
        "a run that is made again goes before others, each time by what its queue adds",
        Edit("casemate.missions.host.host:Missions.again", "priority=0, ", ""),
        Tested(f"{NATIVE}::test_a_run_made_again_keeps_the_priority_of_its_queue"),
    ),
    (
        "mission-figure-shows-a-mark",
        "a figure shows a mark in the colours of a label on a terminal",
        Edit("casemate.cli.mission_run:_shown", "{in_line(name)}  {in_line(value)}", "{name}  {value}"),
        Tested(f"{CHECK}::test_what_a_program_left_makes_no_line_of_its_own_and_has_no_colour"),
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
    (
        "finding-names-its-rule",
        "an alert comes down with the name, the id, the author or the pattern of its rule",
        Edit("casemate.missions.withheld:stripped", "if told and not _holds", "if told or not _holds"),
        Tested(f"{FINDINGS}::test_an_alert_comes_down_without_its_rule"),
    ),
    (
        "finding-bears-its-run",
        "what comes down names the run above",
        Edit(
            "casemate.missions.host.findings:_arrived",
            "Finding(arriving.text, arriving.at, arriving.by)",
            'Finding(arriving.text, arriving.at, arriving.by, key="a1")',
        ),
        Tested(f"{FINDINGS}::test_an_alert_comes_down_without_its_rule"),
    ),
)
