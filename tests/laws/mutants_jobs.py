"""Mutants of jobs: one line broken, named after the effect that happens twice, or what is read that should not be."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

ROOM = "casemate.jobs"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/jobs/{file}.py::{name}")


# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "job-commit-unfenced",
        "an attempt whose token is no longer the live one's says how the job ended",
        Edit(f"{ROOM}.life:_of", "attempt.token == token", "True"),
        _test("test_life", "test_a_job_goes_up_ends_once_and_keeps_what_one_attempt_left"),
    ),
    (
        "job-version-unfenced",
        "of two that change a job the later one undoes the other's change",
        Edit(f"{ROOM}.changes:Changes._puts", "expect=was[id].version", "expect=None"),
        _test("test_reconcile", "test_two_loops_make_one_attempt"),
    ),
    (
        "lost-unfenced",
        "an attempt begins while the one before it may still begin",
        Edit(f"{ROOM}.attend:Attend._lose", "await site.scratch.fence(domain, token)", "pass"),
        _test("test_reconcile", "test_a_shim_that_comes_late_finds_the_folder_closed"),
    ),
    (
        "reused-id-adopted",
        "the end of another's job counts as this one's",
        Edit(f"{ROOM}.attend:Attend._one", 'polled.token not in ("", token)', "False"),
        _test("test_reconcile", "test_an_id_that_was_given_to_another_is_never_adopted"),
    ),
    (
        "resubmitted-anew",
        "what an engine has lost is submitted under another token, and runs twice where it was not lost",
        Edit(f"{ROOM}.attend:Attend._look_for", "if natives:", "if False:"),
        _test("test_reconcile", "test_a_kill_while_engines_run_it_twice_has_one_effect"),
    ),
    (
        "dispatch-trusts-submission",
        "an input that was raised since the job was asked for is read all the same",
        Edit(f"{ROOM}.stage:ready", "for one in spec.inputs:", "for one in ():"),
        _test("test_reconcile", "test_a_label_raised_between_submission_and_dispatch_is_honoured"),
    ),
    (
        "environment-trusts-submission",
        "a job begins though its environment was raised, contained or forgotten since it was asked for",
        Edit(f"{ROOM}.stage:ready", "if spec.environment:", "if False:"),
        _test("test_environment", "test_what_is_no_more_when_it_is_dispatched_runs_nothing"),
    ),
    (
        "site-label-unheeded",
        "a tree of the site is read by a job whose label does not dominate it",
        Edit(f"{ROOM}.environment:Environments.look", "site is None or not site.label <= flow.acting", "site is None"),
        _test("test_environment", "test_a_label_raised_between_submission_and_dispatch_is_honoured"),
    ),
    (
        "environment-tampered",
        "files are unpacked that are not those of the environment's digest",
        Edit(f"{ROOM}.unpack:_begin", "if digest.hexdigest() != file.digest:", "if False:"),
        _test("test_environment", "test_a_blob_that_was_tampered_with_is_no_environment"),
    ),
    (
        "package-unsigned",
        "a list that nobody of the settings has signed fills the mirror",
        Edit(f"{ROOM}.packages:Mirror.listed", "if not value.key and (", "if False and ("),
        _test("test_environment", "test_with_a_key_what_it_has_not_signed_counts_nowhere"),
    ),
    (
        "package-other-file",
        "another file than the list names becomes a package",
        Edit(f"{ROOM}.packages:_poured", "if digest.hexdigest() != expected:", "if False:"),
        _test("test_environment", "test_a_wheel_is_the_file_that_its_list_names"),
    ),
    (
        "image-below-its-walls",
        "an image's job runs in the machine's own root, at L1, where there are no mounts",
        Edit(f"{ROOM}.dispatch:Dispatch._level", 'spec.environment.startswith("image:")', "False"),
        _test("test_environment", "test_an_image_is_a_root_and_never_below_l2"),
    ),
    (
        "owner-not-asked-again",
        "a job begins for somebody whose clearance was taken away",
        Edit(f"{ROOM}.dispatch:Dispatch._begin", "if not self._owner(job):", "if False:"),
        _test("test_reconcile", "test_an_owner_who_may_not_act_there_any_more_has_nothing_begun"),
    ),
    (
        "isolation-unheeded",
        "a job runs below its floor",
        Edit(f"{ROOM}.dispatch:Dispatch._begin", "elif level not in told.levels:", "elif False:"),
        _test("test_reconcile", "test_below_its_floor_of_isolation_nothing_runs"),
    ),
    (
        "policy-floor-unheeded",
        "a job of a label that asks for L2 runs in L1 because it asked for that",
        Edit(f"{ROOM}.sites:Sites.level", "one >= wanted and one >= least", "one >= wanted"),
        _test("test_reconcile", "test_the_policy_asks_for_more_than_the_job"),
    ),
    (
        "executor-unaccredited",
        "a job's command goes to an engine that is not accredited for its label",
        Edit(f"{ROOM}.stage:ready", 'return "ACCREDITATION"', "pass"),
        _test("test_reconcile", "test_an_engine_that_is_not_accredited_is_lent_nothing"),
    ),
    (
        "job-label-unheeded",
        "a job that asks to write lower is kept, and not refused by name",
        Edit(f"{ROOM}.ask:Asking.label", "if not flow.acting <= asked:", "if False:"),
        _test("test_submit", "test_a_job_that_asks_to_write_lower_is_refused_by_name"),
    ),
    (
        "job-nodes-wide",
        "ranks of a label that asks for walls speak over the machines' network",
        Edit(f"{ROOM}.ask:Asking.label", "if not self.sites.held(", "if False and not self.sites.held("),
        _test("test_submit", "test_ranks_across_nodes_are_refused_where_the_policy_asks_for_walls"),
    ),
    (
        "job-nodes-raised",
        "what the policy asks for meanwhile is not asked about when ranks on several nodes begin",
        Edit(f"{ROOM}.dispatch:Dispatch._begin", "elif not self._sites.held(", "elif False and not self._sites.held("),
        _test("test_reconcile", "test_ranks_across_nodes_are_asked_about_again_when_they_begin"),
    ),
    (
        "job-network-for-all",
        "a job sends what it reads over the machines' network, whatever that is accredited for",
        Edit(f"{ROOM}.ask:Asking.label", "if not self.sites.open(", "if False and not self.sites.open("),
        _test("test_submit", "test_the_machines_network_is_for_labels_that_the_settings_name"),
    ),
    (
        "job-network-upward",
        "a network that is accredited for a label carries what lies above it",
        Edit(f"{ROOM}.sites:Sites.open", "any(label <= each", "any(each <= label or label <= each"),
        _test("test_submit", "test_the_machines_network_is_for_labels_that_the_settings_name"),
    ),
    (
        "job-network-raised",
        "what the network is accredited for meanwhile is not asked about when a job begins",
        Edit(f"{ROOM}.dispatch:Dispatch._begin", "elif not self._sites.open(", "elif False and not self._sites.open("),
        _test("test_reconcile", "test_the_network_is_asked_about_again_when_a_job_begins"),
    ),
    (
        "job-key-across-owners",
        "a key that somebody has used tells another one of his job",
        Edit(f"{ROOM}.ask:key_id", 'f"{owner}\\0{key}"', 'f"{key}"'),
        _test("test_submit", "test_a_key_is_its_owners_alone_and_its_labels"),
    ),
    (
        "job-key-not-claimed",
        "two submissions of one key at one moment make two jobs",
        Edit(f"{ROOM}.ask:Asking.land", "kept, expect=0))", "kept))"),
        _test("test_submit", "test_a_key_makes_one_job_of_a_hundred_at_once"),
    ),
    (
        "cancels-anybodys",
        "a job is ended by somebody whose it is not",
        Edit(f"{ROOM}.submit:Jobs._own", "if isinstance(decision, Refuse):", "if False:"),
        _test("test_submit", "test_only_its_owner_and_operators_end_a_job"),
    ),
    (
        "top-counts-below",
        "what waits at other labels is in the counts",
        Edit(f"{ROOM}.submit:Jobs.top", "found.ref.class_id == flow.access.id and ", ""),
        _test("test_submit", "test_counts_are_of_the_acting_class_alone"),
    ),
    (
        "zombie-folder-kept",
        "what a job read stays plain on the disk after it has been sealed",
        Edit(f"{ROOM}.reconcile:_Turns.step", "if one.id in landed and not one.placed", "if False"),
        _test("test_reconcile", "test_a_job_runs_and_what_it_leaves_is_kept"),
    ),
    (
        "job-parents-forgotten",
        "what a job made of a spilled input is not found with it",
        Edit(f"{ROOM}.changes:parents_of", "if not job.made_of:", "if True:"),
        Tested("tests/custody/test_spill_jobs.py::test_a_job_made_from_a_contained_input_is_found"),
    ),
    (
        "lane-leaves-at-once",
        "what a trivial job has done is sealed only with the loop's next step",
        Edit(f"{ROOM}.reconcile:Reconciler.lane", "turns.lively = self._monotonic() + EVERY", "pass"),
        _test("test_reconcile", "test_a_lane_stays_a_moment_with_what_has_just_begun_and_no_longer"),
    ),
    (
        "lane-stays",
        "the lane of a class never ends its step while one of its jobs runs",
        Edit(f"{ROOM}.reconcile:Reconciler.lane", "self._monotonic() > turns.lively", "False"),
        _test("test_reconcile", "test_a_lane_stays_a_moment_with_what_has_just_begun_and_no_longer"),
    ),
)
