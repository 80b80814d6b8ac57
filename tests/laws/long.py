"""Where a law at full length leaves its result: bench/long/NAME.json, with the commit that it held for."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]


def leave(name: str, **counts: int) -> None:
    """Write the result of a long run; a dirty tree is said to be one."""
    commit = _git("rev-parse", "HEAD")
    dirty = bool(_git("status", "--porcelain", "--untracked-files=no", "--", "src", "tests"))
    result = {
        "name": name,
        "commit": commit,
        "changed_since": dirty,
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "counts": counts,
    }
    folder = HERE / "bench" / "long"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=True).stdout.strip()
