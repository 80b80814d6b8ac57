"""A folder that every world may record datasets from: what lies there is the same for all, and nobody writes to it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

__all__ = ["ROOT"]


def _tree() -> Path:
    root = Path(tempfile.mkdtemp(prefix="casemate-datasets-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for name in ("one/a.csv", "one/deep/b.csv", "two/c.csv"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode() * 20)
    return root


ROOT = _tree()
