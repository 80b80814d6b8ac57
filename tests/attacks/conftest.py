"""Where attempts lie that other users run: pytest's own folders let nobody else through."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def outside():
    with tempfile.TemporaryDirectory(prefix="casemate-escape-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
