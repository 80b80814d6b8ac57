"""The kinds of the rooms below custody, and its own: release requests and what came of them, and all that is none.

What lies below registers nothing by itself, since it may not know of custody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.access import (
    APPROVAL_KEY,
    ATTRIBUTE,
    BINDING,
    CREDENTIAL,
    PRINCIPAL,
    REQUEST,
    STATE,
    STATEMENT,
    Flow,
    audit,
)
from casemate.access.destroyed import DOOMED
from casemate.access.frozen import FROZEN
from casemate.access.loops import CURSOR
from casemate.access.quarantine import QUARANTINED
from casemate.access.records import NAME
from casemate.access.release_kinds import APPROVAL, RELEASE
from casemate.access.release_quota import RELEASE_QUOTA, SPENT
from casemate.access.witness import COSIGNATURE, WATCHED
from casemate.accounts.agreed import ASKED
from casemate.accounts.approval_keys import LISTED as APPROVALS
from casemate.accounts.bindings import LISTED as BOUND
from casemate.accounts.keys import KEY
from casemate.accounts.principals import PERSON, PROPOSAL
from casemate.accounts.project import AGENCY, PROJECT
from casemate.accounts.quota import QUOTA
from casemate.accounts.statements import CARRIED
from casemate.accounts.statements import LISTED as STATED
from casemate.accounts.usage import USAGE
from casemate.custody.case import BEYOND, KNOWN, SPILL
from casemate.custody.kinds import Link, Traced, Untraced
from casemate.custody.scrub import DAMAGED
from casemate.objects import Found

__all__ = ["TRACED"]


async def _his(flow: Flow, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    """A request to release is the business of whoever made it, and of releasers."""
    me = flow.session.principal
    return [one for one in found if "releaser" in me.roles or one.value.requester == me.id]


async def _carried(flow: Flow, found: Sequence[Found[Any]]) -> list[Found[Any]]:
    me = flow.session.principal
    return [one for one in found if "releaser" in me.roles or one.value.statement.requester == me.id]


WHO = "it says who somebody is, or with what he comes in"

TRACED: tuple[Traced | Untraced, ...] = (
    Traced(REQUEST, title=lambda request: request.target, shown=_his, fixed=True),
    Traced(
        RELEASE,
        (Link(REQUEST.name, "id"),),
        title=lambda release: release.statement.target,
        shown=_carried,
        fixed=True,
        landed=lambda release: release.landed,
    ),
    Untraced(APPROVAL, "a signature over a request, which holds digests of what was asked for"),
    Untraced(STATE, "what the region has decided for good"),
    *(Untraced(kind, WHO) for kind in (PRINCIPAL, CREDENTIAL, NAME, PERSON, PROPOSAL, KEY)),
    *(Untraced(kind, WHO) for kind in (BINDING, ATTRIBUTE, STATEMENT, BOUND, STATED, CARRIED)),
    *(Untraced(kind, WHO) for kind in (APPROVAL_KEY, APPROVALS)),
    Untraced(AGENCY, "who is billed"),
    Untraced(PROJECT, "who is billed"),
    Untraced(QUOTA, "a number that an officer or operator has set"),
    Untraced(USAGE, "it counts tokens"),
    Untraced(RELEASE_QUOTA, "a number that an officer has set"),
    Untraced(SPENT, "it counts what has left in a day"),
    Untraced(ASKED, "a digest of what the first of two officers has asked for"),
    Untraced(CURSOR, "how far a log has been read"),
    Untraced(audit.CHECKPOINT, "the signed head of a log"),
    Untraced(WATCHED, "the name and public key of a witness"),
    Untraced(COSIGNATURE, "a signature over the head of a log"),
    Untraced(DOOMED, "the name of a class whose key goes"),
    Untraced(QUARANTINED, "the place of a damaged row, by number"),
    Untraced(DAMAGED, "the name of a damaged blob"),
    Untraced(FROZEN, "it names what is frozen"),
    Untraced(BEYOND, "how far a case is, where nobody but custody looks"),
    Untraced(KNOWN, "digests of runs of words, beside a case that has not ended"),
    Untraced(SPILL, "a case names what it is about, at the true label"),
)
