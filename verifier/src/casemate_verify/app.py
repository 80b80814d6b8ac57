"""The command: `casemate-verify FILE --state STATE`. One verdict on standard output, and its exit code.

What is given may be volumes, or folders with them, in the place of the bundle that they hold.
"""

from __future__ import annotations

import argparse
import getpass
import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

from casemate_verify.crypt import Opener
from casemate_verify.faults import Unusable
from casemate_verify.jsontext import Value, canonical
from casemate_verify.locked import is_locked, unlocked
from casemate_verify.state import read_guards, read_state
from casemate_verify.verdict import Verdict, verify
from casemate_verify.volumes import MAGIC, Set, Volume, read_volume

__all__ = ["EXITS", "main"]

EXITS = {"accept": 0, "refuse": 3, "hold": 10, "quarantine": 16}
MISSING, UNUSABLE, USAGE = 7, 12, 2
MOST_VOLUMES = 4096  # files that are looked at
LARGEST = 64 << 20  # of a state or of guards' verdicts, in bytes


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="casemate-verify",
        description="Judge a bundle by its bytes alone, as the region would that takes it. Nothing is written.",
        epilog="exit: 0 accept, 3 refuse, 7 volumes are missing, 10 hold, 16 quarantine; "
        "12 a file that is none, 2 a command written wrongly",
    )
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="the bundle, NAME.cmb; or volumes, or folders with them"
    )
    parser.add_argument(
        "--state", type=Path, help="what the taking side remembers of the channel; without it only volumes are judged"
    )
    parser.add_argument(
        "--key",
        type=Path,
        help="file of a recipient's private key: what is sealed is judged too. Its passphrase is asked for, "
        "or read from the first line of standard input",
    )
    parser.add_argument("--guards", type=Path, help="what the guards here said of each object, JSON")
    parser.add_argument("--now", type=int, help="microseconds since 1970; the clock's where it is not said")
    parser.add_argument("--json", action="store_true", help="one JSON text")
    said = parser.parse_args(words)
    said.wrong = parser.error
    return said


def _bytes(path: Path, most: int) -> bytes:
    """The whole of a small file. Unusable where it is larger."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Unusable(f"{path}: larger than {most} bytes")
    return data


def _opener(path: Path | None) -> Opener | None:
    """Whose the bundle may be; the passphrase of a locked key is asked for, never said on the command line."""
    if path is None:
        return None
    raw = _bytes(path, 4096)
    if not is_locked(raw):
        return Opener(raw)
    said = getpass.getpass("passphrase: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    return Opener(unlocked(raw, said))


def _judged(said: argparse.Namespace, file: BinaryIO) -> Verdict:
    state = read_state(_bytes(said.state, LARGEST))
    guards = {} if said.guards is None else read_guards(_bytes(said.guards, LARGEST))
    now = time.time_ns() // 1000 if said.now is None else said.now
    return verify(file, state, now, _opener(said.key), guards)


def _volumes(files: Sequence[Path]) -> list[Volume]:
    """The volumes among these files and in these folders; none where the one file is no volume."""
    several = [each for path in files for each in (sorted(path.iterdir()) if path.is_dir() else [path])]
    if len(several) > MOST_VOLUMES:
        raise Unusable(f"more than {MOST_VOLUMES} files")
    named = [path for path in several if path.is_file() and (path.suffix == ".cmv" or _begins(path))]
    found = {path: read_volume(path) for path in named}
    for path in [path for path, volume in found.items() if volume is None]:
        print(f"casemate-verify: {path}: its head cannot be read", file=sys.stderr)
    if named and not any(found.values()):
        raise Unusable("no volume whose head can be read")
    return [volume for volume in found.values() if volume is not None]


def _begins(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _set_told(held: Set, as_json: bool) -> str:
    head, here = held.head, sorted(held.volumes)
    away = [number for number in range(1, head.n + 1) if number not in held.volumes]
    if as_json:
        damaged: Value = {str(number): list(frames[:1000]) for number, frames in held.damaged.items()}
        return canonical(
            {
                "banner": head.banner,
                "carried": head.carried.hex(),
                "damaged": damaged,
                "here": list(here),
                "missing": held.missing,
                "needed": head.k,
                "set": head.digest.hex(),
                "signer": head.signer,
                "size": held.length,
                "volumes": head.n,
            }
        ).decode()
    lines = [head.banner, f"{len(here)} of {head.n} volumes, any {head.k} suffice"]
    lines += [f"signed by {head.signer}"] if head.signer else []
    lines += [f"not here: {' '.join(map(str, away))}"] if away else []
    lines += [
        f"volume {number}: damaged frames {' '.join(map(str, frames[:20]))}{' ...' if len(frames) > 20 else ''}"
        for number, frames in held.damaged.items()
    ]
    end = f"{held.missing} more needed" if held.missing else f"whole: {held.length} bytes"
    return "\n".join([*lines, end])


def _all(said: argparse.Namespace) -> int:
    volumes = _volumes(said.files)
    if not volumes:
        if said.state is None or len(said.files) != 1:
            _wrong(said, "one bundle, and --state")
        with said.files[0].open("rb") as file:
            return _end(_judged(said, file), said.json)
    with Set(volumes) as held:
        if said.state is None or held.missing:
            print(_set_told(held, said.json))
            return MISSING if held.missing else 0
        with io.BufferedReader(held, 1 << 20) as whole:
            return _end(_judged(said, whole), said.json)


def _wrong(said: argparse.Namespace, why: str) -> NoReturn:
    said.wrong(why)
    raise SystemExit(USAGE)


def _end(verdict: Verdict, as_json: bool) -> int:
    print(_told(verdict, as_json))
    return EXITS[verdict.verdict]


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
        return _all(said)
    except Unusable as error:
        print(f"casemate-verify: {error}", file=sys.stderr)
        return UNUSABLE
    except OSError as error:
        print(f"casemate-verify: {error.filename}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
