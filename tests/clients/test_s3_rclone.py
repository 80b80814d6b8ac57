"""rclone (Debian's) against the S3 wire: a tree there, compared, back, and gone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Served
from tests.clients.s3 import REGION, client, environment, new_bucket

RCLONE = shutil.which("rclone")
pytestmark = pytest.mark.skipif(RCLONE is None, reason="rclone is not on this machine")


@pytest.fixture
def s3(served: Served) -> Any:
    return client(served)


def rclone(served: Served, folder: Path, *words: str) -> str:
    key = environment(served)
    config = folder / "rclone.conf"
    config.write_text(
        f"[here]\ntype = s3\nprovider = Other\nendpoint = {served.url}\nregion = {REGION}\n"
        f"access_key_id = {key['AWS_ACCESS_KEY_ID']}\nsecret_access_key = {key['AWS_SECRET_ACCESS_KEY']}\n"
    )
    command = [str(RCLONE), "--config", str(config), "--retries", "1", "--low-level-retries", "1", *words]
    done = subprocess.run(
        command,
        env={n: v for n, v in os.environ.items() if not n.startswith("AWS_")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_a_tree_goes_there_and_back(served: Served, s3: Any, tmp_path: Path) -> None:
    bucket = new_bucket(s3)
    (tmp_path / "there" / "sub").mkdir(parents=True)
    files = {"a.txt": b"a", "sub/ü b+c.bin": bytes(range(256)), "empty": b"", "big": os.urandom(11 << 20)}
    for name, data in files.items():
        (tmp_path / "there" / name).write_bytes(data)
    there = str(tmp_path / "there")
    parts = ("--s3-upload-cutoff", "6M", "--s3-chunk-size", "5M")
    rclone(served, tmp_path, "copy", *parts, there, f"here:{bucket}/tree")
    rclone(served, tmp_path, "check", "--download", there, f"here:{bucket}/tree")
    listed = rclone(served, tmp_path, "lsf", "-R", "--files-only", f"here:{bucket}/tree")
    assert sorted(listed.splitlines()) == sorted(files)
    rclone(served, tmp_path, "copy", f"here:{bucket}/tree", str(tmp_path / "back"))
    assert {name: (tmp_path / "back" / name).read_bytes() for name in files} == files
    rclone(served, tmp_path, "moveto", f"here:{bucket}/tree/a.txt", f"here:{bucket}/moved")
    assert rclone(served, tmp_path, "cat", f"here:{bucket}/moved") == "a"
    rclone(served, tmp_path, "purge", f"here:{bucket}")
    assert bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]
