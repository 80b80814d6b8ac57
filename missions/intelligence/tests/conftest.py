"""What the tests of this mission share; they run in its own environment, with the face of Casemate on the path."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

EXERCISE = Path(__file__).parents[1] / "exercise"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A mission fetches nothing: a socket that connects fails the test."""

    def refuse(*_):
        raise AssertionError("a mission opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def real() -> Path:
    """The shared data; its tests are skipped where it is not."""
    place = Path(os.environ.get("CASEMATE_TEST_DATA", "/nonexistent"))
    if not (place / "intel").is_dir():
        pytest.skip("CASEMATE_TEST_DATA does not name the shared data")
    return place
