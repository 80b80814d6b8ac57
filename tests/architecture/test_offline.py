"""The guard of tests/conftest.py is awake: a connection that leaves this machine is refused before it is made."""

from __future__ import annotations

import socket

import pytest


@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1"])
def test_a_connection_that_leaves_the_machine_is_refused(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as opened, pytest.raises(AssertionError, match="a test connects to"):
        opened.connect((address, 443))


def test_loopback_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()[:2]) as opened:
        assert opened.getpeername() == server.getsockname()
