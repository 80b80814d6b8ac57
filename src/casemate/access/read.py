"""The visible world: reads that name visible classes only, so that nothing is ever filtered after the fact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar

from casemate.access.state import State
from casemate.access.withheld import held_back, open_to, sees_all, withheld
from casemate.errors import Absent
from casemate.labels import AccessClass
from casemate.objects import Found, Kind, Page, Ref, Where

__all__ = ["Tide", "absent", "blob", "blob_into", "children", "every", "read", "read_each", "scan", "tide"]

T = TypeVar("T")
PAGE = 500


@dataclass(frozen=True, slots=True)
class Tide:
    """How often the kinds asked for have changed in each visible class. Two equal ones: the same rows are there."""

    classes: tuple[str, ...]
    at: tuple[int, ...]


async def read(flow: State, kind: Kind[T], id: str) -> Found[T]:
    """The visible object of that id. Raises Absent, which is one entry with the asked id in the caller's own log."""
    found = read_each(flow, kind, id)
    if not found:
        await absent(flow, kind.name, id)
    return found[0]


def read_each(flow: State, kind: Kind[T], id: str) -> list[Found[T]]:
    """The visible objects of that id, in the fixed order of their classes."""
    rows = flow.gate.rows.get(kind.name, id, [c.id for c in flow.classes()])
    return list(_saw(flow, open_to(flow, kind.name, [flow.gate.rows.open(kind, row, _reader(flow)) for row in rows])))


async def absent(flow: State, kind: str, id: str) -> NoReturn:
    """Record that nothing visible has this id, in the caller's own log, and say so."""
    error = Absent(kind=kind, id=id)
    await flow.gate.record_error(flow.asker, flow.domain, flow.action, error, begun=flow.begun)
    raise error


def scan(flow: State, kind: Kind[T], where: Where, after: str | None, limit: int) -> Page[T]:
    """A page over the visible classes, in the fixed order of their ids and, inside a class, of arrival.

    A damaged row is passed over and remembered (`quarantine`): one flipped bit must not take a whole listing away.
    """
    items: list[Found[Any]] = []
    gate = flow.gate
    classes = [c.id for c in flow.classes()]
    start, cursor = _position(after)
    for class_id in classes:
        if class_id < start:
            continue
        blinds = [(field, gate.rows.blind(class_id, f"{kind.name}.{field}", text)) for field, text in where.equal]
        inner = cursor if class_id == start else None
        rows, more = gate.vault.reader.scan(kind.name, blinds, [class_id], inner, limit - len(items))
        items.extend(open_to(flow, kind.name, gate.rows.whole(kind, rows, _reader(flow))))
        if more is not None or len(items) >= limit:
            return Page(_saw(flow, items), f"{class_id}/{more}" if more is not None else _next(classes, class_id))
    return Page(_saw(flow, items), None)


def every(flow: State, kind: Kind[T], where: Where) -> list[Found[T]]:
    """All of them, page by page."""
    found: list[Found[T]] = []
    after: str | None = None
    while True:
        page = scan(flow, kind, where, after, PAGE)
        found.extend(page.items)
        after = page.after
        if after is None:
            return found


def tide(flow: State, kinds: Sequence[str]) -> Tide:
    """How far the visible classes have come in these kinds."""
    classes = tuple([c.id for c in flow.classes()])
    return Tide(classes, tuple(flow.gate.vault.reader.tides(kinds, classes)))


def children(flow: State, ref: Ref) -> list[Ref]:
    """Visible objects whose parents name this one."""
    classes, rows = [c.id for c in flow.classes()], flow.gate.rows
    name = rows.named(ref.class_id, ref.kind, ref.id)
    made = [rows.ref(row) for row in flow.gate.vault.reader.children(ref.class_id, ref.kind, name, classes)]
    held = withheld(flow).refs if made and not sees_all(flow) else frozenset()
    return [each for each in made if each not in held]


async def blob(flow: State, class_id: str, digest: str) -> bytes:
    """Bytes of a visible class."""
    _visible(flow, class_id, digest)
    return await flow.gate.vault.blobs.read(class_id, digest, flow.gate.classes.of(flow.domain).id)


async def blob_into(flow: State, class_id: str, digest: str, take: Callable[[int], memoryview]) -> memoryview:
    """Bytes of a visible class, opened into the memory that `take` gives and into no other."""
    _visible(flow, class_id, digest)
    return await flow.gate.vault.blobs.read_into(class_id, digest, take, flow.gate.classes.of(flow.domain).id)


def _visible(flow: State, class_id: str, digest: str) -> None:
    if class_id not in {c.id for c in flow.classes()} or held_back(flow, class_id, digest):
        raise Absent(kind="blob", id=digest)


def _reader(flow: State) -> AccessClass:
    """Where it is known what the whole request has read."""
    return flow.gate.classes.of(flow.domain)


def _position(after: str | None) -> tuple[str, str | None]:
    """A cursor is `CLASS/POSITION` inside a class, or `CLASS/` for the whole of the class."""
    class_id, _, inner = (after or "").partition("/")
    return class_id, inner or None


def _next(classes: list[str], class_id: str) -> str | None:
    place = classes.index(class_id) + 1
    return f"{classes[place]}/" if place < len(classes) else None


def _saw(flow: State, items: list[Found[T]]) -> tuple[Found[T], ...]:
    flow.seen.update(item.ref for item in items)
    return tuple([_borne(flow, item) for item in items])


def _borne(flow: State, item: Found[T]) -> Found[T]:
    """What is known to one of several authorizations bears those by which this flow knows of it."""
    access = flow.gate.classes.by_id(item.ref.class_id)
    return replace(item, label=flow.gate.classes.borne(access, flow.acting)) if access.need else item
