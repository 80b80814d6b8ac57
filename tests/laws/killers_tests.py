"""Killers that are ordinary tests: one, by its id, in a process of its own that the mutant lives in from the start.

What the tests build when they are imported is built under the broken rule too. That a test crashes is no kill: it must
see that something holds which must not, by an assertion or by an exception that was not raised.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[2]
SURVIVED, KILLED, CRASHED = 0, 10, 11


@dataclass(frozen=True, slots=True)
class Tested:
    """The test that must fail."""

    __test__ = False  # it is no test itself

    test: str

    def kills(self, breaks: Callable[[], Any]) -> bool:
        """Whether the test sees the broken rule."""
        return self._outcome(breaks) == KILLED

    def holds(self) -> bool:
        """Whether the test holds where nothing is broken: else it kills nothing."""
        return self._outcome(nullcontext) == SURVIVED

    def _outcome(self, breaks: Callable[[], Any]) -> int:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os._exit(_run(breaks, self.test))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _run(breaks: Callable[[], Any], test: str) -> int:
    try:
        watch = Watch()
        words = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib", test]
        told = os.dup(1)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        with breaks():
            code = pytest.main(words, [watch])
        if watch.leaks:
            return KILLED
        if code != pytest.ExitCode.OK:
            os.write(told, f"    (exit {int(code)}: {'; '.join(watch.others)[:200]})\n".encode())
        return SURVIVED if code == pytest.ExitCode.OK else CRASHED
    except BaseException as error:  # noqa: BLE001 - a forked child must not go on as its parent would
        os.write(2, repr(error).encode())
        return CRASHED


class Watch:
    """What made a test fail."""

    def __init__(self) -> None:
        self.leaks = 0
        self.others: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """The same examples at every run, and none made smaller: nobody reads them."""
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile(
            "mutants", deadline=None, derandomize=True, database=None, phases=phases, print_blob=False
        )
        hypothesis.settings.load_profile("mutants")

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """One failed: was it by what it claims?"""
        assert call.excinfo is not None
        for error in _each(call.excinfo.value):
            if isinstance(error, AssertionError | pytest.fail.Exception):
                self.leaks += 1
            else:
                self.others.append(f"{type(error).__name__}: {error}")


def _each(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)
    else:
        yield error
