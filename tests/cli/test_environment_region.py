"""A job in an environment, through a real region: wheels are imported, an image is its root, a site's tree is read."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.crypto.sign import generate, public_of, sign
from tests.cells.sif import sif, squashed
from tests.cells.test_unpack import wheel
from tests.cli.conftest import _place
from tests.cli.running import Up, running
from tests.engines.slurm_server import absent

KEY = generate("ed25519")
SITE = """
[jobs]
package_keys = ["{key}"]
[jobs.sites.spack]
path = "{tree}"
label = "INTERNAL"
paths = ["bin"]
env = {{ TREE = "here" }}
"""


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A region whose settings name a key for packages, and a tree of the site."""
    for found in _place(tmp_path_factory.mktemp("environments")):
        found.init("--policy", "house")
        tree = found.path / "spack"
        (tree / "bin").mkdir(parents=True)
        (tree / "bin" / "tool").write_text('#!/bin/sh\necho "tool $TREE"\n')
        (tree / "bin" / "tool").chmod(0o755)
        settings = found.region / "casemate.toml"
        settings.write_text(settings.read_text() + SITE.format(key=public_of(KEY).hex(), tree=tree))
        with running(found) as up:
            yield up


def brought(at: Path, body: bytes, key: bytes | None = KEY) -> str:
    """A folder with one wheel, its list and a signature; the wheel's digest."""
    at.mkdir()
    digest = hashlib.sha256(body).hexdigest()
    (at / "p-1-py3-none-any.whl").write_bytes(body)
    sums = f"{digest}  p-1-py3-none-any.whl\n".encode()
    (at / "SHA256SUMS").write_bytes(sums)
    if key is not None:
        (at / "SHA256SUMS.sig").write_bytes(sign(key, sums))
    return digest


def test_a_job_imports_what_its_lock_names(region: Up) -> None:
    entry = b"[console_scripts]\nspeak = p:speak\n"
    body = wheel({"p.py": b"def speak():\n    print('spoken')\n", "p-1.dist-info/entry_points.txt": entry})
    digest = brought(region.place.path / "signed", body)
    brought(region.place.path / "other", body, generate("ed25519"))
    brought(region.place.path / "unsigned", body, None)
    for folder in ("other", "unsigned"):
        refused = region.run("packages", "import", region.place.path / folder)
        assert refused.code == 3, refused
        assert "jobs.package_keys" in refused.err
    assert region.run("packages", "list").out == "No package.\n"
    told = region.run("packages", "import", region.place.path / "signed", "--json")
    assert told.data["brought"] == ["p-1-py3-none-any.whl"]
    assert region.run("packages", "import", region.place.path / "signed").code == 0  # the same once more
    file = region.place.path / "again.whl"
    got = region.run("packages", "get", "p-1-py3-none-any.whl", "--output", file)
    assert (got.code, file.read_bytes()) == (0, body), got
    lock = region.place.path / "lock.txt"
    lock.write_text(f"p==1 \\\n    --hash=sha256:{'0' * 64}\n")
    wrong = region.run("environment", "add", "speech", "--lock", lock)
    assert wrong.code == 2, wrong
    assert "p==1: its wheel in the mirror has another digest" in wrong.err
    lock.write_text(f"# made by pip-compile\np==1 \\\n    --hash=sha256:{digest}\n    # via nothing\n")
    added = region.run("environment", "add", "speech", "--lock", lock, "--json").data
    assert region.run("environment", "show", added["digest"]).out.count("p-1-py3-none-any.whl") == 1
    for level in ("L1", "L2"):
        ran = region.run(
            "job", "run", "--isolation", level, "--environment", "wheels:speech", "--",
            "python3", "-c", "import p; p.speak()",
        )  # fmt: skip
        assert (ran.code, ran.out) == (0, "spoken\n"), ran
    ran = region.run("job", "run", "--environment", f"wheels:{added['digest']}", "--", "speak")
    assert (ran.code, ran.out) == (0, "spoken\n"), ran
    ran = region.run("job", "run", "--json", "--environment", "wheels:speech", "--", "/bin/sh", "-c", "echo > /env/x")
    assert ran.code != 0, "an environment is written to by no job"
    assert region.run("environment", "remove", "speech").out == "speech\n"
    gone = region.run("job", "run", "--environment", "wheels:speech", "--", "true")
    assert gone.code == 5, gone


