"""A connection whose server went away between two calls is lost, whatever the library makes of that."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from psycopg import OperationalError, pq

from casemate.engines.postgres_link import Link, Lost
from casemate.engines.postgres_schema import open_writer
from tests.engines.postgres_server import missing, shared

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "-")


@pytest.mark.parametrize("asks", ["run", "new", "known"])
def test_a_server_that_went_away_between_two_calls_is_lost(asks: str) -> None:
    with shared().lent() as target:
        open_writer(target).close()
        link = Link(target, target.user, "")
        link.ask(b"known", b"SELECT 1", [], [])
        with socket.socket(fileno=link._pg.socket) as wire:
            wire.shutdown(socket.SHUT_RDWR)
            wire.detach()
        with pytest.raises(Lost):
            link.run("SELECT 1") if asks == "run" else link.ask(asks.encode(), b"SELECT 1", [], [])
        assert link.lost
        link.close()


class Torn:
    """A connection that breaks off while something is sent: the library then has no result, and raises."""

    def __init__(self, real: pq.abc.PGconn) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name in ("exec_", "prepare", "exec_prepared"):
            return self._torn
        return getattr(self._real, name)

    def _torn(self, *arguments: object) -> pq.abc.PGresult:
        raise OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("asks", ["run", "new", "known"])
def test_what_could_not_even_be_sent_is_lost_too(asks: str) -> None:
    """Met in one of some twenty kills of a server: the writer took it for a defect of its own and wrote no more."""
    with shared().lent() as target:
        open_writer(target).close()
        link = Link(target, target.user, "")
        link.ask(b"known", b"SELECT 1", [], [])
        link._pg = Torn(link._pg)  # type: ignore[assignment]
        with pytest.raises(Lost):
            link.run("SELECT 1") if asks == "run" else link.ask(asks.encode(), b"SELECT 1", [], [])
        assert link.lost
