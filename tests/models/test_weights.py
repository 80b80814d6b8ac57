"""Weights as files: what comes in, what may not, and whether it is still what came in."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from casemate.engines import model_files
from casemate.engines.model_files import FileTree, keep_key
from casemate.errors import BadInput
from casemate.models.weights import changed, taken_in
from tests.models.weights import Signer, gguf, lay, onnx, safetensors

MODEL = {"w.bin": safetensors(), "more/g": gguf(), "o": onnx(), "config.json": b"{}", "README": b"Hello."}


def tree(folder: Path, most: int = 100) -> FileTree:
    return FileTree(folder, most)


def test_what_comes_in_is_digested_and_watched(tmp_path: Path) -> None:
    found = taken_in(tree(lay(tmp_path, MODEL)), "", "en")
    assert found.formats == ("gguf", "onnx", "safetensors")
    assert {file.path: file.size for file in found.files} == {path: len(data) for path, data in MODEL.items()}
    assert changed(tree(tmp_path), found.files) == ""
    (tmp_path / "more" / "g").write_bytes(gguf(2))
    assert changed(tree(tmp_path), found.files) == "more/g"
    lay(tmp_path, {"more/g": gguf(), "extra": b"x"})
    assert changed(tree(tmp_path), found.files) == "extra"
    (tmp_path / "extra").unlink()
    (tmp_path / "o").unlink()
    assert changed(tree(tmp_path), found.files) == "o"


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("model.safetensors", b"\x80\x04N.", "pickle"),
        ("notes.txt", b"\x00\x01", "neither"),
        ("model.gguf", gguf(9), "begins like gguf"),
        ("bom.json", b"{}", "bill of materials"),
        ("model.sig", b"{}", "signer's public key"),
    ],
)
def test_what_may_not_come_in(tmp_path: Path, path: str, data: bytes, said: str) -> None:
    with pytest.raises(BadInput) as told:
        taken_in(tree(lay(tmp_path, {**MODEL, path: data})), "", "en")
    assert said in str(told.value.facts["what"])


def test_a_folder_without_a_model_or_with_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, {"config.json": b"{}"})
    with pytest.raises(BadInput):
        taken_in(tree(tmp_path), "", "en")
    lay(tmp_path, MODEL)
    with pytest.raises(BadInput):
        taken_in(tree(tmp_path, 2), "", "en")
    monkeypatch.setattr("casemate.models.weights.GIGABYTES", 0)
    with pytest.raises(BadInput):
        taken_in(tree(tmp_path), "", "en")
    with pytest.raises(BadInput):
        taken_in(tree(tmp_path / "none"), "", "en")


def test_a_signature_and_a_bill_hold_or_nothing_comes_in(tmp_path: Path) -> None:
    signer = Signer()
    digest = hashlib.sha256(MODEL["o"]).hexdigest()
    component = {"type": "machine-learning-model", "name": "o", "hashes": [{"alg": "SHA-256", "content": digest}]}
    bill = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]}).encode()
    files = {**MODEL, "bom.json": bill}
    lay(tmp_path, {**files, "model.sig": signer.sign(files)})
    found = taken_in(tree(tmp_path), signer.pem.decode(), "en")
    assert (len(found.signed_by), found.bom) == (64, True)
    with pytest.raises(BadInput):
        taken_in(tree(tmp_path), Signer().pem.decode(), "en")
    lay(tmp_path, {"README": b"Other."})
    with pytest.raises(BadInput):
        taken_in(tree(tmp_path), signer.pem.decode(), "en")
    (tmp_path / "model.sig").unlink()
    with pytest.raises(BadInput, match="not there"):
        taken_in(tree(tmp_path), signer.pem.decode(), "en")


def link(folder: Path) -> None:
    (folder / "link").symlink_to("/etc/hostname")


def linked_folder(folder: Path) -> None:
    (folder / "link").symlink_to("/etc")


def inner_link(folder: Path) -> None:
    (folder / "link").symlink_to("README")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def odd_name(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_bytes(b"x")


@pytest.mark.parametrize("put", [link, linked_folder, inner_link, pipe, odd_name], ids=lambda put: put.__name__)
def test_links_and_devices_are_not_followed(tmp_path: Path, put: object) -> None:
    lay(tmp_path, MODEL)
    put(tmp_path)  # type: ignore[operator]
    with pytest.raises(BadInput):
        tree(tmp_path).files()


def test_a_name_that_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path) -> None:
    there = tree(lay(tmp_path / "m", MODEL))
    [file] = [file for path, file in there.files() if path == "more/g"]
    (tmp_path / "m" / "more").rename(tmp_path / "elsewhere")
    (tmp_path / "m" / "more").symlink_to(tmp_path / "elsewhere")
    for look in (lambda: file.at(0, 4), lambda: there.digests("more/g")):
        with pytest.raises(BadInput):
            look()
    with pytest.raises(BadInput):
        there.opened("none")
    with pytest.raises(BadInput):
        there.digests("")


def test_a_key_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "k.key"
    (tmp_path / ".k.key.new").symlink_to("/etc/hostname")
    for secret in ("one", "two"):
        keep_key(file, secret)
        assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{secret}\n", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["k.key"]
    assert model_files.__all__ == ["FileTree", "keep_key"]
