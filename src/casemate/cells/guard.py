"""One side of the guard as a program that runs alone: `make` takes a stranger's bytes, `check` what `make` wrote.

    python -m casemate.cells.guard make|check

Each is a child of its own for one object, so that neither sees what the other has read. It decides nothing: it gives
bytes, or the rule by which it gives none.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from casemate.cells.serve import serve
from casemate.errors import Refused
from casemate.transfer.guard import Direction, Format, may_cross, profile_of, read_schema
from casemate.transfer.guard.check import read
from casemate.transfer.guard.make import made

__all__ = ["Answer", "Request", "check", "main", "make"]


class Request(msgspec.Struct, frozen=True):
    """`schema`: its JSON, b"" for none. `rest`: of safetensors, how many bytes of data follow `data`."""

    format: Format
    direction: Direction
    data: bytes
    schema: bytes = b""
    rest: int = 0


class Answer(msgspec.Struct, frozen=True):
    """The bytes, or the rule by which there are none."""

    data: bytes = b""
    rule: str = ""
    why: str = ""


def make(request: Request) -> Answer:
    """What came, made anew."""
    try:
        profile = profile_of(request.direction)
        may_cross(request.format, request.data[:512], profile)
        schema = read_schema(request.schema) if request.schema else None
        return Answer(made(request.format, request.data, profile, schema, request.rest))
    except Refused as error:
        return Answer(rule=str(error.facts["rule"]), why=str(error.facts.get("why", "")))


def check(request: Request) -> Answer:
    """What was made, read again."""
    try:
        schema = read_schema(request.schema) if request.schema else None
        return Answer(read(request.format, request.data, profile_of(request.direction), schema, request.rest))
    except Refused as error:
        return Answer(rule=str(error.facts["rule"]), why=str(error.facts.get("why", "")))


def main(arguments: Sequence[str]) -> int:
    """Answer until the parent closes the pipe."""
    serve(Request, make if arguments[0] == "make" else check)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
