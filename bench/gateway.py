"""What the gateway costs beside LiteLLM's proxy, in one run: `make bench NAME=gateway`.

Both stand before the same stub upstream and are asked the same requests by the same load. The region runs split, with
authentication, label check, quota, usage and the durable ledger on; LiteLLM runs with a master key and no database, in
a virtual environment of the bench's own. CPU time is that of the processes that serve: of the region the data
processes and the writer (with its and their fsync threads), of LiteLLM its one process.
Wall times are told, never judged.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.parts.running import ROOT, answers, cpu_seconds, free_port, load, resident_mb, started, stub, until
from bench.parts.stub import PIECES
from bench.parts.translate import translate_chunk_us

LITELLM = "1.106.2"
TOOLS = [
    {
        "type": "function",
        "function": {"name": f"look_{n}", "description": "Looks.", "parameters": {"type": "object", "properties": {}}},
    }
    for n in range(2)
]
CASEMATE = [str(Path(sys.executable).parent / "casemate")]


@dataclass
class Served:
    """A gateway that runs: where it listens, the key, its model, and the processes whose time counts."""

    port: int
    key: str
    model: str
    pids: dict[str, list[int]]
    ready_s: float

    def body(self, stream: bool) -> dict[str, Any]:
        """A request of about 700 bytes."""
        said = [{"role": "system", "content": "You answer briefly."}, {"role": "user", "content": "Say it. " * 25}]
        more = {"stream": True} if stream else {}
        return {"model": self.model, "messages": said, "tools": TOOLS, "max_tokens": 64} | more

    def cpu(self) -> float:
        """CPU seconds so far of every process that serves."""
        return cpu_seconds(pid for pids in self.pids.values() for pid in pids)

    def ask(self, requests: int, connections: int, stream: bool = False) -> dict[str, Any]:
        """A load, and the CPU time for each of its requests (`cpu_us`)."""
        before = self.cpu()
        seen = load(self.port, "/v1/chat/completions", self.key, self.body(stream), requests, connections)
        time.sleep(0.2)  # what is done after the answers belongs to them
        return seen | {"cpu_us": (self.cpu() - before) / requests * 1e6}


@contextmanager
def region(upstream: int, workers: int = 1) -> Iterator[Served]:
    """A region of its own folder with the stub as its model."""
    with tempfile.TemporaryDirectory() as place:
        env = {**os.environ, "CASEMATE_FOLDER": f"{place}/casemate", "HOME": place}
        port = free_port()
        subprocess.run([*CASEMATE, "init", "--port", str(port)], env=env, cwd=place, check=True, capture_output=True)
        settings = Path(place, "casemate", "casemate.toml")
        text = settings.read_text().replace("[listen]", f'[listen]\nprocesses = "split"\ndata = {workers}')
        text += f'\n[upstreams.stub]\nurl = "http://127.0.0.1:{upstream}/v1"\nmodel = "stub"\n'
        settings.write_text(text)
        began = time.perf_counter()
        with started([*CASEMATE, "up"], env, Path(place, "up.log")) as up:
            until(lambda: answers(port) and children(up.pid).get("data"), 60, "the region")
            until(lambda: health(port), 60, "the region's wires")
            ready = time.perf_counter() - began
            told = subprocess.run(
                [*CASEMATE, "key", "issue", "--json"], env=env, cwd=place, check=True, capture_output=True
            )
            key = json.loads(told.stdout)["data"]["secret"]
            pids = {role: found for role, found in children(up.pid).items() if role in ("data", "writer")}
            yield Served(port, key, "stub", pids, ready)


def health(port: int) -> bool:
    """Whether the wires answer: whoever shows no key is told so."""
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=2)
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return True


def children(parent: int) -> dict[str, list[int]]:
    """The region's processes by role."""
    found: dict[str, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parts = (entry / "cmdline").read_bytes().split(b"\0")
            above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if above == parent and b"casemate.wiring.process" in parts:
            role = parts[parts.index(b"casemate.wiring.process") + 2].decode()
            found.setdefault(role, []).append(int(entry.name))
    return found


@contextmanager
def litellm(upstream: int) -> Iterator[Served]:
    """LiteLLM's proxy with the stub as its model."""
    home = litellm_home()
    with tempfile.TemporaryDirectory() as place:
        config = Path(place, "config.yaml")
        config.write_text(
            "model_list:\n- model_name: stub\n  litellm_params:\n    model: openai/stub\n"
            f"    api_base: http://127.0.0.1:{upstream}/v1\n    api_key: none\n"
            "general_settings:\n  master_key: sk-bench\nlitellm_settings:\n  telemetry: false\n"
        )
        port = free_port()
        env = {**os.environ, "HOME": place, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        command = [str(home / "bin/litellm"), "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
        began = time.perf_counter()
        with started(command, env, Path(place, "log")) as process:
            until(lambda: answers(port), 180, "LiteLLM")
            yield Served(port, "sk-bench", "stub", {"proxy": [process.pid]}, time.perf_counter() - began)


def litellm_home() -> Path:
    """The peer's own virtual environment, made at the first run. CASEMATE_BENCH_LITELLM names one that is there."""
    home = Path(os.environ.get("CASEMATE_BENCH_LITELLM", ROOT / ".bench" / f"litellm-{LITELLM}"))
    if not (home / "bin/litellm").exists():
        print(f"Setting up LiteLLM {LITELLM} in {home}, once: some minutes.", file=sys.stderr)
        venv.create(home, with_pip=True)
        pip = [str(home / "bin/pip"), "install", "-q", "--disable-pip-version-check", f"litellm[proxy]=={LITELLM}"]
        subprocess.run(pip, check=True)
    return home


def fdatasync_p99(rounds: int = 400) -> float:
    """Seconds: the 99th percentile of a bare fdatasync of one more kilobyte, where the region's folder would be."""
    times = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(rounds):
            os.write(file.fileno(), b"x" * 1024)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[int(rounds * 0.99)]


def alone(port: int, stream: bool, requests: int, connections: int) -> dict[str, Any]:
    """The stub without anything before it."""
    body = Served(port, "none", "stub", {}, 0).body(stream)
    return load(port, "/v1/chat/completions", "none", body, requests, connections)


def best(rounds: int, deed: Any) -> dict[str, Any]:
    """The round with the median CPU time."""
    seen = sorted((deed() for _ in range(rounds)), key=lambda s: s["cpu_us"])
    return seen[len(seen) // 2]


def measure(requests: int, rounds: int) -> dict[str, Any]:
    """Everything, as the one JSON object."""
    figures: dict[str, Any] = {"translate_chunk_us": translate_chunk_us()}
    chunks = len(PIECES)
    with stub() as upstream:
        with region(upstream) as ours:
            ours.ask(500, 16)
            json_ours = best(rounds, lambda: ours.ask(requests, 16))
            stream_ours = best(rounds, lambda: ours.ask(requests // 4, 16, stream=True))
            fsync = fdatasync_p99()
            direct, through = alone(upstream, False, 2000, 1), ours.ask(2000, 1)
            figures |= {"rss_mb": max(map(resident_mb, ours.pids["data"])), "ready_s": ours.ready_s}
        with region(upstream, workers=2) as two:
            two.ask(500, 16)
            json_two = best(rounds, lambda: two.ask(requests, 32))
        with litellm(upstream) as peer:
            peer.ask(60, 4)
            json_peer = peer.ask(max(60, requests // 40), 16)
            stream_peer = peer.ask(max(40, requests // 100), 16, stream=True)
            peer_rss = resident_mb(peer.pids["proxy"][0])
    with stub(50) as upstream:
        bare = statistics.median(alone(upstream, True, 16, 16)["seconds"] for _ in range(rounds))
        with region(upstream) as ours:
            ours.ask(16, 16, stream=True)
            led = statistics.median(ours.ask(16, 16, stream=True)["seconds"] for _ in range(rounds))
    added = max(through["p99"] - direct["p50"], 0.0)
    figures |= {
        "json_cpu_us": json_ours["cpu_us"],
        "chunk_cpu_us": (stream_ours["cpu_us"] - json_ours["cpu_us"]) / chunks,
        "stream_cpu_us": stream_ours["cpu_us"],
        "litellm_json_cpu_us": json_peer["cpu_us"],
        "litellm_stream_cpu_us": stream_peer["cpu_us"],
        "litellm_rss_mb": peer_rss,
        "fdatasync_p99_ms": fsync * 1e3,
        "p99_added_ms": added * 1e3,
        "requests_per_s_1_worker": json_ours["requests"] / json_ours["seconds"],
        "requests_per_s_2_workers": json_two["requests"] / json_two["seconds"],
        "json_cpu_us_2_workers": json_two["cpu_us"],
    }
    ratios = {
        "litellm_vs_ours_json": json_peer["cpu_us"] / json_ours["cpu_us"],
        "litellm_vs_ours_stream": stream_peer["cpu_us"] / stream_ours["cpu_us"],
        "engine_stream": bare / led,
        "p99_added_vs_fsync": added / (0.003 + 2 * fsync),
    }
    return {
        "bench": "gateway",
        "ratios": rounded(ratios),
        "figures": rounded(figures),
        "against": f"LiteLLM proxy {LITELLM}, master key, no database",
        "versions": {"casemate": version("casemate"), "litellm": LITELLM, "python": sys.version.split()[0]},
    }


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--requests", type=int, default=4000)
    asked.add_argument("--rounds", type=int, default=3)
    chosen = asked.parse_args()
    print(json.dumps(measure(chosen.requests, chosen.rounds)))
