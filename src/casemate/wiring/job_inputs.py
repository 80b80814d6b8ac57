"""What jobs read, joined: datasets in place, objects of buckets, what other jobs have left, and code of missions."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from casemate.access import Flow
from casemate.buckets import Buckets
from casemate.buckets.kinds import OBJECT, place
from casemate.datasets import Datasets, shown, verify
from casemate.engines.job_program import program
from casemate.engines.mission_program import face
from casemate.errors import Absent, BadInput, FileChanged
from casemate.jobs import JOB, Artefact, Input, Job, Looked, Mount
from casemate.jobs.sweep import children, listed, result_of
from casemate.missions.host import MISSION, code_of
from casemate.missions.host import Mission as Installed
from casemate.models.record import MODEL, ModelRecord, folder_of
from casemate.models.registry import named
from casemate.objects import Found, Ref, Where

__all__ = ["JobInputs"]


@dataclass(frozen=True, slots=True)
class JobInputs:
    """Implements `jobs.Inputs`. A source is looked up in the world of the flow, and in no other."""

    datasets: Datasets
    buckets: Buckets
    models: Path = Path("models")
    """Where the files of imported models lie."""

    async def look(self, flow: Flow, input: Input) -> Looked:
        scheme, name = _split(input)
        if scheme == "dataset":
            found = await self.datasets.named(flow, name)
            return Looked(input, (found.ref,), "", found.value.size)
        if scheme == "object":
            bucket, _, key = name.partition("/")
            seen = await self.buckets.seen(flow, bucket, key)
            said = "\n".join((seen.etag, str(seen.size), *(blob for blob, _ in seen.pieces)))
            ref = Ref(OBJECT.name, place(bucket, key), seen.class_id)
            return Looked(input, (ref,), hashlib.sha384(said.encode()).hexdigest(), seen.size)
        if scheme == "sweep":
            return await self._swept(flow, input, name)
        if scheme == "model":
            return await _model(flow, input, name)
        if scheme == "mission":
            mission = await _mission(flow, name)
            return Looked(input, (mission.ref,), mission.value.digest, sum(one.size for one in mission.value.files))
        job, artefacts = await self._left(flow, name)
        said = "\n".join(f"{one.digest} {one.name}" for one in artefacts)
        digest = hashlib.sha384(said.encode()).hexdigest() if job.value.open == "no" else ""
        return Looked(input, (job.ref,), digest, sum(one.size for one in artefacts))

    async def mounts(self, flow: Flow, looked: Looked) -> tuple[Mount, ...]:
        scheme, name = _split(looked.input)
        if scheme == "model":
            found_model = await lying(flow, name)
            return (Mount(str(self.models / folder_of(found_model.label, name)), f"/in/{looked.input.name}"),)
        if scheme != "dataset":
            return ()
        found, wrong = await verify(flow, self.datasets, name)
        for item, why in wrong:
            raise FileChanged(dataset=name, file=shown(item.path), why=why)
        root, under = self.datasets.place(found.value)
        return (Mount(f"{root}/{under}" if under else root, f"/in/{looked.input.name}"),)

    async def read(self, flow: Flow, looked: Looked) -> AsyncIterator[tuple[str, bytes]]:
        scheme, name = _split(looked.input)
        if scheme == "object":
            bucket, _, key = name.partition("/")
            yield "", b""  # also where it is empty, there is a file
            async for piece in self.buckets.read(flow, await self.buckets.seen(flow, bucket, key)):
                yield "", piece
            return
        if scheme in ("sweep", "mission"):
            async for at, piece in _sweep(flow, name) if scheme == "sweep" else _lent(flow, name):
                yield at, piece
            return
        job, artefacts = await self._left(flow, name)
        if job.value.open == "yes":
            raise Absent(kind=JOB.name, id=name)
        output = name.partition("/")[2]
        for one in artefacts:
            if one.place:
                raise Absent(kind=JOB.name, id=name)  # it was left where it lies, and is no blob of the region's
            at = one.name.removeprefix(output).removeprefix("/")
            yield at, b""
            for blob in one.pieces:
                yield at, await flow.blob(job.ref.class_id, blob)

    async def _swept(self, flow: Flow, input: Input, id: str) -> Looked:
        """A sweep's array: it and whatever child has left something are what a table is made of."""
        array = await flow.read(JOB, id)
        every = await children(flow, array)
        told = msgspec.json.encode(listed(flow, array, every))
        left = [found for found in every.values() if result_of(found.value) is not None]
        digest = hashlib.sha384(told).hexdigest() if array.value.open == "no" else ""
        return Looked(input, (array.ref, *(found.ref for found in left)), digest, len(told))

    async def _left(self, flow: Flow, name: str) -> tuple[Found[Job], list[Artefact]]:
        """A visible job and what it left under that name; of one that has not ended, nothing so far. Raises Absent."""
        id, _, output = name.partition("/")
        found = await flow.read(JOB, id)
        artefacts = [one for one in found.value.artefacts if one.name == output or one.name.startswith(f"{output}/")]
        if not artefacts and found.value.open == "no":
            raise Absent(kind=JOB.name, id=name)
        return found, artefacts


