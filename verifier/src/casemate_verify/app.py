"""The command: `casemate-verify FILE --state STATE`. One verdict on standard output, and its exit code."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from casemate_verify.crypt import Opener
from casemate_verify.faults import Unusable
from casemate_verify.jsontext import Value, canonical
from casemate_verify.state import read_guards, read_state
from casemate_verify.verdict import Verdict, verify

__all__ = ["EXITS", "main"]

EXITS = {"accept": 0, "refuse": 3, "hold": 10, "quarantine": 16}
UNUSABLE, USAGE = 12, 2
LARGEST = 64 << 20  # of a state or of guards' verdicts, in bytes


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="casemate-verify",
        description="Judge a bundle by its bytes alone, as the region would that takes it. Nothing is written.",
        epilog="exit: 0 accept, 3 refuse, 10 hold, 16 quarantine; 12 a file that is none, 2 a command written wrongly",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the bundle, NAME.cmb")
    parser.add_argument("--state", type=Path, required=True, help="what the taking side remembers of the channel")
    parser.add_argument(
        "--key", type=Path, help="file of a recipient's private key, bare: what is sealed is judged too"
    )
    parser.add_argument("--guards", type=Path, help="what the guards here said of each object, JSON")
    parser.add_argument("--now", type=int, help="microseconds since 1970; the clock's where it is not said")
    parser.add_argument("--json", action="store_true", help="one JSON text")
    return parser.parse_args(words)


def _bytes(path: Path, most: int) -> bytes:
    """The whole of a small file. Unusable where it is larger."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Unusable(f"{path}: larger than {most} bytes")
    return data


def _judged(said: argparse.Namespace) -> Verdict:
    state = read_state(_bytes(said.state, LARGEST))
    guards = {} if said.guards is None else read_guards(_bytes(said.guards, LARGEST))
    opener = None if said.key is None else Opener(_bytes(said.key, 4096))
    now = time.time_ns() // 1000 if said.now is None else said.now
    with said.file.open("rb") as file:
        return verify(file, state, now, opener, guards)


def _told(verdict: Verdict, as_json: bool) -> str:
    if as_json:
        said: Value = {
            "alarms": list(verdict.alarms),
            "rule": verdict.rule,
            "verdict": verdict.verdict,
            "why": verdict.why,
        }
        if verdict.gap is not None:
            said |= {"gap": list(verdict.gap)}
        return canonical(said).decode()
    lines = [f"{verdict.verdict}: {verdict.rule}" + (f" ({verdict.why})" if verdict.why else "")]
    if verdict.gap is not None:
        lines.append(f"missing: {verdict.gap[0]} to {verdict.gap[1]}")
    return "\n".join([*lines, *(f"alarm: {alarm}" for alarm in verdict.alarms)])


def main(words: Sequence[str] | None = None) -> int:
    """The verdict's exit code; 12 where a file is none of what it is given for, or cannot be read."""
    said = _arguments(words)
    try:
        verdict = _judged(said)
    except Unusable as error:
        print(f"casemate-verify: {error}", file=sys.stderr)
        return UNUSABLE
    except OSError as error:
        print(f"casemate-verify: {error.filename}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    print(_told(verdict, said.json))
    return EXITS[verdict.verdict]
