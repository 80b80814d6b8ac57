"""What the operations of this wire have in common: the rooms, names as ARNs, bodies as shapes, pages."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from casemate.access import Flow
from casemate.doors.frame import Call, Reply
from casemate.errors import BadInput
from casemate.jobs import Jobs
from casemate.jobs.queues import Queues
from casemate.words import say

__all__ = ["COMPUTE", "Desk", "arn", "bare", "cursor", "paged", "reply", "shaped", "token"]

ACCOUNT = "000000000000"
COMPUTE = "casemate"
MOST = 100
_CURSOR = re.compile(r"[\w.=-]{1,80}/[\w.=:-]{0,160}")
_ARN = re.compile(r"arn:aws:batch:[a-z0-9-]*:[0-9]*:([a-z-]+)/(.+)", re.DOTALL)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """The rooms behind this wire."""

    jobs: Jobs
    queues: Queues


def arn(flow: Flow, kind: str, id: str) -> str:
    """`arn:aws:batch:REGION:ACCOUNT:KIND/ID`. The account is always the same: there is none here."""
    region = re.sub(r"[^a-z0-9-]", "-", flow.gate.vault.region.name.lower())[:20] or "region"
    return f"arn:aws:batch:{region}:{ACCOUNT}:{kind}/{id}"


def bare(name: str, kind: str, language: str) -> str:
    """The name in an ARN of that kind, or a name as it is. Raises BadInput for the ARN of something else."""
    if not name.startswith("arn:"):
        return name
    found = _ARN.fullmatch(name)
    if found is None or found[1] != kind:
        raise BadInput(what=say("batch.arn", language, kind=kind))
    return found[2]


def shaped(call: Call, shape: type[T]) -> T:
    """The body as the operation's shape. Raises BadInput, naming the field."""
    try:
        return msgspec.convert(call.body, shape)
    except msgspec.ValidationError as error:
        raise BadInput(what=say("batch.shape", call.flow.session.language, why=str(error)[:300])) from None


def reply(data: dict[str, Any], **facts: Any) -> Reply:
    """A whole response; members that have no value are left out, as the protocol does."""
    return Reply(msgspec.json.encode({name: value for name, value in data.items() if value is not None}), facts=facts)


def token(after: str | None) -> str | None:
    """What continues a list: opaque, and made of the place in visible classes alone."""
    return base64.urlsafe_b64encode(after.encode()).decode().rstrip("=") if after else None


def cursor(text: str | None, language: str) -> str | None:
    """The place that a token names. Raises BadInput."""
    if not text:
        return None
    try:
        place = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        place = ""
    if not _CURSOR.fullmatch(place):
        raise BadInput(what=say("batch.token", language))
    return place


def paged(items: list[T], most: int | None, after: str | None, language: str) -> tuple[list[T], str | None]:
    """A stretch of a list that was made whole, and the token of the next one. Raises BadInput."""
    place = cursor(after, language) or "at/0"
    kind, _, number = place.partition("/")
    if kind != "at" or not number.isdecimal() or len(number) > 9:
        raise BadInput(what=say("batch.token", language))
    start, many = int(number), bounded(most, language)
    end = start + many
    return items[start:end], token(f"at/{end}") if end < len(items) else None


def bounded(most: int | None, language: str) -> int:
    """How many are asked for. Raises BadInput."""
    if most is not None and not 1 <= most <= MOST:
        raise BadInput(what=say("batch.most", language, most=MOST))
    return most or MOST
