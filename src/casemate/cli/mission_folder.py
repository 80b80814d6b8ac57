"""A mission as its author has it: a folder with pyproject.toml and code below src, or a distribution that is installed.

What it says of itself is asked in a child of its own, which finds face, code and the standard library.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["GROUP", "Brought", "brought", "laid_out", "told_by"]

GROUP = "casemate.missions"
PATIENCE = 60
_LEFT_OUT = ("__pycache__", ".egg-info", ".dist-info")


@dataclass(frozen=True, slots=True)
class Brought:
    """`entry`: MODULE:NAME. `files`: the code by place. `folder`: where it lies, if it is a folder of its author's.

    `lock`: the lines of its requirements.txt, "" where it needs no library.
    """

    name: str
    entry: str
    files: Mapping[str, bytes]
    folder: Path | None = None
    lock: str = ""


def brought(text: str) -> Brought:
    """The mission of a folder, or of the name of an entry point that is installed here. Raises BadInput."""
    folder = Path(text).absolute()
    if folder.is_dir():
        return _of_folder(folder)
    point = next((each for each in importlib.metadata.entry_points(group=GROUP) if each.name == text), None)
    if point is None or point.dist is None:
        raise BadInput(what=t("mission.no_folder", folder=text))
    files = [each for each in point.dist.files or () if each.parts and not each.parts[0].endswith(".dist-info")]
    top = point.module.partition(".")[0]
    code = {each.as_posix(): Path(str(each.locate())).read_bytes() for each in files if each.parts[0] == top}
    if not code:
        raise BadInput(what=t("mission.no_code", folder=text))
    return Brought(text, point.value.replace(" ", ""), code)


def _of_folder(folder: Path) -> Brought:
    project = folder / "pyproject.toml"
    if not project.is_file():
        raise BadInput(what=t("mission.no_project", folder=folder))
    try:
        told = tomllib.loads(project.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(what=f"{project}: {error}") from None
    points = told.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if not isinstance(points, dict) or len(points) != 1:
        raise BadInput(what=t("mission.no_point", folder=folder))
    [(name, entry)] = points.items()
    root = folder / "src" if (folder / "src").is_dir() else folder
    top = str(entry).partition(":")[0].partition(".")[0]
    found = [root / f"{top}.py"] if (root / f"{top}.py").is_file() else sorted((root / top).rglob("*"))
    files = {
        one.relative_to(root).as_posix(): one.read_bytes()
        for one in found
        if one.is_file() and not any(part.endswith(_LEFT_OUT) for part in one.relative_to(root).parts)
    }
    if not files:
        raise BadInput(what=t("mission.no_code", folder=folder))
    return Brought(str(name), str(entry), files, folder, _lock(folder / "requirements.txt"))


def _lock(file: Path) -> str:
    """What its libraries are, where it says that it has any. Raises BadInput."""
    if not file.is_file():
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(what=t("environment.text", file=file.name)) from None
    lines = (line.strip() for line in text.splitlines())
    return text if any(line and not line.startswith("#") for line in lines) else ""


@contextmanager
def laid_out(mission: Brought) -> Iterator[Path]:
    """A folder with `face` and `code`, gone afterwards."""
    from casemate.wiring.mission_face import face

    with tempfile.TemporaryDirectory(prefix="casemate-mission-") as name:
        for part, files in (("face", face()), ("code", mission.files)):
            for place, data in files.items():
                target = Path(name, part, place)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        yield Path(name)


def told_by(mission: Brought, python: str = sys.executable) -> dict[str, Any]:
    """What it says of itself, with the standard library alone. Raises BadInput with what the child said."""
    with laid_out(mission) as folder:
        done = subprocess.run(  # noqa: S603 - our own interpreter, or the one that was named
            [python, "-S", "-B", "-m", "casemate.missions", "describe", mission.entry],
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": f"{folder / 'face'}{os.pathsep}{folder / 'code'}"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    if done.returncode:
        raise BadInput(what=t("mission.undescribed", why=done.stderr.strip()[-600:]))
    told: dict[str, Any] = json.loads(done.stdout)
    return told
