"""What all tests share: nothing is sent home, no connection leaves this machine, Hypothesis has no time limits."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before anything imports onnxruntime

import hypothesis
import pytest

hypothesis.settings.register_profile("casemate", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("casemate")


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Iterator[None]:
    """A test that connects to anything but loopback or a local socket fails: Casemate fetches nothing while it runs."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(self: socket.socket, address: Any) -> None:
        refuse(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:
        refuse(self, address)
        return connect_ex(self, address)

    socket.socket.connect, socket.socket.connect_ex = guarded, guarded_ex  # type: ignore[method-assign]
    yield
    socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]


def refuse(opened: socket.socket, address: Any) -> None:
    """Raise where the address is not of this machine's loopback."""
    if opened.family in {socket.AF_INET, socket.AF_INET6} and address[0] != "localhost":
        assert ipaddress.ip_address(address[0]).is_loopback, f"a test connects to {address[0]}"


@pytest.fixture(scope="session")
def real_documents() -> Path:
    """The folder in CASEMATE_TEST_DATA, else ../shared/data; a test that needs it is skipped without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CASEMATE_TEST_DATA", beside))
    if not folder.is_dir():
        pytest.skip("CASEMATE_TEST_DATA names no folder of real documents")
    return folder
