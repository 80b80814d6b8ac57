"""Where attempts lie that other users run: pytest's own folders let nobody else through."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.engines.job_folders import until


@pytest.fixture
def outside():
    path = Path(tempfile.mkdtemp(prefix="casemate-escape-"))
    path.chmod(0o755)
    yield path

    def removed() -> bool:
        # a shim that came too late for its attempt may still write while the folder goes
        shutil.rmtree(path, ignore_errors=True)
        return not path.exists()

    until(removed)
