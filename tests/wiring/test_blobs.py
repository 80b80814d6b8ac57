"""A region's blobs lie where its settings say, and a region whose settings cannot be does not start."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from casemate.engines.files import FileBlobs
from casemate.engines.key_store import KeyStore
from casemate.errors import Misconfigured
from casemate.settings import BlobSettings
from casemate.wiring import Folder
from casemate.wiring.blobs import blobs_of
from tests.engines.s3_server import BUCKET, serving


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "region")
    made.keys.mkdir(parents=True)
    (made.keys / "s3.key").write_text("aws_access_key_id = AKIDTEST\naws_secret_access_key = wJalrXUtnFEMI-test\n")
    (made.keys / "s3.key").chmod(0o600)
    return made


def told(port: int = 1, **changed: str) -> BlobSettings:
    return BlobSettings(
        **{"kind": "s3", "bucket": BUCKET, "endpoint": f"http://127.0.0.1:{port}", "key_file": "s3.key"} | changed  # type: ignore[arg-type]
    )


def test_files_unless_somebody_says_otherwise(folder: Folder) -> None:
    assert isinstance(blobs_of(folder, BlobSettings(), KeyStore(folder.keys)), FileBlobs)
    assert folder.blobs.is_dir()


@pytest.mark.parametrize("cache", ["", "cache"])
def test_a_bucket_with_copies_in_the_regions_folder_or_none(folder: Folder, cache: str) -> None:
    with serving() as server:
        blobs = blobs_of(folder, told(server.port, cache=cache), KeyStore(folder.keys))
        name = asyncio.run(blobs.write("class_a", b"content"))
        assert asyncio.run(blobs.read("class_a", name)) == b"content"
    assert (folder.path / "cache").exists() is bool(cache)
    assert not folder.blobs.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ca_file": "none.pem"}, "blobs.ca_file"),
        ({"key_file": "none.key"}, "blobs.key_file"),
        ({"key_file": "", "key_env": "NO_SUCH_VARIABLE"}, "blobs.key_env"),
    ],
)
def test_what_cannot_be_is_told_at_the_start(folder: Folder, changed: dict[str, str], said: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        blobs_of(folder, told(**changed), KeyStore(folder.keys))
    assert raised.value.facts["setting"] == said


def test_a_certificate_authority_of_ones_own_is_read(folder: Folder) -> None:
    (folder.keys / "ca.pem").write_text("")
    blobs_of(folder, told(ca_file="ca.pem", cache=""), KeyStore(folder.keys))


def test_without_the_extra_the_region_says_what_it_lacks(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("casemate.engines.s3_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    with pytest.raises(Misconfigured, match="obstore"):
        blobs_of(folder, told(), KeyStore(folder.keys))
