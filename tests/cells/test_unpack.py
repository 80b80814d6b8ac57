"""Wheels and images become trees: whole, compared, and never outside of where they belong."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

MACHINE = os.uname().machine
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(MACHINE, MACHINE)


def unpacked(form: str, source: Path, tree: Path) -> str:
    """As the sandbox runs it; what it says where it fails, "" where the tree is whole."""
    from casemate.cells.unpack import __main__ as program

    told = io.StringIO()
    before, sys.stderr = sys.stderr, told
    try:
        code = program.main(form, str(source), str(tree))
    finally:
        sys.stderr = before
    assert (code == 0) is (told.getvalue() == "")
    return told.getvalue()


def wheel(files: dict[str, bytes], record: Callable[[str], str] | None = None, **more: bytes) -> bytes:
    """A wheel of these files, with a RECORD as it should be unless `record` writes it."""
    files = {**files, "p-1.dist-info/WHEEL": b"Wheel-Version: 1.0\n", **{k: v for k, v in more.items() if v}}
    rows = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b'=').decode()},{len(body)}\n"
        for name, body in files.items()
    )
    rows += "p-1.dist-info/RECORD,,\n"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
        archive.writestr("p-1.dist-info/RECORD", record(rows) if record else rows)
    return made.getvalue()


def folder(at: Path, **wheels: bytes) -> Path:
    at.mkdir()
    for name, body in wheels.items():
        (at / f"{name}-1-py3-none-any.whl").write_bytes(body)
    return at


def test_a_wheel_is_installed_with_its_scripts(tmp_path: Path) -> None:
    points = b"[console_scripts]\nSay-it = p.say:out.loud [extra]\n"
    body = wheel(
        {
            "p/__init__.py": b"WORD = 'here'\n",
            "p/say.py": b"class out:\n    @staticmethod\n    def loud():\n        print('loud')\n",
            "p-1.data/scripts/run": b"#!python\nimport p; print(p.WORD)\n",
            "p-1.data/data/share/p/x": b"x",
            "p-1.data/purelib/q.py": b"",
            "p-1.dist-info/entry_points.txt": points,
        }
    )
    assert unpacked("wheels", folder(tmp_path / "in", p=body), tmp_path / "tree") == ""
    tree = tmp_path / "tree"
    assert (tree / "share/p/x").read_bytes() == b"x"
    assert (tree / "lib/q.py").exists()
    told = {"PYTHONPATH": str(tree / "lib"), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    for script, said in (("Say-it", "loud"), ("run", "here")):
        assert subprocess.check_output([tree / "bin" / script], env=told, text=True) == f"{said}\n"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (wheel({"p.py": b"a"}, record=lambda rows: rows.replace("sha256=", "sha256=AAAA")), "RECORD names"),
        (wheel({"p.py": b"a"}, record=lambda rows: rows.replace("sha256=", "md5=")), "too weak"),
        (wheel({"p.py": b"a"}, record=lambda rows: rows.split("\n", 1)[1]), "does not name"),
        (wheel({"../p.py": b"a"}), "steps out"),
        (wheel({"/etc/p.py": b"a"}), "no wheel has"),
        (wheel({"p-1.data/scripts/../../x": b"a"}), "steps out"),
        (wheel({"p-1.data/elsewhere/x": b"a"}), "unknown"),
        (wheel({"p-1.dist-info/entry_points.txt": b"[console_scripts]\n../x = p:main\n"}), "entry points"),
        (wheel({"p-1.dist-info/entry_points.txt": b"[console_scripts]\nx = p;import os:main\n"}), "entry points"),
        (wheel({"p-1.dist-info/entry_points.txt": b"x = 1\n"}), "entry points"),
        (b"PK no zip", "no wheel that can be read"),
    ],
)
def test_a_wheel_that_is_not_what_it_says_is_refused(tmp_path: Path, body: bytes, told: str) -> None:
    said = unpacked("wheels", folder(tmp_path / "in", p=body), tmp_path / "tree")
    assert told in said
    assert said.startswith("p-1-py3-none-any.whl")
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "p.py").exists()


def test_two_wheels_may_share_a_file_and_not_disagree_about_it(tmp_path: Path) -> None:
    one, same, other = wheel({"n.py": b"1"}), wheel({"n.py": b"1"}), wheel({"n.py": b"2"})
    said = unpacked("wheels", folder(tmp_path / "a", p=one, q=other), tmp_path / "tree")
    assert "otherwise" in said
    assert unpacked("wheels", folder(tmp_path / "b", p=one, q=same), tmp_path / "again") == ""
    (tmp_path / "empty").mkdir()
    assert "no wheel" in unpacked("wheels", tmp_path / "empty", tmp_path / "nothing")


Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, body: bytes = b"", type: bytes = tarfile.REGTYPE, to: str = "", mode: int = 0o644) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = type, to, mode, len(body)
    return info, body


def packed(*entries: Entry) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for info, body in entries:
            archive.addfile(info, io.BytesIO(body))
    return made.getvalue()


def layout(*layers: bytes, spoil: str = "", architecture: str = ARCHITECTURE) -> bytes:
    """An OCI layout of these layers; `spoil` names the digest of a part that is changed afterwards."""
    blobs: dict[str, bytes] = {}

    def kept(body: bytes) -> dict[str, object]:
        digest = hashlib.sha256(body).hexdigest()
        blobs[digest] = body
        return {"digest": f"sha256:{digest}", "size": len(body)}

    named = [{**kept(layer), "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"} for layer in layers]
    manifest = kept(json.dumps({"schemaVersion": 2, "config": kept(b"{}"), "layers": named}).encode())
    platform = {"architecture": architecture, "os": "linux"}
    index = json.dumps({"schemaVersion": 2, "manifests": [{**manifest, "platform": platform}]}).encode()
    if spoil:
        at = {"manifest": str(manifest["digest"])[7:], "layer": str(named[0]["digest"])[7:]}[spoil]
        blobs[at] = blobs[at] + b"\n"
    files = {"oci-layout": b"{}", "index.json": index} | {f"blobs/sha256/{k}": v for k, v in blobs.items()}
    return packed(*(entry(name, body) for name, body in files.items()))


def image(tmp_path: Path, *layers: bytes, **options: str) -> str:
    (tmp_path / "image.tar").write_bytes(layout(*layers, **options))
    return unpacked("image", tmp_path / "image.tar", tmp_path / "tree")


def test_an_upper_layer_changes_takes_away_and_empties(tmp_path: Path) -> None:
    lower = packed(
        entry("usr/bin", type=tarfile.DIRTYPE, mode=0o755),
        entry("usr/bin/tool", b"old", mode=0o4755),
        entry("bin", type=tarfile.SYMTYPE, to="usr/bin"),
        entry("etc/a", b"a"),
        entry("etc/b", b"b"),
        entry("var/x/y", b"y"),
        entry("dev/null", type=tarfile.CHRTYPE),
        entry("usr/bin/same", type=tarfile.LNKTYPE, to="usr/bin/tool"),
    )
    upper = packed(entry("bin/more", b"m"), entry("etc/.wh.a"), entry("var/x/.wh..wh..opq"), entry("var/x/z", b"z"))
    assert image(tmp_path, gzip.compress(lower), upper) == ""
    tree = tmp_path / "tree"
    assert (tree / "usr/bin/more").read_bytes() == b"m"
    assert (tree / "bin").is_symlink()
    assert (tree / "usr/bin/tool").stat().st_mode & 0o7777 == 0o755
    assert (tree / "usr/bin/same").samefile(tree / "usr/bin/tool")
    assert sorted(p.name for p in (tree / "etc").iterdir()) == ["b"]
    assert sorted(p.name for p in (tree / "var/x").iterdir()) == ["z"]
    assert not (tree / "dev/null").exists()


@pytest.mark.parametrize(
    "entries",
    [
        [entry("out", type=tarfile.SYMTYPE, to="/etc"), entry("out/casemate-test", b"x")],
        [entry("out", type=tarfile.SYMTYPE, to="../../../../etc"), entry("out/casemate-test", b"x")],
        [entry("a", type=tarfile.SYMTYPE, to="b"), entry("b", type=tarfile.SYMTYPE, to="/"), entry("a/esc", b"x")],
    ],
)
def test_links_lead_nowhere_but_inside(tmp_path: Path, entries: list[Entry]) -> None:
    assert image(tmp_path, packed(*entries)) == ""
    assert not Path("/etc/casemate-test").exists()
    assert not Path("/esc").exists()
    found = [p for p in (tmp_path / "tree").rglob("*") if p.is_file() and not p.is_symlink()]
    assert len(found) == 1


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    assert image(tmp_path, packed(entry("f", type=tarfile.SYMTYPE, to=str(outside)), entry("f", b"x"))) == ""
    assert outside.read_text() == "mine"
    assert (tmp_path / "tree/f").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ([entry("../x", b"x")], "steps out"),
        ([entry("a/../../x", b"x")], "steps out"),
        ([entry("a", b"x"), entry("a/b", b"x")], "file stands where"),
        ([entry("a", type=tarfile.SYMTYPE, to="a"), entry("a/b", b"x")], "circle"),
        ([entry("a", type=tarfile.LNKTYPE, to="/etc/passwd")], "no file that came before"),
        ([entry("s", type=tarfile.SYMTYPE, to="/etc/passwd"), entry("a", type=tarfile.LNKTYPE, to="s")], "no file"),
        ([entry("../.wh.x")], "steps out"),
    ],
)
def test_an_image_that_reaches_out_is_refused(tmp_path: Path, entries: list[Entry], told: str) -> None:
    (tmp_path / "x").write_text("mine")
    assert told in image(tmp_path, packed(*entries))
    assert (tmp_path / "x").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"spoil": "manifest"}, "not the one that its digest names"),
        ({"spoil": "layer"}, "A layer is not the one"),
        ({"architecture": "riscv64"}, "no image for this machine"),
    ],
)
def test_an_image_is_compared_with_its_digests(tmp_path: Path, options: dict[str, str], told: str) -> None:
    assert told in image(tmp_path, packed(entry("a", b"x")), **options)
    assert not (tmp_path / "tree/a").exists()


def test_what_docker_saves_is_read_too(tmp_path: Path) -> None:
    manifest = json.dumps([{"Config": "c.json", "Layers": ["l/layer.tar"]}]).encode()
    saved = packed(entry("l/layer.tar", packed(entry("a", b"x"))), entry("manifest.json", manifest))
    (tmp_path / "image.tar").write_bytes(saved)
    assert unpacked("image", tmp_path / "image.tar", tmp_path / "tree") == ""
    assert (tmp_path / "tree/a").read_bytes() == b"x"
    (tmp_path / "other.tar").write_bytes(packed(entry("a", b"x")))
    assert "neither" in unpacked("image", tmp_path / "other.tar", tmp_path / "again")


def test_a_tree_has_an_end(tmp_path: Path) -> None:
    from casemate.cells.unpack.tree import Tree, Unpackable

    tree = Tree(str(tmp_path), most=4, entries=3)
    tree.file("a", [b"1234"])
    with pytest.raises(Unpackable, match="larger"):
        tree.file("b", [b"5"])
    with pytest.raises(Unpackable, match="more names"):
        tree.file("c/d/e", [b""])


@settings(max_examples=40)
@given(st.binary(max_size=200), st.integers(0, 4000), st.sampled_from(["image", "wheels"]))
def test_spoilt_archives_are_refused_in_our_own_words(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, form: str
) -> None:
    base = tmp_path_factory.mktemp("spoilt")
    whole = layout(packed(entry("a", b"x"))) if form == "image" else wheel({"p.py": b"a"})
    body = whole[: at % len(whole)] + noise + whole[at % len(whole) + len(noise) :]
    source = base / "image.tar"
    if form == "image":
        source.write_bytes(body)
    else:
        source = folder(base / "in", p=body)
    said = unpacked(form, source, base / "tree")
    assert said.isascii()
    assert "Traceback" not in said


def test_it_is_a_program_of_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "image.tar").write_bytes(layout(packed(entry("a", b"x"))))
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'unpack'; import runpy;"
        "runpy.run_module('casemate.cells.unpack', run_name='__main__')"
    )
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            code,
            str(source),
            "image",
            str(tmp_path / "image.tar"),
            str(tmp_path / "t"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t/a").read_bytes() == b"x"
