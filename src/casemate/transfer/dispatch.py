"""What an enclave says to the one below: gap codes, lists of what it has, requests for jobs. By the release door alone.

A dispatch is kept at the high label like any text, in the one form that its purpose has. It goes down when two people
have signed it, and below lies a dispatch with the same text and nothing of who asked. Nothing here sends anything.
"""

from __future__ import annotations

import re
from typing import Final, Literal, cast, get_args

import msgspec

from casemate.access import Arriving, Flow, Releasable
from casemate.errors import BadInput, Refused
from casemate.ids import fresh
from casemate.objects import Found, Kind, Put
from casemate.policy import Refuse
from casemate.transfer.guard import Asked, Format, judge, read_schema
from casemate.transfer.guard.schema import Each, Fields, Shape, Text, Whole

__all__ = [
    "DISPATCH",
    "PURPOSES",
    "RELEASABLE",
    "Dispatch",
    "DispatchRequest",
    "OutwardGuard",
    "dispatches",
    "keep_dispatch",
    "request_text",
]

Purpose = Literal["gap-code", "have-list", "job-request"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
LONGEST: Final = 64 << 10  # characters
_FORMATS: Final = ("text", "csv", "json")
_CODE: Final = re.compile(r"[0-9A-Za-z .,:;/#()+\-\n]{1,4000}")
_SCHEMAS: Final[dict[Purpose, Shape]] = {
    "have-list": Fields(
        {
            "channel": Text(most=100),
            "last": Whole(0),
            "missing": Each(Whole(0), 1_000),
            "have": Each(Text(most=160), 2_000),
        },
        optional=("missing", "have"),
    ),
    "job-request": Fields(
        {"name": Text(most=100), "program": Text(most=200), "inputs": Each(Text(most=200), 100), "why": Text(most=500)},
        optional=("inputs",),
    ),
}


class DispatchRequest(msgspec.Struct, frozen=True):
    """A text for the enclave below, as its purpose wants it."""

    purpose: Purpose
    text: str


class Dispatch(msgspec.Struct, frozen=True):
    """A kept dispatch; `by` is a name, `service:release` below."""

    purpose: Purpose
    text: str
    at: int
    by: str


DISPATCH = Kind("transfer.dispatch", Dispatch, indexed=("purpose",))


class OutwardGuard:
    """Implements `access.Guard` with the outward profile. Both sides run here: what leaves is the region's own."""

    formats = _FORMATS

    def remade(self, text: str, format: str, schema: str) -> str | Refuse:
        """The canonical text, or the guard's rule."""
        if format not in _FORMATS:
            return Refuse("guard-outward", {"why": format})
        try:
            shape = read_schema(schema.encode()) if schema else None
        except BadInput:
            return Refuse("guard-schema", {"why": "no schema"})
        verdict, canonical = judge(text.encode(), Asked(cast("Format", format), "out", shape))
        return canonical.decode() if verdict.agrees else Refuse(verdict.rule, {"why": verdict.why})


async def keep_dispatch(flow: Flow, request: DispatchRequest) -> Found[Dispatch]:
    """Kept at the acting label, in its one form. Raises BadInput, or Refused by the guard's rule."""
    if not 0 < len(request.text) <= LONGEST:
        raise BadInput(what=f"A dispatch has 1 to {LONGEST} characters.")
    made = OutwardGuard().remade(request.text, *_form_of(request.purpose))
    if isinstance(made, Refuse):
        raise Refused(rule=made.rule, **made.facts)
    if request.purpose == "gap-code" and not _CODE.fullmatch(made):
        raise BadInput(what="A gap code is letters, digits and the signs . , : ; / # ( ) + - alone.")
    vault = flow.gate.vault
    id = fresh("dsp", vault.entropy, f"dispatch/{flow.access.id}/{flow.session.id}")
    kept = Dispatch(request.purpose, made, vault.clock.now(), flow.session.principal.name)
    await flow.commit(Put(DISPATCH, id, kept, expect=0), facts={"dispatch": id, "purpose": request.purpose})
    return await flow.read(DISPATCH, id)


async def dispatches(flow: Flow) -> list[Found[Dispatch]]:
    """The dispatches that the acting label sees, oldest first."""
    return sorted(await flow.every(DISPATCH), key=lambda each: (each.value.at, each.id))


def request_text(text: str) -> str:
    """The one form of a request for a job. Raises Refused by the guard's rule."""
    made = OutwardGuard().remade(text[: LONGEST + 1], *_form_of("job-request"))
    if isinstance(made, Refuse):
        raise Refused(rule=made.rule, **made.facts)
    return made


def _form_of(purpose: Purpose) -> tuple[str, str]:
    shape = _SCHEMAS.get(purpose)
    return ("text", "") if shape is None else ("json", msgspec.json.encode(shape).decode())


def _text(dispatch: Dispatch, part: str) -> str | None:
    return None if part else dispatch.text


def _form(dispatch: Dispatch) -> tuple[str, str]:
    return _form_of(dispatch.purpose)


def _arrived(arriving: Arriving) -> Put:
    """Below: the same text. Its purpose is read off it, since nothing else has come down."""
    return Put(
        DISPATCH, arriving.id, Dispatch(_purpose(arriving.text), arriving.text, arriving.at, arriving.by), expect=0
    )


def _purpose(text: str) -> Purpose:
    for purpose, shape in _SCHEMAS.items():
        if judge(text.encode(), Asked("json", "out", shape))[0].agrees:
            return purpose
    return "gap-code"


RELEASABLE = Releasable(DISPATCH, _text, _arrived, "dsp", form=_form)
