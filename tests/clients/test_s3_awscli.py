"""`aws s3`: the command line as a process of its own, against a real socket."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Served
from tests.clients.s3 import client, environment, new_bucket
from tests.doors.wired import SECRET

pytestmark = pytest.mark.skipif(importlib.util.find_spec("awscli") is None, reason="awscli is not installed here")


@pytest.fixture
def s3(served: Served) -> Any:
    return client(served)


def aws(served: Served, *words: str, fails: bool = False) -> str:
    command = [sys.executable, "-m", "awscli", "--endpoint-url", served.url, "s3", *words]
    told = {**os.environ, **environment(served)}
    done = subprocess.run(command, env=told, capture_output=True, timeout=120, check=False)
    assert (done.returncode != 0) == fails, done.stderr.decode()
    return (done.stderr if fails else done.stdout).decode()


def test_a_tree_goes_there_and_back(served: Served, s3: Any, tmp_path: Path) -> None:
    """sync, ls, cp of a file in parts, sync back, rm."""
    bucket = new_bucket(s3)
    (tmp_path / "there" / "sub").mkdir(parents=True)
    big = os.urandom(9 << 20)
    files = {"a.txt": b"a", "sub/ü b+c.bin": bytes(range(256)), "sub/empty": b"", "big": big}
    for name, data in files.items():
        (tmp_path / "there" / name).write_bytes(data)
    served.region.clock.forward(30)  # what is kept is newer than the files, as on a clock that goes
    aws(served, "sync", str(tmp_path / "there"), f"s3://{bucket}/tree")
    listed = aws(served, "ls", "--recursive", f"s3://{bucket}/tree")
    assert sorted(line.split(maxsplit=3)[3] for line in listed.splitlines()) == sorted(f"tree/{name}" for name in files)
    assert aws(served, "sync", str(tmp_path / "there"), f"s3://{bucket}/tree") == ""
    aws(served, "sync", f"s3://{bucket}/tree", str(tmp_path / "back"))
    assert {name: (tmp_path / "back" / name).read_bytes() for name in files} == files
    aws(served, "rm", "--recursive", f"s3://{bucket}/tree")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_links_labels_and_errors(served: Served, s3: Any, tmp_path: Path) -> None:
    bucket = new_bucket(s3)
    (tmp_path / "file").write_bytes(b"linked")
    aws(served, "cp", str(tmp_path / "file"), f"s3://{bucket}/k")
    link = aws(served, "presign", f"s3://{bucket}/k", "--expires-in", "60").strip()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(link, timeout=20) as response:
        assert response.read() == b"linked"
    refused = aws(
        served, "cp", str(tmp_path / "file"), f"s3://{bucket}/k", "--metadata", f"casemate-label={SECRET}", fails=True
    )
    assert "AccessDenied" in refused
    assert "NoSuchBucket" in aws(served, "ls", "s3://never-made", fails=True)
