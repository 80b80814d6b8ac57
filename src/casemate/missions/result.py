"""What a run leaves, and the digest by which two runs are compared. Neither times nor paths are in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casemate.reports import Table

__all__ = ["Result", "digest_of"]


@dataclass(frozen=True, slots=True)
class Result:
    """`tables` by name; `figures`: numbers and short texts by name; `files` by name, each below `context.out`."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


def digest_of(value: Any) -> str:
    """SHA-384, hexadecimal, over the value as JSON with sorted names and no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha384(text.encode()).hexdigest()
