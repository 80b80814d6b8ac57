"""A thief or a fault in the folder: what a reader finds is not what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from tests.laws.world import World


def flipped(data: bytes, place: int = -1) -> bytes:
    """The same bytes but for one bit."""
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def sealed_flipped(row: Any) -> Any:
    return msgspec.structs.replace(row, sealed=flipped(row.sealed))


@contextmanager
def with_rows(world: World, kind: str, change: Callable[[Any], Any] = sealed_flipped) -> Iterator[None]:
    """The reader gives every row of a kind as `change` makes it."""
    reader = world.house.gate.vault.reader._port
    get, scan = reader.get, reader.scan

    def change_all(asked: str, rows: list[Any]) -> list[Any]:
        return [change(row) for row in rows] if asked == kind else rows

    def scanned(asked: str, *args: Any) -> Any:
        rows, after = scan(asked, *args)
        return change_all(asked, rows), after

    with (
        patch.object(reader, "get", lambda asked, *args: change_all(asked, get(asked, *args))),
        patch.object(reader, "scan", scanned),
    ):
        yield


@contextmanager
def with_classes(world: World, change: Callable[[Any], Any]) -> Iterator[None]:
    """The reader gives every class row as `change` makes it."""
    reader = world.house.gate.vault.reader._port
    classes = reader.classes
    with patch.object(reader, "classes", lambda: [change(row) for row in classes()]):
        yield


@contextmanager
def with_entries(world: World, change: Callable[[Any], Any]) -> Iterator[None]:
    """The reader gives every entry as `change` makes it."""
    reader = world.house.gate.vault.reader._port
    entries, entry = reader.entries, reader.entry

    def one(id: str) -> Any:
        found = entry(id)
        return None if found is None else (found[0], change(found[1]))

    with (
        patch.object(reader, "entries", lambda *args: [change(each) for each in entries(*args)]),
        patch.object(reader, "entry", one),
    ):
        yield
