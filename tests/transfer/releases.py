"""Releases of Casemate for tests: wheels that are made here, bundles that carry them, and a folder to install into."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from click.testing import CliRunner, Result

import casemate
from casemate.cli import main

__all__ = ["Carried", "a_wheel", "of_the_tree", "run"]

MAIN = 'VERSION = "{version}"\n\n\ndef main():\n    print("casemate " + VERSION)\n'
POINTS = "[console_scripts]\ncasemate = casemate.cli:main\n"


def run(*words: object, code: int = 0) -> Result:
    found = CliRunner().invoke(main, [str(word) for word in words], env={"LANG": "en_GB"}, catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found


def a_wheel(
    folder: Path, name: str, version: str, files: Mapping[str, str | bytes], lie: str = "", needs: str = ""
) -> Path:
    """A wheel with its RECORD, in which one file may be stated as another."""
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + (
        f"Requires-Dist: {needs}\n" if needs else ""
    )
    kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    whole = {f"{info}/METADATA": about, f"{info}/WHEEL": kind, **files}
    path = folder / f"{name}-{version}-py3-none-any.whl"
    lines = []
    with zipfile.ZipFile(path, "w") as made:
        for at, said in whole.items():
            data = said.encode() if isinstance(said, str) else said
            made.writestr(at, data)
            digest = hashlib.sha256(data + (b"!" if at == lie else b"")).digest()
            lines.append(f"{at},sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')},{len(data)}\n")
        made.writestr(f"{info}/RECORD", "".join(lines) + f"{info}/RECORD,,\n")
    return path


def of_the_tree(folder: Path) -> tuple[str, list[Path]]:
    """The version of this tree, and wheels of it and of all that it needs, made of what is installed here."""
    root = Path(casemate.__file__).resolve().parents[2]
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(words, cwd=root, check=True, capture_output=True)
    wheels, waiting, seen = list((folder / "dist").glob("*.whl")), ["casemate"], {"casemate"}
    while waiting:
        found = metadata.distribution(waiting.pop())
        for need in found.requires or ():
            name = re.match("[A-Za-z0-9._-]+", need)[0].lower()  # type: ignore[index]
            if "extra" not in need.partition(";")[2] and name not in seen and _there(name):
                seen.add(name)
                waiting.append(name)
        if found.name != "casemate":
            wheels.append(_packed(folder, found))
    return casemate.__version__, wheels


def _there(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:  # for another system
        return False
    return True


def _packed(folder: Path, found: metadata.Distribution) -> Path:
    """A distribution that is installed here, as a wheel."""
    inner = [each for each in found.files or () if ".." not in each.parts and "__pycache__" not in each.parts]
    files = {str(each): Path(str(each.locate())).read_bytes() for each in inner}
    named = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    kept = {at: data for at, data in files.items() if not (".dist-info/" in at and at.rpartition("/")[2] in named)}
    info = next(each.parts[0] for each in inner if each.parts[0].endswith(".dist-info"))
    name, _, version = info.removesuffix(".dist-info").rpartition("-")
    return a_wheel(folder, name, version, kept)


class Carried:
    """A side that makes releases, and FOLDER/channel where they are taken."""

    def __init__(self, at: Path) -> None:
        self.at, self.home = at, at / "opt"
        self._made = 0
        (self.home / "channel").mkdir(parents=True)
        run("bundle", "key", "--output", at / "ann", "--bare")
        run("bundle", "key", "--use", "receive", "--output", at / "receive", "--bare")
        asked = ["--source", "makers", "--destination", "here", "--label", "us:UNCLASSIFIED"]
        asked += ["--recipient", at / "receive.pub", "--signer", at / "ann.pub"]
        run("bundle", "channel", at / "up", *asked, "--bare")
        (self.home / "channel" / "state.json").write_bytes((at / "up" / "state.json").read_bytes())
        (at / "receive").rename(self.home / "channel" / "receive.key")

    def wheels(self, *wheels: Path, version: str, sums: str = "") -> Path:
        """A bundle that carries a release of these; `sums`: a digest that it states of each instead."""
        self._made += 1
        folder = self.at / f"made-{self._made}" / "casemate"
        folder.mkdir(parents=True)
        for wheel in wheels:
            os.link(wheel, folder / wheel.name)
        stated = {wheel.name: sums or hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels}
        (folder / "release.json").write_text(json.dumps({"casemate": 1, "version": version, "wheels": stated}))
        return self.folder(folder)

    def folder(self, folder: Path) -> Path:
        """The next bundle, of a folder."""
        bundle = self.at / f"{self._made}-{len(list(self.at.glob('*.cmb')))}.cmb"
        run("bundle", "create", folder, "--channel", self.at / "up", "--key", self.at / "ann", "--output", bundle)
        return bundle

    def stub(self, version: str, says: str = "", lacks: str = "") -> Path:
        """A bundle with the smallest thing that is a release: it says its version and can be imported."""
        files = {
            "casemate/__init__.py": "",
            "casemate/cli.py": MAIN.format(version=says or version),
            "casemate/wiring/__init__.py": "",
            "casemate/wiring/serve.py": "import what_is_not_there\n" if lacks == "lacks" else "",
            f"casemate-{version}.dist-info/entry_points.txt": POINTS,
        }
        wheel = a_wheel(self.at, "casemate", version, files, needs="what-is-not-there>=1" if lacks == "needs" else "")
        return self.wheels(wheel, version=version)

    def runs(self) -> str:
        """What `FOLDER/bin/casemate --version` says; "" where nothing is installed."""
        program = self.home / "current" / "bin" / "casemate"
        if not program.exists():
            return ""
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        return done.stdout.strip().removeprefix("casemate ")

    def killed(self, bundle: Path, point: str) -> int:
        """An upgrade that kills itself (SIGKILL) when that step is done; its exit."""
        body = (
            "import os, sys, time\nfrom pathlib import Path\n"
            "from casemate.cli.bundle import keepers\nfrom casemate.engines.upgrade_slots import Slots\n"
            "from casemate.wiring.upgrading import upgrade\n"
            "home, bundle, point = sys.argv[1:]\n"
            "slots = Slots(Path(home), lambda said: os.kill(os.getpid(), 9) if said == point else None)\n"
            "mine = keepers(Path(home) / 'channel' / 'receive.key')\n"
            "upgrade(Path(bundle), slots, mine, int(time.time() * 1e6))\n"
        )
        words = [sys.executable, "-c", body, str(self.home), str(bundle), point]
        return subprocess.run(words, check=False, capture_output=True).returncode
