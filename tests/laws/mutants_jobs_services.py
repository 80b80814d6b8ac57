"""Mutants of services: one line broken, named after who then reaches one, or what is asked of which."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested
from tests.laws.mutants_jobs_sandbox import _shim

LOOP = "tests/jobs/test_services.py"
ENGINE = "tests/engines/test_service_engine.py"
SHIM = "tests/cells/shim/test_door.py"
CARD = "tests/doors/native/test_deploy.py"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "service-shared-upwards",
        "who acts above is answered by a service below, whose own users then meet his requests",
        Edit("casemate.models.card:Card.usable", "if self.alone and self.label is not flow.acting:", "if False:"),
        Tested(f"{CARD}::test_a_service_answers_requests_that_act_at_its_label_and_no_others"),
    ),
    (
        "service-accredited-above",
        "what its label does not dominate enters a service",
        Edit("casemate.models.registry:accredit", 'if found.value.engine.kind == "service":', "if False:"),
        Tested(f"{CARD}::test_nothing_from_above_is_accredited_for_a_service"),
    ),
    (
        "service-accreditation-kept",
        "what an officer has said of one place counts for another",
        Edit("casemate.models.deploy:deploy", 'if same else ""', 'if True else ""'),
        Tested(f"{CARD}::test_imported_weights_are_served_and_another_place_is_accredited_anew"),
    ),
    (
        "service-deployed-by-no-user",
        "who may run no jobs runs one",
        Edit("casemate.models.deploy:deploy", "if isinstance(decision, Refuse):", "if False:"),
        Tested(f"{CARD}::test_only_who_may_run_jobs_deploys"),
    ),
    (
        "service-below-its-walls",
        "a service runs where it has the machine's sockets for a neighbour",
        Edit("casemate.jobs.dispatch:Dispatch._level", 'or spec.kind == "service"', ""),
        Tested(f"{LOOP}::test_one_that_is_lost_is_begun_again_and_one_that_cannot_begin_says_why"),
    ),
    (
        "service-of-another",
        "whoever sees a service changes what it runs",
        Edit("casemate.jobs.submit:Jobs.update", "await self._own(flow, id)", "await self.named(flow, id)"),
        Tested(f"{LOOP}::test_only_whose_it_is_changes_it_and_nobody_below_knows_it"),
    ),
    (
        "service-on-the-machines-network",
        "everybody on the machine reaches a service, and it them",
        Edit("casemate.jobs.checked:_service", 'spec.resources.network != "none"', "False"),
        Tested(f"{LOOP}::test_what_cannot_be_a_service_is_refused"),
    ),
    (
        "service-socket-followed",
        "a link in a folder leads requests to another's socket",
        Edit("casemate.engines.job_line:connected", "os.O_PATH | os.O_NOFOLLOW", "os.O_PATH"),
        Tested(f"{ENGINE}::test_a_link_to_another_socket_is_no_replica"),
    ),
    (
        "service-asked-unknocked",
        "a port of a node is taken for a replica's though no secret guards it",
        Edit("casemate.engines.service_doors:ServiceDoors._reach", "if knock and way.port", "if way.port"),
        Tested(f"{ENGINE}::test_on_another_node_the_secret_of_the_order_is_said_first"),
    ),
    (
        "service-order-believed",
        "a link in a folder of a cluster's user tells the secret of another label's service, which is then asked",
        Edit(
            "casemate.engines.service_doors:_knock",
            'found = small(held, "order.json")',
            'found = ((root / folder / "order.json").read_bytes(), 0.0)',
        ),
        Tested(f"{ENGINE}::test_what_lies_in_the_place_of_an_order_leads_nowhere[link]"),
    ),
    (
        "service-knock-of-any-shape",
        "what a cluster's user has written into his order is said to whomever he names",
        Edit("casemate.engines.service_doors:_knock", "if _KNOCK.fullmatch(knock)", "if knock"),
        Tested(f"{ENGINE}::test_what_lies_in_the_place_of_an_order_leads_nowhere[shape]"),
    ),
    (
        "service-strangers-crowd",
        "jobs of another label that say nothing keep everybody out of a service",
        _shim("door.py", "if self._open >= self._most:", "if len(self._strangers) >= _STRANGERS:"),
        Tested(f"{SHIM}::test_strangers_who_are_silent_keep_nobody_out"),
    ),
    (
        "service-unknocked",
        "everybody on the cluster's network reaches a service",
        _shim("door.py", "if hmac.compare_digest(said, self._knock[:half]) and", "if"),
        Tested(f"{SHIM}::test_who_knows_the_secret_is_let_in_over_the_network_and_nobody_else"),
    ),
    (
        "service-stranger-asked",
        "whoever listens at a port that a cluster's user names is told what is asked of a service",
        Edit(
            "casemate.engines.service_engine:_Far._held",
            "if not hmac.compare_digest(heard, self.knock[half:]):",
            "if False:",
        ),
        Tested(f"{ENGINE}::test_on_another_node_the_secret_of_the_order_is_said_first"),
    ),
    (
        "service-host-believed",
        "a cluster's user names the machine to which requests go",
        Edit("casemate.jobs.services:_way", 'attempt.node.partition(",")[0]', "told.node"),
        Tested("tests/jobs/test_services.py::test_a_replica_is_asked_where_its_engine_has_it_run"),
    ),
    (
        "job-nodes-forgotten",
        "the planner gives away nodes that a job across nodes still holds: two labels' ranks meet there",
        Edit("casemate.jobs.life:_where", 'attempt.node if "," in attempt.node else ', ""),
        Tested("tests/jobs/test_life.py::test_a_job_across_nodes_keeps_all_of_them_while_it_runs"),
    ),
    (
        "service-doors-kept",
        "after a start requests go where somebody once was",
        Edit(
            "casemate.engines.service_doors:ServiceDoors.clear", "shutil.rmtree(self.root, ignore_errors=True)", "pass"
        ),
        Tested(f"{ENGINE}::test_doors_are_what_was_said_last_and_a_start_clears_them"),
    ),
    (
        "service-answers-twice",
        "an answer that broke off goes on with another's",
        Edit("casemate.engines.service_engine:ServiceEngine.generate", "if begun or error", "if error"),
        Tested(f"{ENGINE}::test_a_replica_that_fails_before_it_answers_loses_nothing_and_one_that_fails_after_is_told"),
    ),
)
