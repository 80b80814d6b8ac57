"""`casemate mission new`: a folder with a mission that works as it stands, to be changed line by line."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import click

from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["new"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "requirements.txt": "requirements.txt",
    "mission.py": "src/casemate_{name}.py",
    "readings.csv": "exercise/readings/readings.csv",
    "mission.json": "exercise/mission.json",
}


@verb("mission.new", click.argument("name"), option("--to", type=click.Path(path_type=Path), default=Path()))
def new(talk: Talk, name: str, to: Path) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput(what=t("mission.name"))
    folder = to / name
    if folder.exists():
        raise BadInput(what=t("job.exists", file=folder))
    source = resources.files("casemate.cli").joinpath("mission_template")
    for file, place in FILES.items():
        text = source.joinpath(f"{file}.txt").read_text(encoding="utf-8")
        target = folder / place.replace("{name}", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("MISSION_NAME", name).replace("MissionName", name.title().replace("_", "")))
    talk.data({"folder": str(folder)})
    talk.say("mission.made", folder=folder, name=name)
