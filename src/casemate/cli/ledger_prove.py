"""`casemate ledger prove`: one entry with the path to a signed head, written by the region, checked by anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.command import option, verb
from casemate.cli.failure import failed
from casemate.cli.ledger_heads import key_in
from casemate.cli.ledger_verify import FILE, KEY, tell
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput
from casemate.ledger import check_evidence

__all__ = ["prove"]


@verb(
    "ledger.prove",
    click.argument("id", required=False),
    option("--check", type=FILE, default=None),
    KEY,
    option("--output", type=click.Path(path_type=Path), default=None),
)
def prove(talk: Talk, id: str | None, check: Path | None, keyfile: Path | None, output: Path | None) -> None:
    if (id is None) == (check is None):
        raise failed(BadInput(what=t("ledger.prove_what")))
    if check is not None:
        _check(talk, check, keyfile)
    answer = talk.client().get(f"/api/ledger/{id}/proof")
    if output is not None:
        output.write_bytes(answer.raw)
        talk.say("ledger.exported", file=output)
    proof: Any = msgspec.json.decode(answer.raw)
    talk.data({"file": str(output or ""), "proof": proof}, answer.label, answer.marking, answer.entry)
    if output is None:
        talk.out(answer.raw.decode().rstrip())


def _check(talk: Talk, file: Path, key: Path | None) -> None:
    """The verdict on a proof, and the entry that it proves."""
    if key is None:
        talk.say("ledger.own_key")
    verdict, entry = check_evidence(file.read_bytes(), key_in(key) if key is not None else b"")
    if entry is not None:
        talk.out(t("ledger.proved", id=entry.id, seq=verdict.seq, action=entry.action, outcome=entry.outcome))
    tell(talk, verdict, entry=entry)
