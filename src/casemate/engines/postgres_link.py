"""One connection to PostgreSQL, below psycopg's conveniences: prepared statements, binary both ways, one round trip.

libpq waits without the interpreter's lock. Nothing is read from the environment but PGPASSFILE, and what the server or
libpq says of a failure is told to an operator at most: it may name roles and hosts, never a password.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import OperationalError, conninfo, pq

from casemate.errors import CasemateError, Damaged, Internal, Misconfigured, StorageFull, TooLarge, Unavailable

__all__ = ["LONGEST_NAME", "Failed", "Link", "Lost", "Target", "told"]

OLDEST = 150000
LONGEST_NAME = 2600  # bytes of a name that an index of 8 KiB pages takes
_SECONDS = 5
_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Lost(Exception):
    """The connection is gone: what was under way may or may not have landed."""


class Failed(Exception):
    """The server said no and undid the statement. `state` is its SQLSTATE."""

    def __init__(self, state: str, said: str) -> None:
        self.state = state
        self.said = said
        super().__init__(state, said)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a database is, and how the two roles come in. Passwords are asked for at each connection."""

    host: str
    port: int
    dbname: str
    user: str
    reader: str
    sslmode: str = "verify-full"
    ca: str = ""
    seconds: float = 5.0
    password: Callable[[], str] = field(default=str, repr=False)
    reader_password: Callable[[], str] = field(default=str, repr=False)

    def text(self, role: str, password: str) -> bytes:
        """libpq's text for a connection. Every part that the environment could change is said here."""
        near = self.host.startswith("/")
        parts: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "dbname": self.dbname,
            "user": role,
            "sslmode": "disable" if near else self.sslmode,
            "options": "-c client_encoding=UTF8",
            "application_name": "casemate",
            "connect_timeout": _SECONDS,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20000,
            "target_session_attrs": "any",
            "gssencmode": "disable",
        }
        if self.ca:
            parts["sslrootcert"] = self.ca
        if password:
            parts["password"] = password
        return conninfo.make_conninfo("", **parts).encode()


class Link:
    """A connection of one role. Not for two threads at once. Raises Lost, Failed, and Misconfigured for what is old."""

    def __init__(self, target: Target, role: str, password: str) -> None:
        self._pg = pq.PGconn.connect(target.text(role, password))
        self._known: set[bytes] = set()
        if self._pg.status != pq.ConnStatus.OK:
            said = self._pg.error_message.decode(errors="replace").strip()
            self._pg.finish()
            raise Lost(said)
        if self._pg.server_version < OLDEST:
            version = self._pg.server_version // 10000
            self._pg.finish()
            raise Misconfigured(setting="store.host", why=f"PostgreSQL 15 or later is needed, this is {version}")
        self.run("SET search_path = casemate, pg_temp")

    def close(self) -> None:
        self._pg.finish()

    @property
    def lost(self) -> bool:
        return bool(self._pg.status != pq.ConnStatus.OK)

    def run(self, sql: str) -> list[tuple[str, ...]]:
        """Statements without parameters, in text; the rows of the last one."""
        result = self._checked(self._sent(self._pg.exec_, sql.encode()))
        return [
            tuple((result.get_value(row, column) or b"").decode() for column in range(result.nfields))
            for row in range(result.ntuples)
        ]

    def ask(self, name: bytes, sql: bytes, types: Sequence[int], values: Sequence[bytes]) -> pq.abc.PGresult:
        """A statement that is prepared once under its name; everything in binary."""
        if name not in self._known:
            self._checked(self._sent(self._pg.prepare, name, sql, types))
            self._known.add(name)
        return self._checked(self._sent(self._pg.exec_prepared, name, values, [1] * len(values), 1))

    def _sent(self, call: Callable[..., pq.abc.PGresult], *arguments: object) -> pq.abc.PGresult:
        """Where the server went away between two calls there is no result at all, and the library raises."""
        try:
            return call(*arguments)
        except OperationalError as error:
            self._pg.finish()
            raise Lost(str(error)) from None

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in _GOOD:
            return result
        if self.lost:
            raise Lost(self._pg.error_message.decode(errors="replace").strip())
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        said = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(errors="replace")
        if state[:2] in ("08", "57"):  # the server ends, or ended this session
            self._pg.finish()
            raise Lost(said)
        raise Failed(state, said)


def told(error: Failed) -> CasemateError:
    """What a statement that the server refused means to whoever asked for it."""
    if error.state in ("XX001", "XX002"):
        return Damaged(what="records")
    if error.state == "53100":
        return StorageFull()
    if error.state == "54000":
        return TooLarge(what="name", limit=LONGEST_NAME)
    if error.state[:2] == "22":
        return Internal()
    return Unavailable(what="records")
