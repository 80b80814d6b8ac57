"""The one commit that writes below: the object there, the signed release above, and an entry in each log.

What lies below is made of the text that leaves and of nothing else: its id, its entry and its class name nothing of the
request, and its writer is a service. All of it lands, or none; the batch's key is the request's id, so it lands once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.access.record import Note, facts_of
from casemate.access.release_kinds import RELEASE, REQUEST, SERVICE, Arriving, Releasable, ReleaseRequest
from casemate.access.rows import ref_text
from casemate.errors import Conflict
from casemate.identity.release import Approval, Release, sign_release
from casemate.ids import fresh
from casemate.labels import AccessClass
from casemate.objects import Found, Put, Ref
from casemate.store import Batch

__all__ = ["land"]


async def land(
    flow: Flow,
    gate: Gate,
    kind: Releasable,
    found: Found[ReleaseRequest],
    source: Found[Any],
    text: str,
    given: Sequence[Approval],
    *counted: Put,
) -> None:
    """Carry out what the rules have permitted. Whoever comes second at the same moment finds it done.

    `counted`: what is written beside it at the high label, so that both lands or neither.
    """
    request, vault, high = found.value, gate.vault, flow.access
    await flow.durable()
    low = gate.classes.of(vault.region.policies.parse(request.target))
    made, landed = await _arrived(flow, gate, kind, low, text)
    release = sign_release(
        vault.signer,
        Release(
            statement=request.statement(vault.region.name, found.id),
            approvals=tuple(given),
            landed=ref_text(landed),
            carried_by=flow.session.principal.id,
            at=vault.clock.now(),
        ),
    )
    carried = msgspec.structs.replace(request, state="carried", ended_by=flow.session.principal.name)
    above = (
        *counted,
        Put(RELEASE, found.id, release, parents=(source.ref, found.ref), expect=0),
        Put(REQUEST, found.id, carried, parents=(source.ref,), expect=found.version),
    )
    entries = [_above(flow, high, found, release, text), _below(gate, low, landed, text)]
    batch = Batch(
        key=gate.rows.key(high.id, f"release/{found.id}"),
        puts=[gate.rows.put(low, made), *(gate.rows.put(high, put) for put in above)],
        entries=[gate.recorder.entry(session, access, note)[1] for session, access, note in entries],
        classes=[gate.classes.row(low), gate.classes.row(high)],
        domain=high.id,
    )
    try:
        await vault.committer.commit(batch)
    except Conflict as conflict:
        if not await flow.read_each(RELEASE, found.id):
            raise gate.rows.told(conflict, [(high, put) for put in above]) from None
    flow.landed = True


async def _arrived(flow: Flow, gate: Gate, kind: Releasable, low: AccessClass, text: str) -> tuple[Put, Ref]:
    """The object below. The identifier is drawn in the high class's own stream, so that nothing below is shifted."""
    vault = gate.vault
    id = fresh(kind.prefix, vault.entropy, f"released/{flow.access.id}/{flow.session.id}")
    blob = await vault.blobs.write(low.id, text.encode(), flow.access.id) if kind.pours else ""
    made = kind.made(Arriving(id, text, low.label, vault.clock.now(), blob))
    if made.id != id or made.parents:
        raise ValueError("what arrives bears its own identifier and has no parents")
    return made, Ref(made.kind.name, id, low.id)


def _above(
    flow: Flow, high: AccessClass, found: Found[ReleaseRequest], release: Release, text: str
) -> tuple[Any, AccessClass, Note]:
    """The full entry, with what left."""
    request = found.value
    facts = {
        "release": found.id,
        "object": release.statement.object,
        "source": request.source,
        "target": request.target,
        "reason": request.reason,
        "sanitiser": request.sanitiser,
        "requester": request.name,
        "approvers": ", ".join(each.name for each in release.approvals),
        "keys": ", ".join(each.key for each in release.approvals),
        "landed": release.landed,
    }
    subjects = (release.statement.object, ref_text(found.ref))
    note = Note(flow.action.name, "released", "release", facts_of(facts), subjects, text.encode())
    return flow.asker, high, note


def _below(gate: Gate, low: AccessClass, landed: Ref, text: str) -> tuple[Any, AccessClass, Note]:
    """What may be known below: that this has arrived, and what it says."""
    note = Note("release.carry", "arrived", "release", subjects=(ref_text(landed),), content=text.encode())
    return gate.service(SERVICE, low), low, note
