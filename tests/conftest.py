"""What all tests share: nothing is sent home, no connection leaves this machine, Hypothesis has no time limits."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before anything imports onnxruntime

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.laws.world import World

hypothesis.settings.register_profile("casemate", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("casemate")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """A region that runs in the process of a test keeps its files to itself; the next test begins as usual."""
    before = os.umask(0o022)
    yield
    os.umask(before)


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


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that is a coroutine runs on the loop of its fixtures, or on one of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    started = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    runner = pyfuncitem.funcargs.get("runner")
    if runner is not None:
        runner.run(started)
    else:
        asyncio.run(started)
    return True


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The loop of one test."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def world(runner: asyncio.Runner) -> Iterator[World]:
    """A fresh region of the policy us in this process, with its owner; time and entropy are the test's."""
    from tests.laws.world import a_world

    stack = AsyncExitStack()
    yield runner.run(stack.enter_async_context(a_world(0, ("us",))))
    runner.run(stack.aclose())
