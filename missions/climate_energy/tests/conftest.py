"""What the tests share. They run in the mission's own environment: `make test-missions`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parents[1]
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", HERE / "../../../shared/data"))
NETWORKS = ("ac-dc-meshed", "model-energy", "scigrid-de")


@pytest.fixture
def data() -> Path:
    if not (DATA / "fair").is_dir():
        pytest.skip(f"the shared data are not in {DATA} (CASEMATE_TEST_DATA)")
    return DATA


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """A run by the shared program, with every socket refused: roles with their files, and an order."""
    import json
    import socket

    from casemate.missions.program import run

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a mission reached for a socket")

    def go(roles: dict[str, list[Path]], name: str = "out", **order: Any) -> dict[str, Any]:
        monkeypatch.setattr(socket, "socket", refused)
        monkeypatch.setattr(socket, "create_connection", refused)
        folder = tmp_path / f"{name}.in"
        folder.mkdir()
        for role, files in roles.items():
            for number, file in enumerate(files, 1):
                shutil.copyfile(file, folder / (role if number == 1 else f"{role}.{number}"))
        (folder / "mission.json").write_text(json.dumps(order))
        out = tmp_path / name
        return run("casemate_climate_energy:ClimateEnergy", folder, out, marking="UNCLASSIFIED") | {"out": out}

    return go


@pytest.fixture
def exercise() -> dict[str, list[Path]]:
    return {role: [HERE / "exercise" / f"{role}.csv"] for role in ("weather", "members", "emissions", "species")}
