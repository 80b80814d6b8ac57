"""Programs that stand where Slurm's are: they note what they were told, and print what a test has laid down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """#!/bin/sh
name=${0##*/}
here=${0%/*}
printf '%s\\n' "$name" "$@" '' >> "$here/calls"
if [ "$1" = --version ]; then cat "$here/version"; exit 0; fi
if [ "$name" = sbatch ]; then cat > "$here/script"; env > "$here/env"; fi
if [ -e "$here/$name.slow" ]; then exec sleep 60; fi
if [ -e "$here/$name.out" ]; then cat "$here/$name.out"; fi
if [ -e "$here/$name.err" ]; then cat "$here/$name.err" >&2; exit 1; fi
"""
MCS = "MCSPlugin               = {}\nMCSParameters           = enforced,select\nPrivateData             = jobs,usage\n"


@dataclass
class Fake:
    """`folder` is what an engine takes for the folder of Slurm's programs."""

    folder: Path

    def make(self, version: str = "slurm-wlm 22.05.8", plugin: str = "mcs/user") -> None:
        for name in ("sbatch", "squeue", "scancel", "scontrol", "sinfo"):
            path = self.folder / name
            path.write_text(_PROGRAM)
            path.chmod(0o755)
        (self.folder / "version").write_text(version + "\n")
        self.prints("scontrol", MCS.format(plugin))
        self.prints("sbatch", "17\n")

    def prints(self, name: str, text: str) -> None:
        (self.folder / f"{name}.out").write_text(text)

    def fails(self, name: str, text: str) -> None:
        (self.folder / f"{name}.err").write_text(text)

    def hangs(self, name: str) -> None:
        (self.folder / f"{name}.slow").touch()

    def calls(self, name: str) -> list[list[str]]:
        """The arguments of every call of that program."""
        told = self.folder / "calls"
        found = [one.split("\n") for one in told.read_text().split("\n\n")] if told.exists() else []
        return [one[1:] for one in found if one[0] == name and one[1:] != ["--version"]]

    @property
    def script(self) -> str:
        return (self.folder / "script").read_text()

    @property
    def env(self) -> dict[str, str]:
        """What sbatch saw of the environment, without what its own shell adds."""
        pairs = (line.partition("=") for line in (self.folder / "env").read_text().splitlines())
        return {name: value for name, _, value in pairs if name not in ("PWD", "SHLVL", "_", "OLDPWD")}
