"""The import contracts of pyproject.toml hold, and each of them is able to fail.

A contract that cannot fail holds nothing, so a copy of the package is broken on purpose, one wall at a time, and the
checker must name that wall. The copy holds the import statements alone: contracts read nothing else.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
WALLS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}

FLOORS = "The house stands on its floors; a new room without a floor fails"
FRAME = "Doors hang in one frame; wires are strangers; the console is the native API with a face"
ENVELOPE = "Only access opens an envelope"
STORE = "Only access, engines and wiring see the store"
ENGINES = "Only wiring sees engines"
CELLS = "Nobody imports a cell"
REACH = "A cell reaches no service, store or gate, however indirectly"
HOST = "Only doors and wiring see the host of missions"
FACE = "The face of missions reaches no service, however indirectly"
CLIENT = "The command line is a client: besides wiring, only pure rooms"
CORE = "Labels, policy and errors stand on the standard library alone"
KNOTS = "No knots, typing included"


class Breach(NamedTuple):
    """One import written where it must not be, and the wall that has to catch it."""

    wall: str
    file: str
    line: str


BREACHES = [
    Breach(FLOORS, "labels/breach.py", "from casemate.access import breach_target"),
    Breach(FLOORS, "attic/__init__.py", ""),
    Breach(FLOORS, "attic.py", ""),
    Breach(FLOORS, "policy/breach.py", "import casemate.ledger"),
    Breach(
        FLOORS, "errors/breach.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import casemate.words"
    ),
    Breach(FRAME, "doors/openai/breach.py", "import casemate.doors.bedrock"),
    Breach(FRAME, "doors/grpc/__init__.py", ""),
    Breach(ENVELOPE, "assistants/breach.py", "from casemate.labels.unseal import unseal"),
    Breach(STORE, "doors/native/breach.py", "import casemate.store"),
    Breach(ENGINES, "cli/breach.py", "import casemate.engines"),
    Breach(CELLS, "engines/breach.py", "import casemate.cells"),
    Breach(REACH, "cells/breach.py", "import casemate.policy"),
    Breach(HOST, "cli/breach.py", "import casemate.missions.host"),
    Breach(FACE, "missions/context.py", "import casemate.access"),
    Breach(FACE, "reports/table.py", "import casemate.objects"),
    Breach(CLIENT, "cli/breach.py", "import casemate.access"),
    Breach(CORE, "labels/breach.py", "import numpy"),
    Breach(KNOTS, "objects/breach.py", "def f():\n    import casemate.cli\n\n\ndef g():\n    import casemate.exercise"),
]


def lint(folder: Path) -> tuple[int, str]:
    """Exit code and output of the checker over the package in `folder`/src."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "300",
    }
    done = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package as its import statements alone, with the contracts beside it."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = ROOT / "src" / "casemate"
    for file in package.rglob("*.py"):
        target = tmp_path / "src" / "casemate" / file.relative_to(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(imports_of(file.read_text()))
    return tmp_path


def imports_of(text: str) -> str:
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    return "".join(f"{ast.unparse(node)}\n" for node in found if getattr(node, "module", "") != "__future__")


def broken(output: str) -> set[str]:
    return {line.removesuffix(" BROKEN").strip() for line in output.splitlines() if line.endswith(" BROKEN")}


def test_the_house_stands() -> None:
    status, output = lint(ROOT)
    assert status == 0, output
    assert f"Contracts: {len(WALLS)} kept, 0 broken." in output


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: f"{breach.file}:{breach.line[:40]}")
def test_a_breach_is_caught_by_its_wall(copy: Path, breach: Breach) -> None:
    file = copy / "src" / "casemate" / breach.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(breach.line + "\n")
    status, output = lint(copy)
    assert status == 1, output
    assert breach.wall in broken(output), output


def test_the_copy_without_a_breach_stands(copy: Path) -> None:
    """Otherwise every breach would be 'caught' by whatever is wrong with the copy."""
    status, output = lint(copy)
    assert (status, broken(output)) == (0, set()), output


def test_every_wall_is_broken_once_on_purpose() -> None:
    assert {breach.wall for breach in BREACHES} == set(WALLS)
