"""The second reader, from where it lies beside the package: nothing of it is installed here."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["SOURCE", "casemate_verify"]

SOURCE = Path(__file__).parents[3] / "verifier" / "src"
if str(SOURCE) not in sys.path:
    sys.path.insert(0, str(SOURCE))

import casemate_verify
