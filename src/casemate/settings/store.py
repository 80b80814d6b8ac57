"""Where records lie: in a file of the region's folder, or in a PostgreSQL server."""

from __future__ import annotations

from typing import Literal

import msgspec

from casemate.errors import Misconfigured

__all__ = ["StoreSettings", "storing"]

_NEAR = ("localhost", "127.0.0.1", "::1")


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sqlite`: data/records.db. `postgresql`: the database `dbname` at `host`, a name, an address or the absolute
    folder of a local socket.

    `user` owns the tables and writes; `reader` is another role, which reads what each question names and owns nothing.
    `key_file` and `reader_key_file`: files in keys/ of mode 0600 with their passwords; "" where the server asks for
    none, or where PGPASSFILE names a file. `ca_file`: a file in keys/ with who signs the server's certificate.
    `seconds`: how long a connection that is lost is sought again before what needs it is told so.
    """

    kind: Literal["sqlite", "postgresql"] = "sqlite"
    host: str = ""
    port: int = 5432
    dbname: str = "casemate"
    user: str = "casemate"
    reader: str = "casemate_reader"
    sslmode: Literal["verify-full", "verify-ca", "require", "disable"] = "verify-full"
    ca_file: str = ""
    key_file: str = ""
    reader_key_file: str = ""
    seconds: float = 5.0

    @property
    def near(self) -> bool:
        """Whether what is said to the server stays on this machine."""
        return self.host.startswith("/") or self.host in _NEAR


def storing(store: StoreSettings) -> None:
    """Raises Misconfigured where records could not lie there."""
    if not 0.1 <= store.seconds <= 60:
        raise Misconfigured(setting="store.seconds", why="it is 0.1 to 60 seconds")
    if store.kind == "sqlite":
        if store.host:
            raise Misconfigured(setting="store.kind", why='a host needs kind = "postgresql"')
        return
    for setting in ("host", "dbname", "user", "reader"):
        text = getattr(store, setting)
        if not text or not text.isprintable():
            raise Misconfigured(setting=f"store.{setting}", why="kind postgresql names it")
    if not 1 <= store.port <= 65535:
        raise Misconfigured(setting="store.port", why="a port is 1 to 65535")
    if store.user == store.reader:
        raise Misconfigured(setting="store.reader", why="who reads is another role than who writes")
    if store.sslmode in ("require", "disable") and not store.near:
        raise Misconfigured(setting="store.sslmode", why="a server on another machine proves its name: verify-full")
