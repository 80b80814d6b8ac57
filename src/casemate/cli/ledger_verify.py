"""`casemate ledger verify`: a verdict on every visible log, on an export, or on a copied folder of tiles.

exit 0 ok    10 incomplete    11 tampered    20 interrupted    21 forked        the gravest of several logs counts
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from casemate.cli.command import option, verb
from casemate.cli.failure import Failed, failed
from casemate.cli.ledger import verdict_line
from casemate.cli.passphrase import passphrase
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.errors import BadInput, Damaged, NotRunning, Tampered
from casemate.ledger import Files, Head, Verdict, read_export, verify_export, verify_folder

__all__ = ["EXITS", "FILE", "KEY", "heads_in", "key_in", "tell", "verify"]

EXITS: Final = {"ok": 0, "interrupted": 20, "incomplete": Damaged.exit, "tampered": Tampered.exit, "forked": 21}
WEIGHT: Final = ("tampered", "forked", "incomplete", "interrupted")
FILE = click.Path(exists=True, path_type=Path, dir_okay=False)
KEY = option("--key", "keyfile", type=FILE, default=None)


@verb(
    "ledger.verify",
    click.argument("path", type=click.Path(exists=True, path_type=Path), required=False),
    KEY,
    option("--head", "heads", type=FILE, multiple=True),
)
def verify(talk: Talk, path: Path | None, keyfile: Path | None, heads: tuple[Path, ...]) -> None:
    remembered = [head for file in heads for head in heads_in(file)]
    if path is not None:
        tell(talk, _alone(talk, path, keyfile, remembered))
    logs, label, marking, entry, offline = _verified(talk, remembered)
    talk.data({"logs": logs, "offline": offline, "witnessed": bool(remembered)}, label, marking, entry)
    for log in logs:
        talk.out(verdict_line(talk, log))
    if offline:
        talk.say("ledger.offline")
    talk.say("ledger.unwitnessed" if not remembered else "ledger.witnessed", count=len(remembered))
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


def _alone(talk: Talk, path: Path, key: Path | None, heads: list[Head]) -> Verdict:
    """The verdict on an export, or on the folder of a log's tiles, with nothing else at hand."""
    public = key_in(key) if key is not None else b""
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


def key_in(file: Path) -> bytes:
    """A public key: hexadecimal digits alone, or what `ledger witness key` printed."""
    try:
        text = file.read_text(encoding="utf-8").strip()
        if text.startswith("{"):
            found = msgspec.json.decode(text)
            text = found.get("data", found)["public"]
        return bytes.fromhex(text)
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError):
        raise failed(BadInput(what=t("ledger.no_key", file=file))) from None


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


def heads_in(file: Path) -> list[Head]:
    """Heads as `ledger heads` and `witness cosign` print them: one per line, or the document of --json."""
    try:
        raw = file.read_bytes()
        if raw.lstrip().startswith(b'{"schema"'):
            return msgspec.convert(msgspec.json.decode(raw)["data"], list[Head])
        return [msgspec.json.decode(line, type=Head) for line in raw.splitlines() if line.strip()]
    except (OSError, KeyError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise failed(BadInput(what=t("ledger.no_head", file=file, why=error))) from None
