"""What others' tools make of a bundle: oras and tarfile of the layout, python-tuf's client, openssl, another ML-DSA."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pytest
from dilithium_py.ml_dsa import ML_DSA_87
from oras.layout.layout import NewLayout
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from casemate.transfer.bundle.release import pae
from casemate.transfer.verdict import Verdict
from casemate.wiring.bundles import lay_open
from tests.transfer.bundling import NOW, Made, keeper, root, seen, state

DER = bytes.fromhex("302a300506032b6570032100")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle, and the folder in which it was opened."""
    folder = tmp_path_factory.mktemp("tools")
    path = Made(folder, files={"weights": b"w" * 3_000_000, "card": b"a card", "empty": b""}).write()
    verdict: Verdict
    _, verdict = lay_open(path, folder / "out", state(), NOW, [keeper()])
    assert verdict.rule == "accepted"
    return path, folder / "out"


def test_oras_reads_the_layout(opened: tuple[Path, Path]) -> None:
    layout = NewLayout(str(opened[1]))
    for name, data in (("weights", b"w" * 3_000_000), ("card", b"a card"), ("empty", b"")):
        blobs = layout.get_ordered_blobs(name)
        assert all(layout.blob_exists(each) for each in blobs)
        manifest = json.loads(Path(layout.digest_to_blob_path(blobs[-1])).read_bytes())
        (layer,) = manifest["layers"]
        assert Path(layout.digest_to_blob_path(layer["digest"])).read_bytes() == data
        assert (opened[1] / "files" / name / f"{name}.bin").read_bytes() == data


def test_tar_reads_what_is_sealed(opened: tuple[Path, Path], tmp_path: Path) -> None:
    made = Made(tmp_path, files={"card": b"a card"})
    content, sealed = made.content()
    raw = b"".join(each if isinstance(each, bytes) else b"a card" for each in content.pieces())
    (tmp_path / "inner.tar").write_bytes(raw)
    with tarfile.open(tmp_path / "inner.tar") as tar:
        names = tar.getnames()
        assert tar.extractfile("release.dsse.json").read() == sealed  # type: ignore[union-attr]
    assert names == [each.path for each in content.members]
    tar_program = shutil.which("tar")
    if tar_program is not None:
        said = subprocess.run([tar_program, "tf", str(tmp_path / "inner.tar")], capture_output=True, check=True)
        assert said.stdout.decode().split() == names
    assert opened[1].is_dir()


class Folder(FetcherInterface):
    """Fetches from the folder of an opened bundle."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self._folder / url.removeprefix("bundle://")
        if not path.exists():
            raise DownloadHTTPError("missing", 404)
        yield path.read_bytes()


def test_python_tufs_own_client_reads_the_metadata(opened: tuple[Path, Path], tmp_path: Path) -> None:
    moment = datetime.fromtimestamp(NOW / 1e6, UTC)
    with mock.patch("tuf.ngclient._internal.trusted_metadata_set.datetime.datetime") as clock:
        clock.now.return_value = moment
        updater = Updater(
            str(tmp_path), "bundle://metadata/", str(tmp_path), "bundle://", Folder(opened[1]), bootstrap=root()
        )
        updater.refresh()
    found = updater.get_targetinfo("release.dsse.json")
    assert found is not None
    release = Path(updater.download_target(found)).read_bytes()
    assert release == (opened[1] / "release.dsse.json").read_bytes()


def test_openssl_and_another_ml_dsa_agree_with_the_signatures(opened: tuple[Path, Path], tmp_path: Path) -> None:
    facts = seen(opened[0])
    assert facts.outside is not None
    inside = facts.facts.inside
    assert inside is not None
    (name, value) = inside.envelope.signatures[0]
    signer = next(each for each in facts.outside.signatures if each.key == name)
    said = b"casemate bundle signer v1\n" + facts.outside.raw
    for public, data, signature in (
        (signer.public, said, signer.value),
        (signer.public, pae(inside.envelope.payload), value),
    ):
        assert ML_DSA_87.verify(public[32:], data, signature[64:])
        assert not ML_DSA_87.verify(public[32:], data + b"x", signature[64:])
        assert openssl(tmp_path, public[:32], data, signature[:64])
        assert not openssl(tmp_path, public[:32], data + b"x", signature[:64])


def openssl(folder: Path, public: bytes, data: bytes, signature: bytes) -> bool:
    program = shutil.which("openssl")
    assert program is not None
    text = base64.b64encode(DER + public).decode()
    (folder / "key").write_text(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    (folder / "data").write_bytes(data)
    (folder / "sig").write_bytes(signature)
    files = ["-inkey", str(folder / "key"), "-in", str(folder / "data"), "-sigfile", str(folder / "sig")]
    return subprocess.run([program, "pkeyutl", "-verify", "-pubin", "-rawin", *files], check=False).returncode == 0
