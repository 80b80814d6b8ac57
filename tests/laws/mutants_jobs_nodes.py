"""Mutants of the nodes of clusters and of queues at every door: each lets a label have what another left, or a queue be
passed by."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested
from tests.laws.mutants_jobs_sandbox import _shim

NODES = "casemate.jobs.nodes:Nodes"


def _test(name: str) -> Tested:
    return Tested(f"tests/jobs/test_nodes.py::{name}")


_NOBODYS = "test_a_node_that_held_another_label_is_nobodys_until_its_steps_are_on_record"
_ONCE = "test_a_step_is_recorded_where_the_node_was_held_by_an_operator_once_nothing_runs_there"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "node-moved-unclean",
        "a job runs where another label's left its memory and scratch",
        Edit(f"{NODES}.claim", "if holders[id] <= {flow.access.id}", ""),
        _test(_NOBODYS),
    ),
    (
        "node-not-held",
        "a label's job runs on every node that the engine names",
        Edit(f"{NODES}.of", "in mine", "not in ()"),
        _test("test_a_label_runs_on_its_own_nodes_alone_and_holds_them_on_record"),
    ),
    (
        "node-clean-by-one-step",
        "a node counts as clean though its scratch was left as it was",
        Edit(f"{NODES}.sanitise", ">= NEEDED", "& NEEDED"),
        _test(_NOBODYS),
    ),
    (
        "node-steps-of-before",
        "what was done before the node held the label again counts for what it has held since",
        Edit(
            f"{NODES}.claim",
            'value = JobNode(name, engine, "held", self.gate.vault.clock.now())',
            'value = msgspec.structs.replace(found.value, state="held") if found is not None'
            ' else JobNode(name, engine, "held", self.gate.vault.clock.now())',
        ),
        _test("test_upward_too_and_back_again_each_time_with_steps_of_its_own"),
    ),
    (
        "node-cleaned-while-busy",
        "a node counts as clean while a job of the label still writes there",
        Edit(f"{NODES}.sanitise", "if await self._busy(flow, engine, name):", "if False:"),
        _test(_ONCE),
    ),
    (
        "node-cleaned-while-given",
        "a node counts as clean while the label goes on using it",
        Edit(f"{NODES}.sanitise", "if self._given.get(id) == flow.access.id:", "if False:"),
        _test(_ONCE),
    ),
    (
        "node-unreadable-is-free",
        "a label whose records cannot be read gives up its nodes",
        Edit(f"{NODES}.look", "ids = set(holders)", "ids = set()"),
        _test("test_what_cannot_be_read_is_held"),
    ),
    (
        "queue-passed-by",
        "a job that the native door is asked for takes no notice of its queue",
        Edit(
            "casemate.jobs.ask:Asking.made",
            "await Queues(self.gate).applied(flow, ask.spec, bool(ask.parents))",
            "ask.spec",
        ),
        Tested(
            "tests/doors/native/test_jobs.py"
            "::test_a_queue_gives_its_priority_and_floor_once_and_takes_nothing_while_it_is_shut"
        ),
    ),
    (
        "queue-priority-twice",
        "what is made again comes before everything that was asked for once",
        Edit("casemate.jobs.queues:Queues.applied", "spec.priority if again else", "spec.priority if False else"),
        Tested(
            "tests/doors/native/test_jobs.py"
            "::test_a_queue_gives_its_priority_and_floor_once_and_takes_nothing_while_it_is_shut"
        ),
    ),
    (
        "machine-load-told",
        "a job reads how much the whole machine works, whatever label it works for",
        _shim("walls.py", "for name, said in _MACHINE.items():", "for name, said in {}.items():"),
        Tested("tests/attacks/test_escape_held.py::test_what_counts_the_work_of_the_machine_is_not_told"),
    ),
)
