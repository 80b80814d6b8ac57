"""Real Ray heads for tests, from a virtual environment of their own, since nothing of Casemate imports Ray."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.engines.slurm_server import absent, free_ports

CPUS = 2
PROGRAM = Path(os.environ.get("CASEMATE_TEST_RAY", Path(__file__).parents[2] / ".venv/ray")) / "bin" / "ray"


@dataclass
class Head:
    """A head with its dashboard on loopback; `url` is its Jobs interface, `key_file` holds its token."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key_file(self) -> Path:
        return self.folder / "token"

    def answers(self) -> bool:
        asked = urllib.request.Request(
            f"{self.url}/api/jobs/", headers={"Authorization": f"Bearer {self.key_file.read_text()}"}
        )
        with contextlib.suppress(OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.status == 200
        return False

    def stop(self) -> None:
        """At once: asked to end it takes ten seconds."""
        self.process.kill()
        self.process.wait()
        for at in Path("/proc").iterdir():  # each is a session of its own, and names its folder
            if at.name.isdigit():
                with contextlib.suppress(OSError):
                    if str(self.folder).encode() in (at / "cmdline").read_bytes() + (at / "environ").read_bytes():
                        os.kill(int(at.name), signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def started(cpus: int) -> Head:
    """A head that has begun to start."""
    folder = Path(tempfile.mkdtemp(prefix="cm-ray-"))
    folder.chmod(0o755)
    (folder / "token").write_text(secrets.token_hex(32))
    (folder / "token").chmod(0o600)
    gcs, dashboard, agent, http, metrics, clients = free_ports(6)
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(folder / "token"),
        "RAY_USAGE_STATS_ENABLED": "0",
        "CASEMATE_TEST_FOLDER": str(folder),
    }
    words = [
        "start", "--head", "--block", "--disable-usage-stats", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}/t",
        "--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}", f"--dashboard-agent-grpc-port={agent}",
        f"--dashboard-agent-listen-port={http}", f"--metrics-export-port={metrics}", f"--port={gcs}",
        f"--ray-client-server-port={clients}", f"--num-cpus={cpus}", "--object-store-memory=80000000",
    ]  # fmt: skip
    process = subprocess.Popen(
        [str(PROGRAM), *words],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=(folder / "log").open("ab"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_ask_to_end,  # noqa: PLW1509 - one call of libc, before any thread could matter
    )
    head = Head(folder, dashboard, process)
    atexit.register(head.stop)
    return head


def _ask_to_end() -> None:
    """SIGTERM where whoever started it is gone: PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@functools.cache
def shared() -> tuple[Head, Head]:
    """Two, one for each of two label domains; for all tests of this process."""
    if not PROGRAM.exists():
        absent("no Ray here: make test-tools")
    heads = (started(CPUS), started(1))
    ends = time.monotonic() + 120
    for head in heads:
        while not head.answers():
            assert head.process.poll() is None, (head.folder / "log").read_text()[-2000:]
            assert time.monotonic() < ends, (head.folder / "log").read_text()[-2000:]
            time.sleep(0.1)
    return heads