def image(at: Path) -> Path:
    """What `docker save` writes, of a shell and what it loads."""
    shell = shutil.which("busybox") or "/bin/sh"
    told = subprocess.run(["ldd", shell], capture_output=True, text=True, check=False).stdout
    libraries = {word for word in told.split() if word.startswith("/")}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as layer:
        for source, target in ((shell, "bin/sh"), *((one, one.lstrip("/")) for one in sorted(libraries))):
            layer.add(os.path.realpath(source), target)
        marked = tarfile.TarInfo("etc/whose")
        marked.size = 4
        layer.addfile(marked, io.BytesIO(b"ours"))
    with tarfile.open(at, "w") as archive:
        manifest = json.dumps([{"Layers": ["layer.tar"]}]).encode()
        for name, body in (("manifest.json", manifest), ("layer.tar", gzip.compress(made.getvalue()))):
            entry = tarfile.TarInfo(name)
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    return at


def test_a_job_runs_in_the_root_of_its_image(region: Up) -> None:
    archive = image(region.place.path / "image.tar")
    assert region.run("environment", "add", "shell", "--image", archive).code == 0
    script = "read whose < /etc/whose; echo $whose; test ! -e /usr/bin/python3; echo done > /out/a"
    ran = region.run("job", "run", "--environment", "image:shell", "--", "/bin/sh", "-c", script)
    assert (ran.code, ran.out) == (0, "ours\n"), ran
    bad = region.place.path / "bad.tar"
    bad.write_bytes(b"no archive" * 100)
    assert region.run("environment", "add", "bad", "--image", bad).code == 0
    ran = region.run("job", "run", "--json", "--environment", "image:bad", "--", "/bin/sh", "-c", ":")
    assert (ran.code, ran.json["data"]["reason"]) == (1, "ENVIRONMENT"), ran
    assert region.run("environment", "add", "none").code == 2


def test_a_job_runs_in_the_root_of_an_apptainer_image(region: Up) -> None:
    base = region.place.path / "root"
    with tarfile.open(image(region.place.path / "of-sif.tar")) as saved:
        layer = saved.extractfile("layer.tar")
        assert layer is not None
        with tarfile.open(fileobj=layer, mode="r:gz") as files:
            files.extractall(base, filter="data")
    built = region.place.path / "shell.sif"
    built.write_bytes(sif(squashed(base)))
    added = region.run("environment", "add", "built", built, "--json")
    assert added.data["form"] == "image", added
    assert "image.sif" in region.run("environment", "show", "built").out
    script = "read whose < /etc/whose; echo $whose; test ! -e /usr/bin/python3; echo no > /etc/whose"
    ran = region.run("job", "run", "--environment", "image:built", "--", "/bin/sh", "-c", script)
    assert ran.out == "ours\n", ran
    assert ran.code != 0, "an environment is written to by no job"
    spoilt = region.place.path / "spoilt.sif"
    spoilt.write_bytes(built.read_bytes()[:20_000])
    assert region.run("environment", "add", "spoilt", spoilt).code == 0
    ran = region.run("job", "run", "--json", "--environment", "image:spoilt", "--", "/bin/sh", "-c", ":")
    assert (ran.code, ran.json["data"]["reason"]) == (1, "ENVIRONMENT"), ran
    assert region.run("environment", "add", "both", built, "--image", built).code == 2


def test_a_job_runs_in_a_tree_of_the_site_where_its_label_sees_that(region: Up) -> None:
    assert "site:spack" in region.run("environment", "list").out
    for level in ("L1", "L2"):
        ran = region.run("job", "run", "--isolation", level, "--environment", "site:spack", "--", "tool")
        assert (ran.code, ran.out) == (0, "tool here\n"), ran
    low = region.run("job", "run", "--label", "PUBLIC", "--environment", "site:spack", "--", "tool")
    assert low.code == 5, low
    assert region.run("environment", "list", "--label", "PUBLIC").out == "No environment.\n"


def test_ranks_of_one_node_are_ordered_at_the_command_line(region: Up) -> None:
    if shutil.which("mpirun") is None:
        absent("no OpenMPI here: apt-get install openmpi-bin")
    ran = region.run("job", "run", "--tasks", "2", "--memory", "1G", "--json", "--", "mpirun", "hostname")
    assert ran.code == 0, ran
    told = region.run("job", "show", ran.json["data"]["id"])
    assert "2 ranks of one node, in one sandbox" in told.out, told
    assert region.run("job", "logs", ran.json["data"]["id"]).out == "node0\nnode0\n"
