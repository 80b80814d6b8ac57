"""Units over processes: a worker that hangs or dies costs its unit, which is named, and another takes its place."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from casemate_cyber.events.read import Trouble, Unit
from casemate_cyber.match.engine import Engine
from casemate_cyber.scan.unit import Scanned, scan

PATIENCE = 120.0
"""Seconds for which a unit of 4 MiB may take; a unit takes a tenth of one."""

_fork = multiprocessing.get_context("fork")


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    give: Connection
    take: Connection
    unit: Unit | None = None
    since: float = 0.0


def hits_of(folder: Path, number: int) -> Path:
    """Where the hits of a unit stand."""
    return folder / f"hits-{number:06d}.jsonl"


def scanned(
    engine: Engine,
    units: Sequence[Unit],
    names: Sequence[str],
    folder: Path,
    fields: Mapping[int, Sequence[str]],
    processes: int = 1,
    patience: float = PATIENCE,
    work: Callable[..., Scanned] = scan,
) -> Iterator[Scanned]:
    """Each unit's result as it comes. Hits stand in `hits_of(folder, number)`, whoever scanned."""

    def serve(asked: Connection, told: Connection) -> None:
        gc.freeze()  # the rules are never garbage: looking through them again and again would copy every page of them
        while (number := _next(asked)) is not None:
            unit = units[number]
            try:
                told.send(work(engine, unit, names[unit.file], hits_of(folder, number), fields))
            except Exception as fault:  # noqa: BLE001 - whatever one unit does, the rest goes on; it is named
                told.send(_lost(unit, names[unit.file], f"{type(fault).__name__}: {fault}"[:200], folder))

    def begin() -> _Worker:
        # One way each, which are pipes of the kernel: in a sandbox there are no sockets, and two ways would be one.
        asked, give = _fork.Pipe(duplex=False)
        take, told = _fork.Pipe(duplex=False)
        process = _fork.Process(target=serve, args=(asked, told), daemon=True)
        process.start()
        asked.close()
        told.close()
        return _Worker(process, give, take)

    waiting = list(range(len(units)))[::-1]
    crew = [begin() for _ in range(min(processes, max(len(units), 1)))]
    try:
        for worker in crew:
            _give(worker, waiting, units)
        while any(worker.unit is not None for worker in crew):
            ready = set(wait([worker.take for worker in crew if worker.unit is not None], timeout=1.0))
            for place, worker in enumerate(crew):
                unit = worker.unit
                if unit is None:
                    continue
                if worker.take in ready:
                    try:
                        done = worker.take.recv()
                    except (EOFError, OSError):
                        done = _lost(unit, names[unit.file], "the process that read it ended", folder)
                        crew[place] = _again(worker, begin)
                elif time.monotonic() - worker.since > patience:
                    done = _lost(unit, names[unit.file], f"not read within {patience:g} seconds", folder)
                    crew[place] = _again(worker, begin)
                else:
                    continue
                crew[place].unit = None
                _give(crew[place], waiting, units)
                yield done
    finally:
        for worker in crew:
            _end(worker)


def _next(pipe: Connection) -> int | None:
    try:
        number: int | None = pipe.recv()
    except (EOFError, OSError):
        return None
    return number


def _give(worker: _Worker, waiting: list[int], units: Sequence[Unit]) -> None:
    if waiting:
        number = waiting.pop()
        worker.unit, worker.since = units[number], time.monotonic()
        worker.give.send(number)


def _lost(unit: Unit, name: str, why: str, folder: Path) -> Scanned:
    """A unit whose events are not told of: what it had written so far is dropped, so that counts stay true."""
    hits_of(folder, unit.number).write_bytes(b"")
    done = Scanned(unit.number)
    done.trouble(Trouble(name, unit.start, f"bytes {unit.start} to {unit.end} left out: {why}"))
    return done


def _again(worker: _Worker, begin: Callable[[], _Worker]) -> _Worker:
    _end(worker)
    return begin()


def _end(worker: _Worker) -> None:
    """The worker's process, and no other."""
    if worker.unit is not None:
        worker.process.kill()
    else:
        with contextlib.suppress(OSError):
            worker.give.send(None)
    worker.give.close()
    worker.take.close()
    worker.process.join(5)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
