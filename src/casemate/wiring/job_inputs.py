"""What jobs read, joined: datasets in place, objects of buckets, and what other jobs have left."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from casemate.access import Flow
from casemate.buckets import Buckets
from casemate.buckets.kinds import OBJECT, place
from casemate.datasets import Datasets, shown, verify
from casemate.errors import Absent, BadInput, FileChanged
from casemate.jobs import JOB, Artefact, Input, Job, Looked, Mount
from casemate.objects import Found, Ref

__all__ = ["JobInputs"]


@dataclass(frozen=True, slots=True)
class JobInputs:
    """Implements `jobs.Inputs`. A source is looked up in the world of the flow, and in no other."""

    datasets: Datasets
    buckets: Buckets

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
        job, artefacts = await self._left(flow, name)
        said = "\n".join(f"{one.digest} {one.name}" for one in artefacts)
        digest = hashlib.sha384(said.encode()).hexdigest() if job.value.open == "no" else ""
        return Looked(input, (job.ref,), digest, sum(one.size for one in artefacts))

    async def mounts(self, flow: Flow, looked: Looked) -> tuple[Mount, ...]:
        scheme, name = _split(looked.input)
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

    async def _left(self, flow: Flow, name: str) -> tuple[Found[Job], list[Artefact]]:
        """A visible job and what it left under that name; of one that has not ended, nothing so far. Raises Absent."""
        id, _, output = name.partition("/")
        found = await flow.read(JOB, id)
        artefacts = [one for one in found.value.artefacts if one.name == output or one.name.startswith(f"{output}/")]
        if not artefacts and found.value.open == "no":
            raise Absent(kind=JOB.name, id=name)
        return found, artefacts


def _split(input: Input) -> tuple[str, str]:
    scheme, _, name = input.source.partition(":")
    if scheme not in ("dataset", "object", "job") or (scheme != "dataset" and not name.partition("/")[2]):
        raise BadInput(what="A source is dataset:NAME, object:BUCKET/KEY or job:ID/OUTPUT.")
    return scheme, name
