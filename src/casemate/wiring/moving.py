"""A stopped region's records moved to another engine: carried, compared, and only then named in casemate.toml.

What is killed at any point is repeated: the region stands on the old records until the new ones were found equal. The
old ones stay where they are, a file under another name, so that nobody goes on writing there.
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from casemate.engines.move import Side, Sum, carry, sums
from casemate.engines.sqlite_check import check_pages
from casemate.engines.sqlite_move import SqliteSide
from casemate.errors import Damaged, Misconfigured, NotRunning, Occupied, Unavailable
from casemate.settings import StoreSettings, parse
from casemate.wiring.alone import hold
from casemate.wiring.folder import Folder
from casemate.wiring.store import target_of, there

if TYPE_CHECKING:
    from casemate.engines.migrations import Step

__all__ = ["Looked", "Moved", "Sum", "check", "missing", "move"]

_DRAFT, _LEFT = "records.db.moving", "records.db.moved"
Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was found equal on both sides, and where the old records are left."""

    sums: tuple[Sum, ...]
    kind: str
    left: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A store that was read to its end. `told`: what its server says of itself."""

    kind: str
    sums: tuple[Sum, ...]
    told: dict[str, str] = field(default_factory=dict)


class _Closing(Side, Protocol):
    def close(self) -> None: ...


async def move(folder: Folder, to: StoreSettings, tell: Tell) -> Moved:
    """Carry, compare, switch. Raises Occupied where the region runs or the place is another's, Damaged where a row is
    not what was written or the two sides differ."""
    settings = folder.settings()
    if settings.store.kind == to.kind == "sqlite":
        raise Occupied(what=str(folder.records))
    text = _changed(folder, to)
    async with _alone(folder):
        there(folder, settings)
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(contextlib.closing(_side(folder, settings.store)))
            target = stack.enter_context(contextlib.closing(_side(folder, to, new=True)))
            carry(source, target, lambda done: tell("carried", done))
            first = sums(source, lambda done: tell("compared", done))
            second = sums(target, lambda done: tell("compared", done))
            differ = [a.table for a, b in zip(first, second, strict=True) if a != b]
            if differ:
                target.spoil()
                raise Damaged(what=", ".join(differ))
            target.end()
        _switch(folder, to, text)
    left = _LEFT if settings.store.kind == "sqlite" else settings.store.dbname
    return Moved(tuple(first), to.kind, left)


async def missing(folder: Folder, to: StoreSettings | None) -> tuple[list[Step], dict[str, int]]:
    """What a migration would do to the schema of that store, or of the region's own, and how many rows would move."""
    from casemate.engines.migrations import postgres_steps, sqlite_steps

    settings = folder.settings()
    told = to or settings.store
    async with _alone(folder):
        there(folder, settings)
        if told.kind == "postgresql":
            steps = postgres_steps(target_of(folder, told))
        else:
            steps = sqlite_steps(folder.records) if folder.records.exists() and to is None else []
        if to is None:
            return steps, {}
        from casemate.engines.move import TABLES

        with contextlib.closing(_side(folder, settings.store)) as source:
            return steps, {table.name: source.count(table) for table in TABLES}


async def check(folder: Folder, tell: Tell, recount: bool = False) -> Looked:
    """Read all of a stopped region's records, each row against its digest. Raises Damaged, naming the place.

    `recount`: what each class takes is first made again from what lies there.
    """
    settings = folder.settings()
    async with _alone(folder):
        there(folder, settings)
        with contextlib.closing(_side(folder, settings.store, changes=recount)) as side:
            if recount:
                side.recount()
            found = sums(side, lambda done: tell("compared", done))
        told: dict[str, str] = {}
        if settings.store.kind == "postgresql":
            from casemate.engines.postgres_schema import described

            told = described(target_of(folder, settings.store))
        else:
            told = {"pages": str(check_pages(folder.records))}
    return Looked(settings.store.kind, tuple(found), told)


@asynccontextmanager
async def _alone(folder: Folder) -> AsyncIterator[None]:
    """While nobody runs this region."""
    if not folder.exists:
        raise NotRunning(folder=str(folder.path))
    folder.run.mkdir(mode=0o700, exist_ok=True)
    lock = await hold(folder)
    try:
        yield
    finally:
        os.close(lock)


def _side(folder: Folder, told: StoreSettings, new: bool = False, changes: bool = False) -> _Closing:
    if told.kind == "sqlite":
        return SqliteSide(folder.data / _DRAFT if new else folder.records, new, changes)
    target = target_of(folder, told)
    from casemate.engines.postgres_move import PostgresSide

    return PostgresSide(target)


def _switch(folder: Folder, to: StoreSettings, text: str) -> None:
    """The moment from which on the region stands on the new records: casemate.toml has another text."""
    if to.kind == "sqlite":
        for suffix in ("-wal", "-shm"):
            (folder.data / (_DRAFT + suffix)).unlink(missing_ok=True)
        (folder.data / _DRAFT).replace(folder.records)
        _sync(folder.data)
    _write(folder.settings_file, text)
    if to.kind != "sqlite":
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                (folder.data / f"records.db{suffix}").replace(folder.data / f"{_LEFT}{suffix}")
        _sync(folder.data)


def _changed(folder: Folder, to: StoreSettings) -> str:
    """The text of casemate.toml with that store in it, and nothing else changed. Raises Misconfigured."""
    old = folder.settings_file.read_text(encoding="utf-8")
    lines, inside = [], False
    for line in old.splitlines():
        if line.strip().startswith("["):
            inside = line.split("#")[0].strip() == "[store]"
        if not inside:
            lines.append(line)
    told = _told(to)
    if told:
        lines += ["", "[store]", *(f"{name} = {msgspec.json.encode(value).decode()}" for name, value in told.items())]
    text = "\n".join(lines).rstrip() + "\n"
    wanted: dict[str, Any] = {**tomllib.loads(old), "store": told}
    if not told:
        del wanted["store"]
    try:
        right = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise Misconfigured(setting="store", why="casemate.toml says it in a way that has to be changed by hand")
    parse(text)
    return text


def _told(to: StoreSettings) -> dict[str, Any]:
    usual = StoreSettings()
    names = to.__struct_fields__
    return {name: getattr(to, name) for name in names if getattr(to, name) != getattr(usual, name)}


def _write(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.stat().st_mode & 0o777)
    try:
        os.write(descriptor, text.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError:
        raise Unavailable(what=str(folder)) from None
    finally:
        os.close(descriptor)
