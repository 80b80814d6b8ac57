"""The guard under atheris: `python -m tests.transfer.guard.fuzz -runs=N` (and any other option of libFuzzer).

The first byte says as what, and in which direction, the rest is judged. It fails where a side breaks or the two differ.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

from casemate.errors import CasemateError
from casemate.transfer.guard import Asked, judge, read_schema, safe_names
from tests.transfer.guard.samples import VALID

_DEFECTS = {"guard-differs", "guard-crash", "guard-memory"}


def one(raw: bytes) -> None:
    """Judge one input. AssertionError where the guard has a defect."""
    if not raw:
        return
    format, _, schema = VALID[(raw[0] & 0x7F) % len(VALID)]
    said, made = judge(raw[1:], Asked(cast("Any", format), "out" if raw[0] & 0x80 else "in", schema))
    assert said.rule not in _DEFECTS, said
    assert said.agrees or not made, said
    try:
        safe_names(raw[1:].decode("utf-8", "surrogateescape").split("\n"))
        read_schema(raw[1:])
    except CasemateError:
        return


def atheris(runs: int) -> int:
    """So many runs in a process of their own, begun from the good files; its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        for place, (_, raw, _) in enumerate(VALID):
            (Path(folder) / str(place)).write_bytes(bytes([place]) + raw)
        command = [sys.executable, "-m", "tests.transfer.guard.fuzz", f"-runs={runs}", "-rss_limit_mb=1024", folder]
        return subprocess.run(command, check=False, cwd=Path(__file__).parents[3]).returncode


if __name__ == "__main__":
    import atheris as fuzzer

    fuzzer.instrument_all()
    fuzzer.Setup(sys.argv, one)
    fuzzer.Fuzz()
