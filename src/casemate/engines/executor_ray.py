"""Attempts on Ray clusters, by their Jobs REST interface: a cluster for each label domain, since Ray keeps none apart.

    submit   GET by token -> POST /api/jobs/ with submission_id = token -> token
    poll     GET /api/jobs/, once for all

A job runs as the cluster's own user, and the shim is its entry point. Ray's default token authentication is used: the
key is read from a file at each request. What must never happen: an order sent to another label's cluster, a key in an
error, a status that is not known told as an end.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import msgspec

from casemate.access import Ceiling
from casemate.engines.http_exchange import Broken
from casemate.engines.remote import Remote, Upstream, judged
from casemate.errors import EngineFailed, Misconfigured
from casemate.jobs.executor import Capabilities, Order, Polled

__all__ = ["RayExecutor"]

_MOST = 32 << 20  # bytes of a list of jobs
T = TypeVar("T")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_JSON = b"application/json"
_WAIT = 15  # seconds beyond a job's grace before Ray kills the shim
_STATES: dict[str, Literal["waiting", "running", "ended"]] = {
    "PENDING": "waiting",
    "RUNNING": "running",
    "STOPPED": "ended",
    "SUCCEEDED": "ended",
    "FAILED": "ended",
}


class _Found(msgspec.Struct, frozen=True):
    """What is read of a job; other fields are left unread."""

    type: str = ""
    submission_id: str | None = None
    status: str = ""
    driver_node_id: str | None = None
    metadata: dict[str, str] | None = None


class RayExecutor:
    """Implements `jobs.executor.Executor`. `clusters` by domain: an address (`http://host:8265`) and its key file.

    `shim`: the command that runs a folder, as the clusters' nodes see it; the folder is added. `levels`: what it
    reaches there. `seconds`: how long a request may take.
    """

    def __init__(
        self,
        name: str,
        ceiling: Ceiling,
        clusters: Mapping[str, Upstream],
        shim: Sequence[str],
        *,
        levels: tuple[str, ...] = ("L1", "L2"),
        seconds: float = 30.0,
    ) -> None:
        """Raises Misconfigured where an address is none, or is that of two domains."""
        self._name, self._ceiling, self._levels, self._seconds = name, ceiling, levels, seconds
        self._shim = tuple(shim)
        if len({upstream.url.rstrip("/") for upstream in clusters.values()}) < len(clusters):
            raise Misconfigured(setting=f"jobs.engines.{name}.labels", why="each label has a cluster of its own")
        self._clusters = {domain: Remote(upstream) for domain, upstream in clusters.items()}

    @property
    def name(self) -> str:
        return self._name

    @property
    def ceiling(self) -> Ceiling:
        return self._ceiling

    async def capabilities(self) -> Capabilities:
        """`facts`: the version of each cluster's Ray. Raises EngineFailed where one does not answer."""
        versions = set()
        for domain in self._clusters:
            status, body = await self._ask(domain, "GET", "/api/version")
            if status != 200:
                raise self._odd(status)
            versions.add(self._read(body, dict[str, str]).get("ray_version", ""))
        facts = {"version": ", ".join(sorted(versions)), "apart": "cluster"}
        return Capabilities(nodes=len(self._clusters), levels=self._levels, services=True, facts=facts)

    async def submit(self, order: Order) -> str:
        """Ray takes an id once: where it knows the token already, that is the job. Raises EngineFailed."""
        if not _TOKEN.fullmatch(order.token):
            raise EngineFailed(cause="rejected", engine=self._name, why="the order has no proper token")
        wants = order.resources
        if wants.nodes > 1:
            why = "a job on Ray runs on one node: for several use Slurm"
            raise EngineFailed(cause="rejected", engine=self._name, why=why)
        if await self.find(order.domain, order.token):
            return order.token
        asked = {
            "submission_id": order.token,
            # Ray gives it to a shell, which the shim takes the place of.
            "entrypoint": f"exec {shlex.join([*self._shim, order.folder])}",
            "metadata": {"casemate": order.domain, "attempt": str(order.attempt)},
            "runtime_env": {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(int(order.grace_s) + _WAIT)}},
            "entrypoint_num_cpus": wants.cpus * wants.tasks,
            "entrypoint_num_gpus": wants.gpus,
            "entrypoint_memory": wants.memory_mb << 20,
            **({"entrypoint_resources": {f"accelerator_type:{wants.gpu_type}": 0.001}} if wants.gpu_type else {}),
        }
        status, _ = await self._ask(order.domain, "POST", "/api/jobs/", msgspec.json.encode(asked))
        if status == 200 or await self.find(order.domain, order.token):  # two at once: one of them was refused
            return order.token
        raise self._odd(status)

    async def find(self, domain: str, token: str) -> Sequence[str]:
        """The token itself, where the cluster knows it and it was submitted for that domain."""
        if not _TOKEN.fullmatch(token):
            return []
        status, body = await self._ask(domain, "GET", f"/api/jobs/{token}")
        if status == 404:
            return []
        if status != 200:
            raise self._odd(status)
        return [token] if self._ours(domain, self._read(body, _Found)) == token else []

    async def poll(self, domain: str, natives: Sequence[str]) -> Mapping[str, Polled]:
        """One list. Raises EngineFailed where it does not answer: then nothing is gone."""
        if not natives:
            return {}
        status, body = await self._ask(domain, "GET", "/api/jobs/")
        if status != 200:
            raise self._odd(status)
        known = {self._ours(domain, job): job for job in self._read(body, list[_Found])}
        return {one: _polled(known[one], one) if one in known else Polled("gone", token=one) for one in natives}

    async def cancel(self, domain: str, native: str, grace_s: float) -> None:
        """SIGTERM to the shim and to what it runs; SIGKILL after the grace of its order. Raises EngineFailed."""
        del grace_s  # Ray takes it from the order, when it is submitted
        if not await self.find(domain, native):
            return
        status, _ = await self._ask(domain, "POST", f"/api/jobs/{native}/stop")
        if status not in (200, 404):
            raise self._odd(status)

    async def close(self) -> None:
        """End the connections; jobs are the clusters' own."""
        for cluster in self._clusters.values():
            cluster.pool.close()

    # ---- what the six stand on --------------------------------------------------------------------------------------

    async def _ask(self, domain: str, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body; the body is empty where the status is not 200: it belongs to the other side."""
        cluster = self._clusters.get(domain)
        if cluster is None:
            why = "it runs no jobs of this label: give it a cluster of its own in `labels`"
            raise EngineFailed(cause="rejected", engine=self._name, why=why)
        target = cluster.target
        lines = [f"{method} {target.path}{path} HTTP/1.1", f"Host: {target.authority}", "Accept: application/json"]
        if body:
            lines.append("Content-Type: application/json")
        if cluster.key is not None:
            lines.append(f"Authorization: Bearer {cluster.key.line()}")
        head = "\r\n".join([*lines, ""]).encode("ascii")
        exchange = None
        try:
            exchange = await cluster.pool.ask(head, body, self._seconds, domain)
            if exchange.status != 200:
                return exchange.status, b""
            judged(exchange, _JSON)
            return 200, await exchange.rest(_MOST)
        except Broken as broken:
            raise EngineFailed(cause=broken.cause, engine=self._name, why=_what_to_do(broken)) from None
        finally:
            if exchange is not None:
                exchange.close()

    def _read(self, body: bytes, type: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=type)
        except msgspec.DecodeError:
            raise EngineFailed(engine=self._name, why="it does not answer as Ray's Jobs interface does") from None

    def _ours(self, domain: str, job: _Found) -> str:
        """The token of a job that was submitted for that domain, else an empty one."""
        marked = (job.metadata or {}).get("casemate")
        return job.submission_id or "" if marked == domain else ""

    def _odd(self, status: int) -> EngineFailed:
        if status in (401, 403):
            why = "the cluster does not take our token: `key_file` holds the one that Ray was started with"
            return EngineFailed(cause="denied", engine=self._name, why=why)
        cause: Literal["rejected", "broken"] = "rejected" if 400 <= status < 500 else "broken"
        why = f"it answered with status {status}: see the dashboard's log on its head node"
        return EngineFailed(cause=cause, engine=self._name, why=why)


def _polled(job: _Found, token: str) -> Polled:
    """A status that is not known here runs: nothing else is started in its place."""
    state = _STATES.get(job.status, "running")
    reason = job.status.lower() if job.status in ("STOPPED", "FAILED") else ""
    return Polled(state, job.driver_node_id or "", reason, token)


def _what_to_do(broken: Broken) -> str:
    return f"{broken}: see whether the cluster's head runs (`ray status`) and `address` is its dashboard's"
