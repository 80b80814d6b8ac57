"""Children of an array as they are born: waiting for their turn, or with what a job of the very same class left.

Which job did just the same stands in `Job.taken`, and no request can say it. Here it is looked up once more, in the
array's own class and in no other: where it is gone or frozen, the child is run. What must never happen: that a child
takes over what lies in another class, below or above.
"""

from __future__ import annotations

import msgspec

from casemate.access import Flow
from casemate.jobs.job import JOB, Job, State
from casemate.objects import Found

__all__ = ["born"]


async def born(flow: Flow, array: Found[Job], index: int, state: State, now: int) -> Job:
    """The child of that index, in `state` where it is to be run, else as it ended elsewhere. `now`: microseconds."""
    job = array.value
    child = Job(
        owner=job.owner,
        person=job.person,
        spec=None,
        state=state,
        phase="queued",
        queue=job.queue,
        name=job.name,
        created=job.created,
        parent=array.id,
        index=index,
        session=job.session,
        language=job.language,
        made_of=(("job", array.id, array.ref.class_id),),
    )
    for id, children in job.taken.items():
        if index in children:
            return await _taken(flow, child, f"{id}:{children[index]}", now)
    return child


async def _taken(flow: Flow, child: Job, id: str, now: int) -> Job:
    """What that job left is the child's too; where it is not there, the child as it was."""
    for found in await flow.read_each(JOB, id):
        done = found.value
        here = found.ref.class_id == flow.access.id
        if here and done.state == "SUCCEEDED" and not any(one.place for one in done.artefacts):
            return msgspec.structs.replace(
                child,
                state="SUCCEEDED",
                phase="ended",
                open="no",
                started=now,
                ended=now,
                artefacts=done.artefacts,
                made_of=(*child.made_of, ("job", found.id, found.ref.class_id)),
            )
    return child
