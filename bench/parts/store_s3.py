"""What a PUT over S3 costs beside moto's server: CPU time of the processes that serve, in one run.

Both are asked by the same boto3 client in the same way, one object after the other, so that the client's time is
nobody's. The region runs split, with signatures, labels, quota, sealing and the durable ledger on; its time is that of
the data process and the writer, with all their threads. moto keeps objects in memory and records nothing. Ratios are
moto's time over ours. `s3_figures` is called by `bench/store.py`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.parts.running import answers, free_port, started, until

__all__ = ["s3_figures"]

SIZES = {"64k": (64 << 10, 100), "8m": (8 << 20, 8)}  # bytes, and how many of them in a round
ROUNDS = 3
CASEMATE = [str(Path(sys.executable).parent / "casemate")]


def s3_figures() -> dict[str, float]:
    """CPU milliseconds of a PUT by size, ours and moto's, and `s3_put_vs_moto`: the lower of the two ratios."""
    told: dict[str, float] = {}
    with _region() as ours, _moto() as theirs:
        for name, (size, times) in SIZES.items():
            both = [(_cpu(ours, size, times), _cpu(theirs, size, times)) for _ in range(ROUNDS + 1)]
            mine, other = (
                statistics.median(column) for column in zip(*both[1:], strict=True)
            )  # the first warms them up
            told |= {f"s3_put_{name}_cpu_ms": round(mine, 3), f"moto_put_{name}_cpu_ms": round(other, 3)}
            told[f"s3_put_{name}_vs_moto"] = round(other / mine, 3)
    return {"s3_put_vs_moto": min(told[f"s3_put_{name}_vs_moto"] for name in SIZES), **told}


def _cpu(served: tuple[Any, list[int]], size: int, times: int) -> float:
    """CPU milliseconds for each of so many objects of random bytes."""
    client, pids = served
    bodies = [os.urandom(size) for _ in range(times)]
    before = _used(pids)
    for number, body in enumerate(bodies):
        client.put_object(Bucket="bench", Key=f"{size}/{number}", Body=body)
    time.sleep(0.2)  # what is done after the answers belongs to them
    return (_used(pids) - before) / times * 1e3


def _used(pids: list[int]) -> float:
    """CPU seconds of these processes so far, with threads that have ended: moto has one for each connection."""
    found = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in found) / os.sysconf("SC_CLK_TCK")


def _client(port: int, id: str, secret: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id=id,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, proxies={}),
    )


@contextmanager
def _region() -> Iterator[tuple[Any, list[int]]]:
    """A region of its own folder with a bucket, and the processes that serve it."""
    from bench.gateway import children, health

    with tempfile.TemporaryDirectory() as place:
        env = {**os.environ, "CASEMATE_FOLDER": f"{place}/casemate", "HOME": place}
        port = free_port()
        subprocess.run([*CASEMATE, "init", "--port", str(port)], env=env, cwd=place, check=True, capture_output=True)
        settings = Path(place, "casemate", "casemate.toml")
        settings.write_text(settings.read_text().replace("[listen]", '[listen]\nprocesses = "split"\ndata = 1'))
        with started([*CASEMATE, "up"], env, Path(place, "up.log")) as up:
            until(lambda: answers(port) and children(up.pid).get("data"), 60, "the region")
            until(lambda: health(port), 60, "the region's wires")
            issue = [*CASEMATE, "key", "issue", "--for", "boto3", "--json"]
            told = subprocess.run(issue, env=env, cwd=place, check=True, capture_output=True)
            data = json.loads(told.stdout)["data"]
            client = _client(port, data["key"]["id"], data["secret"])
            client.create_bucket(Bucket="bench")
            pids = [pid for role in ("data", "writer") for pid in children(up.pid).get(role, [])]
            yield client, pids


@contextmanager
def _moto() -> Iterator[tuple[Any, list[int]]]:
    """moto's server with a bucket, and its process."""
    port = free_port()
    with started([sys.executable, "-m", "moto.server", "-p", str(port)]) as process:
        until(lambda: answers(port), 60, "moto")
        client = _client(port, "any", "any")
        client.create_bucket(Bucket="bench")
        yield client, [process.pid]


if __name__ == "__main__":
    print(json.dumps(s3_figures(), indent=1))
