"""Where a request acts: a look as the frame has it, a write exactly at the label that it states.

The label stands in the header `Casemate-Acting-Label`, or in the tag `casemate:label` of what is made. What says
nothing is written at the session's floor.
"""

from __future__ import annotations

import msgspec

from casemate.doors.frame import Request
from casemate.errors import BadInput
from casemate.words import language_of, say

__all__ = ["ACTING", "LABEL", "only", "writing"]

ACTING = "casemate-acting-label"
LABEL = "casemate:label"


class _Tagged(msgspec.Struct):
    tags: dict[str, str] = {}


def only(request: Request, path: dict[str, str]) -> str:
    """What the header says: the tags of such a request are what it changes."""
    del path
    return request.headers.get(ACTING) or request.query.get("acting", "")


def writing(request: Request, path: dict[str, str]) -> str:
    """The label of what is written. Raises BadInput where header and tag say two."""
    asked = only(request, path)
    try:
        said = msgspec.json.decode(request.body or b"{}", type=_Tagged).tags.get(LABEL, "")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = ""  # what is no such body is told when it is taken apart
    if said and asked and said.strip() != asked.strip():
        raise BadInput(what=say("batch.two_labels", language_of(request.headers.get("accept-language", ""))))
    return said or asked
