"""What answers batches: a lane for each access class, a few lines of it at a time.

Each class has the same share, whatever the others do, and a batch that takes long keeps only those of its own class
waiting. A line is answered in a service flow at the batch's label: its floor is that label, for the file that it stands
in lies there. What asks for patience (a quota, an engine that has no room) stops the batch until a later step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from casemate.access import Flow, Gate, Lanes
from casemate.clock import Loop
from casemate.errors import Absent, CasemateError, Conflict, EngineFailed, Internal
from casemate.identity import Session
from casemate.ids import short
from casemate.labels import AccessClass
from casemate.models.batch import BATCH, SLICE, Batch, Fault, Slice, Wire, at_state
from casemate.models.files import FILE, File, fresh_id
from casemate.models.lines import Line, lines_of, outcome
from casemate.objects import Delete, Found, Put, Where
from casemate.policy import Action

__all__ = ["Batches"]

RUN = Action("run", "batch")
WIDE = 4
"""Lines of one class that are answered at the same time."""
STEP = 32
"""Lines of one slice."""


class Batches:
    """The loop of batches. `patience`: seconds that a step waits for its lanes; None waits for all of them.

    `problems` says per class why it cannot go on just now.
    """

    def __init__(self, gate: Gate, *wires: Wire, patience: float | None = 0.5) -> None:
        self._gate = gate
        self._wires = wires
        self._lanes = Lanes(gate, self.lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop("models.batch", 0.5, self.step)]

    async def step(self) -> int:
        """Go on with every batch, each class in its own lane; how many slices and states were moved."""
        return await self._lanes.step()

    async def stop(self) -> None:
        """Let go of what is under way: it goes on after the next start."""
        await self._lanes.stop()

    async def lane(self, access: AccessClass) -> int:
        """The share of one class in a step: its batches, oldest first. Nothing that happens here leaves the lane."""
        self.problems.pop(access.id, None)
        moved = 0
        try:
            for id in await self._live(access):
                moved += await _Work(self._gate, self._wires, access, id).run()
        except Conflict:
            return moved  # its owner has just cancelled it, or another process goes on with it
        except CasemateError as error:
            self.problems[access.id] = error.slug
        except Exception:  # noqa: BLE001 - a defect that this batch meets: no other class feels it
            self.problems[access.id] = Internal.slug
        return moved

    async def _live(self, access: AccessClass) -> list[str]:
        flow = await self._gate.open(self._gate.service("models", access), RUN)
        found = await flow.every(BATCH, Where((("live", "yes"),)))
        own = [one for one in found if one.ref.class_id == access.id]
        return [one.id for one in sorted(own, key=lambda one: (one.value.at, one.id))]


class _Work:
    """One batch, until it has ended or has to wait."""

    def __init__(self, gate: Gate, wires: Sequence[Wire], access: AccessClass, id: str) -> None:
        self._gate = gate
        self._wires = wires
        self._access = access
        self._id = id
        self._lines: list[bytes] | None = None

    async def run(self) -> int:
        moved = 0
        while True:
            flow = await self._flow()
            found = await self._found(flow)
            batch = found.value
            if batch.live != "yes":
                return moved
            moved += 1
            if batch.state == "cancelling":
                await self._end(flow, found, "cancelled")
            elif flow.gate.vault.clock.now() >= batch.expires:
                await self._end(flow, found, "expired")
            elif batch.state == "validating":
                await self._validate(flow, found)
            elif batch.done >= batch.total:
                await self._end(flow, found, "completed")
            elif not await self._slice(flow, found):
                return moved - 1

    async def _flow(self, batch: Batch | None = None) -> Flow:
        """The service's own flow; or that of a line, with the service's role at this label, in its owner's name."""
        session: Session = self._gate.service("models", self._access)
        if batch is not None:
            asker = replace(session.principal, id=batch.owner, name=batch.person)
            session = replace(session, id=batch.session, principal=asker, language=batch.language)
        return await self._gate.open(session, RUN)

    async def _found(self, flow: Flow) -> Found[Batch]:
        for found in await flow.read_each(BATCH, self._id):
            if found.ref.class_id == self._access.id:
                return found
        raise Absent(kind=BATCH.name, id=self._id)

    async def _put(self, flow: Flow, found: Found[Batch], batch: Batch, *more: Put | Delete) -> None:
        facts = {"batch": self._id, "state": batch.state, "lines": batch.done}
        await flow.commit(Put(BATCH, self._id, batch, expect=found.version), *more, facts=facts)

    async def _validate(self, flow: Flow, found: Found[Batch]) -> None:
        faults, lines = await self._loaded(flow, found.value)
        now = flow.gate.vault.clock.now()
        if faults:
            await self._put(flow, found, at_state(found.value, "failed", now, faults=faults))
        else:
            await self._put(flow, found, at_state(found.value, "in_progress", now, total=len(lines)))

    async def _loaded(self, flow: Flow, batch: Batch) -> tuple[tuple[Fault, ...], list[bytes]]:
        """The lines, and why they cannot be answered. An owner who may not ask any more is not asked for."""
        owner = self._gate.directory.principal(batch.owner)
        if owner is None or "user" not in owner.roles or not self._access.label <= owner.clearance:
            return (Fault("owner", "Its owner may not ask at this label any more."),), []
        for file in await flow.read_each(FILE, batch.input):
            if file.value.owner == batch.owner:
                raw = await flow.blob(file.ref.class_id, file.value.blob)
                faults, lines = await flow.beside(lines_of, raw, batch.endpoint)
                self._lines = lines
                return faults, lines
        return (Fault("input", "Its input file is gone."),), []

    async def _slice(self, flow: Flow, found: Found[Batch]) -> bool:
        """Answer some lines; False where something asks for patience before the first of them is answered."""
        batch = found.value
        if self._lines is None or not batch.done % (8 * STEP):
            faults, _ = await self._loaded(flow, batch)
            if faults:
                await self._end(flow, found, "failed", faults)
                return True
        assert self._lines is not None
        answered = await self._answers(batch, self._lines[batch.done : batch.done + STEP])
        if not answered:
            return False
        good = b"".join(line.row for line in answered if line.good)
        bad = b"".join(line.row for line in answered if not line.good)
        kept = Slice(self._id, batch.done, await flow.pour(good) if good else "", await flow.pour(bad) if bad else "")
        count = sum(line.good for line in answered)
        further = msgspec.structs.replace(
            batch,
            done=batch.done + len(answered),
            completed=batch.completed + count,
            failed=batch.failed + len(answered) - count,
        )
        await self._put(flow, found, further, Put(SLICE, f"{self._id}.{batch.done:06d}", kept))
        return True

    async def _answers(self, batch: Batch, lines: list[bytes]) -> list[Line]:
        """The answers in the order of the lines, up to the first that has to wait."""
        turn = asyncio.Semaphore(WIDE)

        async def one(raw: bytes) -> Line | None:
            async with turn:
                return await self._answer(batch, raw)

        found: list[Line] = []
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(raw)) for raw in lines]
        for task in tasks:
            answered = task.result()
            if answered is None:
                break
            found.append(answered)
        return found

    async def _answer(self, batch: Batch, raw: bytes) -> Line | None:
        """One line, recorded as any request is: looked at, BEGIN, answered, END. None where it has to wait."""
        flow = await self._flow(batch)
        named = "batch_req_" + short(self._gate.vault.entropy.draw(f"line/{self._access.id}/{self._id}"))
        row = outcome(raw)
        wire = next((wire for wire in self._wires if wire.serves(row.url)), self._wires[0])
        try:
            await flow.inspect(wire.texts(row.body))
            await flow.begin(raw, {"operation": f"POST {row.url}", "batch": self._id})
            answered = await wire.answer(flow, row.url, row.body)
            await flow.release(answered.body, "complete", answered.facts)
            return Line.of(named, row.custom_id, 200, flow.begun, answered.body)
        except CasemateError as error:
            told = error
        except Exception:  # noqa: BLE001 - a defect that this line meets: the others are answered
            told = Internal()
        if flow.begun or not told.entry:
            await self._gate.record_error(flow.session, flow.acting, RUN, told, ref=flow.begun)
        if _patience(told):
            return None
        return Line.of(named, row.custom_id, told.status, flow.begun or told.entry, wire.told(told, flow))

    async def _end(self, flow: Flow, found: Found[Batch], state: str, faults: tuple[Fault, ...] = ()) -> None:
        """The files of what was answered, and the last state, in one commit; the slices are gone by then."""
        batch, now = found.value, flow.gate.vault.clock.now()
        slices = await flow.every(SLICE, Where((("batch", self._id),)))
        slices = [one for one in slices if one.ref.class_id == self._access.id]
        slices.sort(key=lambda one: one.value.start)
        changes: list[Put | Delete] = [Delete(SLICE, one.id, expect=one.version) for one in slices]
        ids: dict[str, str] = {}
        for name, blobs in (
            ("output", [one.value.good for one in slices if one.value.good]),
            ("errors", [one.value.bad for one in slices if one.value.bad]),
        ):
            if blobs:
                data = b"".join([await flow.blob(self._access.id, blob) for blob in blobs])
                ids[name] = fresh_id(flow)
                file = File(
                    owner=batch.owner,
                    name=f"{self._id}_{name}.jsonl",
                    purpose="batch_output",
                    size=len(data),
                    blob=await flow.pour(data),
                    at=now,
                )
                changes.append(Put(FILE, ids[name], file, parents=(found.ref,), expect=0))
        await self._put(flow, found, at_state(batch, state, now, faults=faults, **ids), *changes)


def _patience(error: CasemateError) -> bool:
    """Whether it would go well later: a quota says when; an engine was down, busy or slow."""
    if isinstance(error, EngineFailed):
        return error.cause in ("down", "busy", "slow")
    return "retry_after" in error.facts
