"""A real PostgreSQL for tests: made in a folder for temporary files, reached over a local socket, gone at the end."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from casemate.engines.postgres_link import Link, Lost, Target

BINARIES = Path("/usr/lib/postgresql/15/bin")
ADMIN, OWNER, READER = "keeper", "casemate", "casemate_reader"
SETTINGS = ("listen_addresses=", "shared_buffers=16MB", "max_connections=60", "autovacuum_naptime=5min")


@dataclass
class Server:
    """A cluster in a folder, run as a user who is not root. `start` and `kill` may be called again and again."""

    folder: Path
    user: str | None
    settings: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None
    free: list[Target] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def make(self) -> None:
        self._run("initdb", "-k", "-N", "--auth=trust", "--no-locale", "-E", "UTF8", "-U", ADMIN, "-D", "data")

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(BINARIES / program), *words], cwd=self.folder, user=self.user, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Run it, and wait until it answers."""
        told = [word for setting in (*SETTINGS, *self.settings) for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(BINARIES / "postgres"), "-D", "data", "-k", str(self.folder), *told],
                cwd=self.folder,
                user=self.user,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_us,  # noqa: PLW1509 - one call of libc, before any thread could matter
            )
        until = time.monotonic() + 60
        while True:
            try:
                Link(self.target("postgres", user=ADMIN), ADMIN, "").close()
            except Lost:
                assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
                assert time.monotonic() < until
                time.sleep(0.02)
            else:
                return

    def children(self) -> list[int]:
        """The postmaster and every process that it has started."""
        assert self.process is not None
        told = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, told)]

    def kill(self) -> None:
        """Postmaster and children at once, as a machine that goes would end them."""
        assert self.process is not None
        for process in self.children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()

    def target(self, dbname: str, user: str = OWNER, seconds: float = 5.0) -> Target:
        return Target(str(self.folder), 5432, dbname, user, READER, seconds=seconds)

    def run(self, sql: str, dbname: str = "postgres") -> list[tuple[str, ...]]:
        """As the server's own administrator."""
        link = Link(self.target(dbname, user=ADMIN), ADMIN, "")
        try:
            return link.run(sql)
        finally:
            link.close()

    def database(self) -> Target:
        """A fresh database of a region."""
        name = f"region_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} OWNER {OWNER}")
        return self.target(name)

    @contextlib.contextmanager
    def lent(self) -> Iterator[Target]:
        """An empty database, used again by whoever comes next."""
        target = self.free.pop() if self.free else self.database()
        yield target
        names = "classes, places, rows, blinds, parents, logs, entries, contents, keys, marks, tides, uses"
        listed = ", ".join(f"casemate.{name}" for name in names.split(", "))
        fresh = (
            "UPDATE casemate.meta SET value = '0' WHERE name = 'epoch'; DELETE FROM casemate.meta WHERE name = 'moving'"
        )
        self.run(f"TRUNCATE {listed}; {fresh}", target.dbname)
        self.free.append(target)

    def drop(self, target: Target) -> None:
        self.run(f"DROP DATABASE {target.dbname} WITH (FORCE)")


def _end_with_us() -> None:
    """A server whose test was killed stops at once (prctl PR_SET_PDEATHSIG, kept across exec)."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _sweep() -> None:
    """Folders that killed tests left."""
    for folder in Path(tempfile.gettempdir()).glob("casemate-pg-*"):
        with contextlib.suppress(OSError, ValueError):
            if not Path(f"/proc/{int((folder / 'owner').read_text())}").exists():
                shutil.rmtree(folder, ignore_errors=True)


def missing() -> str:
    """Why there can be no server here, or ""."""
    if not (BINARIES / "initdb").exists():
        return f"PostgreSQL 15 is not in {BINARIES}"
    return "" if os.getuid() or _nobody() else "no user but root to run PostgreSQL as"


def _nobody() -> str | None:
    """Whom a server runs as where we are root: PostgreSQL refuses root."""
    names = {each.pw_name for each in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


def made(settings: Sequence[str] = ()) -> Server:
    """A cluster of one's own, with the two roles, not started yet; the caller removes its folder. Skips without one."""
    why = missing()
    if why:
        pytest.skip(why)
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix="casemate-pg-"))
    (folder / "owner").write_text(str(os.getpid()))
    user = None if os.getuid() else _nobody()
    if user is not None:
        shutil.chown(folder, user)
    server = Server(folder, user, settings)
    server.make()
    server.start()
    server.run(f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE {READER} LOGIN")
    return server


@functools.cache
def shared() -> Server:
    """The one server of this process of the suite."""
    server = made()
    atexit.register(gone, server)
    return server


def gone(server: Server) -> None:
    server.stop()
    shutil.rmtree(server.folder, ignore_errors=True)


def impatient(target: Target, seconds: float = 0.5) -> Target:
    """The same database, for tests that wait for what does not come."""
    return replace(target, seconds=seconds)
