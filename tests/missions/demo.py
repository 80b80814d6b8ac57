"""`make demo-missions`: a region of its own in a temporary folder, in which each mission runs on its exercise.

    python -m tests.missions.demo .venv/missions [NAME ...]

Each environment is a tree of the site; each input of the exercise is a dataset in place. Reports lie in demo-missions.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.cli.running import Place, Up, running

ROOT = Path(__file__).parents[2]
SITE = """
[jobs.sites.{name}]
path = "{tree}"
label = "house:PUBLIC"
paths = ["bin"]
env = {{ PYTHONPATH = "{packages}" }}
"""
DATA = """
[datasets.roots.exercise]
path = "{folder}"
label = "house:PUBLIC"
"""


def main(trees: Path, *chosen: str) -> int:
    """0 where every mission ended well."""
    names = chosen or tuple(sorted(each.name for each in (ROOT / "missions").iterdir() if (each / "exercise").is_dir()))
    target, failed = Path("demo-missions"), 0
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="casemate-demo-") as folder:
        home, work = Path(folder, "home"), Path(folder, "work")
        home.mkdir()
        work.mkdir()
        place = Place(work, home).init("--policy", "house,us")
        settings = place.region / "casemate.toml"
        (work / "exercise").mkdir()
        told = settings.read_text() + DATA.format(folder=work / "exercise")
        for name in names:
            told += SITE.format(name=site(name), tree=(trees / name).absolute(), packages=packages(trees / name))
        settings.write_text(told)
        print(f"a region in {place.region}")
        with running(place) as up:
            for name in names:
                failed += not one(up, name, target)
    return int(failed > 0)


def one(up: Up, name: str, target: Path) -> bool:
    """Install it, run it, keep its report."""
    exercise, begun = ROOT / "missions" / name / "exercise", time.monotonic()
    installed = up.run("mission", "install", ROOT / "missions" / name, "--environment", f"site:{site(name)}", "--json")
    if installed.code:
        print(f"{name}: {installed.out} {installed.err}")
        return False
    words: list[str | Path] = []
    roles = up.run("mission", "describe", name, "--json").data["described"]["roles"]
    for role in roles:
        found = sorted(each for each in exercise.iterdir() if each.name.partition(".")[0] == role["name"])
        for number, path in enumerate(found[: None if role["many"] else 1]):
            data = f"{site(name)}-{site(role['name'])}-{number}"
            copied = up.place.path / "exercise" / data
            if path.is_dir():
                shutil.copytree(path, copied)
            else:
                copied.mkdir()
                shutil.copy(path, copied)
            up.run("dataset", "register", data, copied)
            words += ["--input", f"{role['name']}=dataset:{data}"]
    order = exercise / "mission.json"
    for key, value in (json.loads(order.read_text())["parameters"] if order.is_file() else {}).items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        words += ["--set", f"{key}={text}"]
    done = up.run("mission", "run", name, *words, "--follow", "--json")
    if done.code:
        id = up.run("mission", "runs", name, "--json").data[0]["id"]
        told = up.run("job", "show", id, "--json").data
        print(f"{name}: {told['state']} {told['reason']} {up.run('job', 'logs', id).err[-600:]}")
        return False
    id = done.data["job"]["id"]
    kept = up.run("mission", "report", id, "--to", (target / f"{name}.html").absolute(), "--replace")
    print(
        f"{name}: {time.monotonic() - begun:.0f} s, {len(done.data['result']['tables'])} tables, {target / name}.html"
    )
    return kept.code == 0


def packages(tree: Path) -> str:
    """Where its libraries lie: a job may find another Python than the one that made the environment."""
    return str(next(tree.absolute().glob("lib/python*/site-packages")))


def site(name: str) -> str:
    """A name as the settings take it."""
    return name.replace("_", "-")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
