"""`casemate ledger verify`: a verdict on every visible log, on an export, or on a copied folder of tiles.

exit 0 ok    10 incomplete    11 tampered    20 interrupted    21 forked        the gravest of several logs counts
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from casemate.cli.command import option, verb
from casemate.cli.failure import Failed, failed
from casemate.cli.ledger import verdict_line
from casemate.cli.ledger_heads import key_in, remembered
from casemate.cli.passphrase import passphrase
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput, Damaged, NotRunning, Tampered
from casemate.ledger import Files, Head, Verdict, read_export, verify_export, verify_folder

__all__ = ["EXITS", "FILE", "KEY", "tell", "verify"]

EXITS: Final = {"ok": 0, "interrupted": 20, "incomplete": Damaged.exit, "tampered": Tampered.exit, "forked": 21}
WEIGHT: Final = ("tampered", "forked", "incomplete", "interrupted")
FILE = click.Path(exists=True, path_type=Path, dir_okay=False)
KEY = option("--key", "keyfile", type=FILE, default=None)


@verb(
    "ledger.verify",
    click.argument("path", type=click.Path(exists=True, path_type=Path), required=False),
    KEY,
    option("--head", "heads", type=FILE, multiple=True),
    option("--witness", "witnesses", type=FILE, multiple=True),
)
def verify(
    talk: Talk, path: Path | None, keyfile: Path | None, heads: tuple[Path, ...], witnesses: tuple[Path, ...]
) -> None:
    if path is not None:
        public = key_in(keyfile) if keyfile is not None else b""
        tell(talk, _alone(talk, path, public, remembered(talk, heads, witnesses, public)))
    known = remembered(talk, heads, witnesses, _own(talk) if heads or witnesses else b"")
    logs, label, marking, entry, offline = _verified(talk, known)
    talk.data({"logs": logs, "offline": offline, "witnessed": bool(known)}, label, marking, entry)
    for log in logs:
        talk.out(verdict_line(talk, log))
    if offline:
        talk.say("ledger.offline")
    talk.say("ledger.unwitnessed" if not known else "ledger.witnessed", count=len(known))
    _end([log["verdict"]["state"] for log in logs])


def tell(talk: Talk, verdict: Verdict, **more: Any) -> None:
    """One verdict, and the exit that is its own."""
    told = {"verdict": asdict(verdict), "label": "", "marking": ""}
    talk.data({"logs": [told], "offline": True, "witnessed": verdict.witnessed, **more})
    talk.out(verdict_line(talk, told).rstrip())
    _end([verdict.state])
    raise SystemExit(0)


def _end(states: list[str]) -> None:
    """Nothing where all is well; else the exit of the gravest."""
    bad = [state for state in WEIGHT if state in states]
    if bad:
        raise SystemExit(EXITS[bad[0]])


def _own(talk: Talk) -> bytes:
    """The key of the region at hand."""
    from casemate.wiring import public_key

    found: bytes = public_key(talk.region())
    return found


def _alone(talk: Talk, path: Path, public: bytes, heads: list[Head]) -> Verdict:
    """The verdict on an export, or on the folder of a log's tiles, with nothing else at hand."""
    if path.is_dir():
        if not public:
            raise failed(BadInput(what=t("ledger.key_needed")))
        return verify_folder("", Files(lambda name: _read(path / name)), public, heads)
    data = path.read_bytes()
    if not public:
        talk.say("ledger.own_key")
        public = read_export(data).public
    return verify_export(data, public, heads)


def _read(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _verified(talk: Talk, remembered: list[Head]) -> tuple[list[dict[str, Any]], str, str, str, bool]:
    """The verdicts from the region, or from its folder where it does not run."""
    home = talk.region()
    try:
        answer = talk.client().post("/api/ledger/verify", {"heads": remembered})
        return answer.data, answer.label, answer.marking, answer.entry, False
    except Failed as failure:
        if failure.problem.slug != NotRunning.slug:
            raise
    from casemate.wiring import verdicts

    found = asyncio.run(verdicts(home, remembered, language(), passphrase))
    logs = [{"verdict": asdict(log.verdict), "label": log.label, "marking": log.marking} for log in found.logs]
    talk.marked(found.marking)
    return logs, found.label, found.marking, "", True
