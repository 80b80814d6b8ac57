"""Every engine against the model, in any order of batches, groups, repetitions, crashes and openings."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from casemate.errors import Conflict, ShareFull
from casemate.store import Batch, EntryRow, Forget, Receipt, RowDelete, RowPut, check
from tests.contracts.model import Lived, Model, outcomes
from tests.contracts.stores import ENGINES, entry, put

T = TypeVar("T")
CLASSES, KINDS, IDS = ("class_a", "class_b"), ("document", "key"), [f"o{number}" for number in range(4)]
EXPECT = st.sampled_from((None, None, 0, 1, 2))
SHARE = 4000
NAMES = st.tuples(st.sampled_from(CLASSES), st.sampled_from(KINDS), st.sampled_from(IDS))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """A batch of one domain, about objects that others write too."""
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    puts: list[RowPut] = []
    deletes: list[RowDelete] = []
    for class_id, kind, id in names:
        expect = draw(EXPECT)
        if draw(st.integers(0, 3)):
            puts.append(
                put(id, class_id, kind, draw(st.binary(max_size=20)) * draw(st.sampled_from((1, 1, 50))), expect=expect)
            )
        else:
            deletes.append(RowDelete(class_id, kind, id, expect))
    said = draw(st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(0, 60)), max_size=3, unique=True))
    entries: list[EntryRow] = [entry(f"e{number}", log, b"said" * (number % 5)) for log, number in said]
    key = draw(st.sampled_from(("", "", "k1", "k2", "k3")))
    forgets = [
        Forget(*place) for place in draw(st.sets(st.tuples(st.sampled_from(CLASSES), st.integers(0, 9)), max_size=2))
    ]
    spares = draw(st.sampled_from(((), (), CLASSES[:1], CLASSES)))
    return Batch(draw(st.sampled_from(CLASSES)), key, puts, deletes, entries, forgets=forgets, spares=spares)


def share(class_id: str) -> int:
    """One class may take so much, the other what it likes."""
    return SHARE if class_id == "class_a" else 0


class Machine(RuleBasedStateMachine):
    """One store and its model."""

    engine: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = Path(tempfile.mkdtemp(prefix="casemate-machine-"))
        self._lived = Lived(self.engine, self._folder, share)
        self._model = Model(share=share)
        self._sent: list[Batch] = []

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @initialize()
    def begin(self) -> None:
        self._run(self._lived.open())

    @rule(several=st.lists(batches(), min_size=1, max_size=5))
    def commit(self, several: list[Batch]) -> None:
        domain = several[0].domain  # in one domain they are written in the order in which they came
        several = [msgspec.structs.replace(each, domain=domain) for each in several]
        expected: list[Receipt | str] = []
        for batch in several:
            try:
                expected.append(self._model.commit(batch))
            except Conflict:
                expected.append("conflict")
            except ShareFull as full:
                expected.append(f"full {full.facts['share']}")
        assert self._run(outcomes(self._lived.store, several)) == expected
        self._sent += [batch for batch in several if batch.key]

    @precondition(lambda self: self._sent)
    @rule(which=st.integers(0, 1000))
    def again(self, which: int) -> None:
        """A client that has not heard its receipt sends the same again: also after a crash."""
        self.commit([self._sent[which % len(self._sent)]])

    @rule(seed=st.integers(0, 1 << 30))
    def crash(self, seed: int) -> None:
        self._run(self._lived.crash(seed))

    @rule()
    def reopen(self) -> None:
        self._run(self._lived.close())
        self._run(self._lived.open())

    @invariant()
    def agrees(self) -> None:
        """Every reader finds what the model says, row by row and entry by entry."""
        if not hasattr(self._lived, "store"):
            return
        reader = self._lived.store.reader
        found: dict[tuple[str, str, str], tuple[int, int, bytes]] = {}
        for class_id in CLASSES:
            for kind in KINDS:
                rows, _ = reader.scan(kind, [], [class_id], None, 1000)
                assert [row.seq for row in rows] == sorted(row.seq for row in rows)
                found |= {(class_id, kind, row.id): (check(row).version, row.seq, row.sealed) for row in rows}
        assert found == self._model.rows
        assert [reader.used(each) for each in CLASSES] == [self._model.used(each) for each in CLASSES]
        logs = {log: [each.id for each in reader.entries(log, 0, 1000)] for log in reader.sizes()}
        assert {log: ids for log, ids in logs.items() if ids} == {
            log: ids for log, ids in self._model.logs.items() if ids
        }

    def teardown(self) -> None:
        self._run(self._lived.close())
        self._runner.close()
        self._lived.end()
        shutil.rmtree(self._folder)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_does_what_the_model_does(engine: str) -> None:
    machine = type(f"Machine_{engine.replace('-', '_')}", (Machine,), {"engine": engine})
    small = settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=small)
