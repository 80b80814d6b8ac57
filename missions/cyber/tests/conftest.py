"""Where the shared recordings and rules stand: CASEMATE_TEST_DATA/sigma, or tests that need them are skipped."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from casemate_cyber.rules.pack import Pack
from casemate_cyber.rules.read import compiled, files


@pytest.fixture(scope="session")
def data() -> Path:
    found = Path(os.environ.get("CASEMATE_TEST_DATA", "")) / "sigma"
    if not os.environ.get("CASEMATE_TEST_DATA") or not found.is_dir():
        pytest.skip("needs SigmaHQ's rules and recordings: CASEMATE_TEST_DATA")
    return found


@pytest.fixture(scope="session")
def sources(data: Path) -> dict[str, bytes]:
    return dict(files([data / "rules.tar.gz"]))


@pytest.fixture(scope="session")
def pack(sources: dict[str, bytes]) -> Pack:
    return compiled(list(sources.items()))


@pytest.fixture(scope="session")
def recordings(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    with tarfile.open(data / "regression.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder
