"""`casemate guard`: what may cross, looked at on this machine without a region."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from casemate.cli.command import Group, option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput, Refused
from casemate.transfer.guard import FORMATS, SCHEMA, Direction, Format
from casemate.words import problem

__all__ = ["guard"]

guard = Group("guard", {"check": "guard:check"})
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@verb(
    "guard.check",
    click.argument("file", type=FILE),
    option("--direction", type=click.Choice(["in", "out"]), required=True),
    option("--format", "as_format", type=click.Choice(FORMATS), default=None),
    option("--schema", type=FILE, default=None),
    option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE"),
)
def check(
    talk: Talk, file: Path, direction: str, as_format: str | None, schema: Path | None, output: Path | None
) -> None:
    from casemate.transfer.guard import read_schema
    from casemate.wiring.guarding import Guarding

    said = schema.read_bytes() if schema is not None and schema.stat().st_size <= SCHEMA else b""
    if schema is not None:
        if not said:
            raise BadInput(what=f"{schema}: 1 to {SCHEMA:,} bytes")
        read_schema(said)
    asked = cast("Format | None", as_format)
    with Guarding() as guarding:
        verdict, advice = guarding.check(file, cast("Direction", direction), asked, said, output)
    talk.data({"verdict": verdict, "advice": advice})
    if verdict.agrees:
        talk.out(t("guard.agrees", format=verdict.format, size=verdict.size, digest=verdict.digest))
    else:
        told = problem(Refused(rule=verdict.rule), language())
        talk.out(t("guard.held", format=verdict.format, rule=verdict.rule))
        talk.out(f"{told.detail} ({verdict.why})" if verdict.why else told.detail)
        talk.out(f"→ {told.remedy}")
    if advice:
        talk.say("guard.advice", found=", ".join(advice))
    if not verdict.agrees:
        raise SystemExit(Refused.exit)
