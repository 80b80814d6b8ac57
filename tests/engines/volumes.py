"""Sets of volumes for tests, and processes that die at a chosen call to the disk."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casemate.engines.volume_files import Fault
from casemate.engines.volume_join import Join
from casemate.engines.volume_split import Cut, split
from casemate.transfer.volumes.volume import LEAST_FRAME, Carried, Layout, counted

CARRIED = Carried(bytes(16), "UNCLASSIFIED")


def made(folder: Path, n: int, parity: int, size: int = 20_000, seed: int = 1, **how: Any) -> tuple[bytes, Cut]:
    """The content, and its volumes in folder/set; the file itself is folder/source."""
    content = random.Random(seed).randbytes(size)
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "source").write_bytes(content)
    (folder / "set").mkdir(exist_ok=True)
    return content, split(folder / "source", folder / "set", counted(size, n, parity), CARRIED, **how)


def fine(frames: int, n: int, parity: int) -> tuple[Layout, int]:
    """A layout of so many of the smallest frames, and the size of a file that fills it."""
    layout = Layout(n - parity, n, LEAST_FRAME, frames)
    return layout, layout.total - 8


def joined(output: Path, *places: Path, **how: Any) -> tuple[int, list[Fault], tuple[int, ...]]:
    """One run: the size or -1, what was wrong, what is wanted."""
    with Join(output) as work:
        taken = work.take(list(places), **how)
        wanted = work.missing() if work.head is not None else ()
        return (work.finish() if work.head is not None else -1), taken.faults, wanted


CALLS = ("pwrite", "fsync", "ftruncate", "rename", "replace", "unlink", "mkdir", "rmdir")


@contextmanager
def counted_calls(act: Callable[[int, str, Callable[..., Any], tuple[Any, ...]], Any]) -> Iterator[None]:
    """Each call that changes the disk goes through `act` with its number, from 0."""
    real = {name: getattr(os, name) for name in CALLS}
    number = 0

    def through(name: str) -> Callable[..., Any]:
        def call(*words: Any, **how: Any) -> Any:
            nonlocal number
            number += 1
            return act(number - 1, name, lambda *w: real[name](*w, **how), words)

        return call

    for name in CALLS:
        setattr(os, name, through(name))
    try:
        yield
    finally:
        for name, call in real.items():
            setattr(os, name, call)


def calls_of(work: Callable[[], object]) -> int:
    """How many calls to the disk a piece of work makes."""
    seen = 0

    def count(number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...]) -> Any:
        nonlocal seen
        seen = number + 1
        return real(*words)

    with counted_calls(count):
        work()
    return seen


def killed(work: Callable[[], object], at: int, half: bool = True) -> bool:
    """Do it in a process that is killed (SIGKILL) at that call; `half`: in the middle of it, where it writes."""
    child = os.fork()
    if child == 0:
        try:
            with counted_calls(lambda *said: _dying(at, half, *said)):
                work()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a forked child must not go on as its parent would
            os.write(2, repr(error).encode())
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def _dying(at: int, half: bool, number: int, name: str, real: Callable[..., Any], words: tuple[Any, ...]) -> Any:
    if number != at:
        return real(*words)
    if half and name == "pwrite":
        real(words[0], bytes(words[1])[: len(words[1]) // 2], words[2])
    elif not half:
        real(*words)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives")
