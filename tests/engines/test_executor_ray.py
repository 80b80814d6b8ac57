"""What Ray's Jobs interface is told, and what is believed of its answers, against a server that stands where it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from casemate.engines.executor_ray import RayExecutor
from casemate.engines.remote import Upstream
from casemate.errors import EngineFailed, Misconfigured
from casemate.jobs.executor import Order, Polled
from casemate.jobs.job import Resources
from tests.contracts.executor_rigs import ceiling

MINE, OTHER = "a" * 32, "b" * 32
LOW, HIGH = "class_low", "class_high"


@dataclass
class Fake:
    """`answers`: by method and path, status and what is sent as JSON; `asked`: what came, with its headers."""

    port: int = 0
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def knows(self, *jobs: dict[str, Any]) -> None:
        self.answers["GET /api/jobs/"] = (200, list(jobs))
        for one in jobs:
            self.answers[f"GET /api/jobs/{one['submission_id']}"] = (200, one)


@pytest.fixture
def fake() -> Iterator[Fake]:
    found = Fake()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            line = f"{self.command} {self.path}"
            found.asked.append((line, dict(self.headers), json.loads(body) if body else None))
            status, told = found.answers.get(line, (404, "absent"))
            data = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def engine(fake: Fake, **more: Any) -> RayExecutor:
    return RayExecutor("rays", ceiling(), {LOW: Upstream(fake.url, "rays", **more)}, ("/opt/py", "/the shim.py"))


def job(token: str = MINE, status: str = "RUNNING", domain: str = LOW) -> dict[str, Any]:
    told = {"type": "SUBMISSION", "submission_id": token, "status": status, "driver_node_id": "node_1"}
    return {**told, "metadata": {"casemate": domain}, "entrypoint": "x", "runtime_env": {}}


def order(token: str = MINE, domain: str = LOW, **wants: Any) -> Order:
    return Order(token, 2, domain, "/shared/a job", ("true",), {}, Resources(**wants), grace_s=4.0)


async def test_what_ray_is_told(fake: Fake, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cr3t-token\n")
    fake.answers["POST /api/jobs/"] = (200, {"submission_id": MINE})
    ray = engine(fake, key_file=tmp_path / "key")
    assert await ray.submit(order(cpus=2, memory_mb=3, gpus=1, gpu_type="A100")) == MINE
    (looked, _, _), (sent, headers, body) = fake.asked
    assert (looked, sent) == (f"GET /api/jobs/{MINE}", "POST /api/jobs/")
    assert headers["Authorization"] == "Bearer s3cr3t-token"
    assert body == {
        "submission_id": MINE,
        "entrypoint": "exec /opt/py '/the shim.py' '/shared/a job'",
        "metadata": {"casemate": LOW, "attempt": "2"},
        "runtime_env": {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": "19"}},
        "entrypoint_num_cpus": 2,
        "entrypoint_num_gpus": 1,
        "entrypoint_memory": 3 << 20,
        "entrypoint_resources": {"accelerator_type:A100": 0.001},
    }
    await ray.close()


async def test_what_it_knows_is_adopted(fake: Fake) -> None:
    fake.knows(job(status="SUCCEEDED"))
    ray = engine(fake)
    assert await ray.submit(order()) == MINE
    assert [line for line, _, _ in fake.asked] == [f"GET /api/jobs/{MINE}"]
    await ray.close()


async def test_states(fake: Fake) -> None:
    statuses = ("PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED", "OF_2031")
    tokens = [f"{number:032x}" for number in range(len(statuses))]
    fake.knows(*(job(token, status) for token, status in zip(tokens, statuses, strict=True)))
    ray = engine(fake)
    told = await ray.poll(LOW, [*tokens, MINE])
    assert [told[token].state for token in tokens] == ["waiting", "running", "ended", "ended", "ended", "running"]
    assert [told[token].reason for token in tokens] == ["", "", "", "failed", "stopped", ""]
    assert told[MINE] == Polled("gone", token=MINE)
    assert await ray.poll(LOW, []) == {}
    assert len(fake.asked) == 1
    await ray.close()


async def test_a_job_of_another_domain_is_not_there(fake: Fake) -> None:
    fake.knows(job(domain=HIGH), {**job(OTHER), "metadata": None})
    ray = engine(fake)
    assert await ray.find(LOW, MINE) == []
    assert {one.state for one in (await ray.poll(LOW, [MINE, OTHER])).values()} == {"gone"}
    await ray.cancel(LOW, MINE, 1.0)
    assert not [line for line, _, _ in fake.asked if line.startswith("POST")]
    with pytest.raises(EngineFailed, match="no jobs of this label"):
        await ray.find(HIGH, MINE)
    await ray.close()


def test_two_labels_never_have_one_cluster() -> None:
    here = "http://127.0.0.1:8265"
    with pytest.raises(Misconfigured, match="cluster of its own"):
        RayExecutor("rays", ceiling(), {LOW: Upstream(here), HIGH: Upstream(f"{here}/")}, ("x",))


async def test_who_comes_second_is_told_the_same(fake: Fake) -> None:
    """Between our look and our order another process of the region had its own accepted."""
    fake.answers["POST /api/jobs/"] = (500, "already exists")
    ray = engine(fake)
    with pytest.raises(EngineFailed) as failed:
        await ray.submit(order())
    assert failed.value.cause == "broken"
    asked = len(fake.asked)
    looks = iter([404, 200])
    plain = fake.answers

    class Second(dict[str, tuple[int, Any]]):
        def get(self, line: str, default: Any = None) -> Any:
            return (next(looks), job()) if line == f"GET /api/jobs/{MINE}" else plain.get(line, default)

    fake.answers = Second()
    assert await ray.submit(order()) == MINE
    assert len(fake.asked) == asked + 3
    await ray.close()


async def test_cancel_stops_what_it_knows(fake: Fake) -> None:
    fake.knows(job())
    stop = f"POST /api/jobs/{MINE}/stop"
    fake.answers[stop] = (200, {"stopped": True})
    ray = engine(fake)
    await ray.cancel(LOW, MINE, 1.0)
    assert fake.asked[-1][0] == stop
    fake.answers[stop] = (500, "")
    with pytest.raises(EngineFailed):
        await ray.cancel(LOW, MINE, 1.0)
    await ray.close()


@pytest.mark.parametrize(("status", "cause"), [(401, "denied"), (403, "denied"), (400, "rejected"), (500, "broken")])
async def test_a_failure_says_what_to_do(fake: Fake, tmp_path: Path, status: int, cause: str) -> None:
    (tmp_path / "key").write_text("s3cr3t-token")
    told = (status, "Traceback: secret-place")
    fake.answers = {"GET /api/jobs/": told, f"GET /api/jobs/{MINE}": told, "GET /api/version": told}
    ray = engine(fake, key_file=tmp_path / "key")
    for asked in (ray.find(LOW, MINE), ray.poll(LOW, [MINE]), ray.capabilities()):
        with pytest.raises(EngineFailed) as failed:
            await asked
        assert failed.value.cause == cause
        assert ":" in str(failed.value.facts["why"])
        assert "secret" not in str(failed.value)
        assert "s3cr3t" not in str(failed.value)
    await ray.close()


async def test_nonsense_and_silence(fake: Fake) -> None:
    ray = engine(fake)
    for body in (b"<html>", b"[1]", b'{"a": 1}'):
        fake.answers["GET /api/jobs/"] = (200, body)
        with pytest.raises(EngineFailed, match="does not answer as Ray"):
            await ray.poll(LOW, [MINE])
    await ray.close()
    nobody = RayExecutor("rays", ceiling(), {LOW: Upstream("http://127.0.0.1:1")}, ("x",))
    with pytest.raises(EngineFailed, match="ray status") as down:
        await nobody.find(LOW, MINE)
    assert down.value.cause == "down"
    await nobody.close()


async def test_what_ray_is_not_made_for(fake: Fake) -> None:
    ray = engine(fake)
    for refused in (order("../x"), order(nodes=2)):
        with pytest.raises(EngineFailed) as failed:
            await ray.submit(refused)
        assert failed.value.cause == "rejected"
    assert fake.asked == []
    assert await ray.find(LOW, "../version") == []
    await ray.close()


async def test_it_tells_its_version(fake: Fake) -> None:
    fake.answers["GET /api/version"] = (200, {"version": "4", "ray_version": "2.60.0"})
    ray = engine(fake)
    can = await ray.capabilities()
    assert can.facts == {"version": "2.60.0", "apart": "cluster"}
    assert (ray.name, ray.ceiling.name, can.services, can.mpi) == ("rays", "tests", True, False)
    await ray.close()