async def _model(flow: Flow, input: Input, name: str) -> Looked:
    """An imported model, by the digests of its files."""
    found = await lying(flow, name)
    said = "\n".join(f"{one.sha384} {one.path}" for one in found.value.files)
    size = sum(one.size for one in found.value.files)
    return Looked(input, (found.ref,), hashlib.sha384(said.encode()).hexdigest(), size)


async def lying(flow: Flow, name: str) -> Found[ModelRecord]:
    """The visible model of that name whose files lie here. Raises Absent, as for one that never was."""
    found = await named(flow, name)
    if found is None or not found.value.files or found.value.retired:
        await flow.absent(MODEL, name[:200])
    flow.use(found.ref)
    return found


async def _sweep(flow: Flow, id: str) -> AsyncIterator[tuple[str, bytes]]:
    """The program that makes the table, what it is told, and each child's result. Raises Absent before all ended."""
    array = await flow.read(JOB, id)
    if array.value.open == "yes":
        raise Absent(kind=JOB.name, id=id)
    every = await children(flow, array)
    for name, text in program().items():
        yield f"program/{name}", text
    yield "sweep.json", msgspec.json.encode(listed(flow, array, every))
    for index, found in every.items():
        left = result_of(found.value)
        if left is not None:
            yield f"results/{index}", b""
            for blob in left.pieces:
                yield f"results/{index}", await flow.blob(found.ref.class_id, blob)


async def _mission(flow: Flow, digest: str) -> Found[Installed]:
    """The visible mission of that digest, which stays the same whatever is installed later. Raises Absent."""
    found = await flow.every(MISSION, Where((("digest", digest[:96]),)))
    if not found:
        await flow.absent(MISSION, digest[:96])
    return min(found, key=lambda one: (one.ref.class_id != flow.access.id, one.label.text))


async def _lent(flow: Flow, digest: str) -> AsyncIterator[tuple[str, bytes]]:
    """The face that missions import, and the code of one."""
    for name, text in face().items():
        yield f"face/{name}", text
    async for name, data in code_of(flow, await _mission(flow, digest)):
        yield f"code/{name}", data


def _split(input: Input) -> tuple[str, str]:
    scheme, _, name = input.source.partition(":")
    if scheme not in ("dataset", "object", "job", "sweep", "mission", "model") or (
        scheme in ("object", "job") and not name.partition("/")[2]
    ):
        raise BadInput(
            what="A source is dataset:NAME, object:BUCKET/KEY, job:ID/OUTPUT, sweep:ID, model:NAME or mission:DIGEST."
        )
    return scheme, name
