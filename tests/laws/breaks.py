"""How each mutant breaks its rule: patches of the product's own code, each a context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

from casemate.access import audit, classes, commit, core, flow, inspect, read, record, settle
from casemate.knowledge import Results, library
from casemate.labels import Label

searching = import_module("casemate.knowledge.index.search")
keys = import_module("casemate.accounts.keys")


def swap(target: Any, name: str, value: Any) -> Callable[[], Any]:
    """A patch of one attribute."""
    return lambda: patch.object(target, name, value)


@contextmanager
def dominates(f: Callable[[Label, Label], bool]) -> Iterator[None]:
    with patch.object(Label, "__le__", f):
        yield


def meet_for_join() -> Any:
    """The whole of a document is what its portions have in common."""
    return patch.object(import_module("casemate.knowledge.reading.portions"), "or_", lambda a, b: a & b)


def level_only(a: Label, b: Label) -> bool:
    mine, theirs = dict(a.elements), dict(b.elements)
    return all(name in theirs and element.level <= theirs[name].level for name, element in mine.items())


def all_visible(self: classes.Classes, acting: Label) -> list[Any]:
    del acting
    return sorted((c for c in self.everything() if not c.originator), key=lambda c: c.id)


def swapped(self: classes.Classes, acting: Label) -> list[Any]:
    return sorted((c for c in self.everything() if not c.originator and acting <= c.label), key=lambda c: c.id)


@contextmanager
def scan_then_filter() -> Iterator[None]:
    """Check after ranking: search everything, then drop what may not be seen."""
    right = library.Library.search

    async def wrong(self: Any, f: Any, *asked: Any, **more: Any) -> Any:
        with patch.object(classes.Classes, "visible", all_visible):
            found = await right(self, f, *asked, **more)
        kept = tuple(hit for hit in found.hits if hit.label <= f.acting)
        return Results(kept, found.statistics)

    with patch.object(library.Library, "search", wrong):
        yield


@contextmanager
def shared_df() -> Iterator[None]:
    """Document frequencies counted over every shard of the region."""
    seen: list[Any] = []
    right = searching.statistics
    view, shards = library.Library.view, library.Library.shards

    async def all_shards(self: Any, f: Any, names: Any) -> Any:
        found = await view(self, f, names)
        with patch.object(classes.Classes, "visible", all_visible):
            seen[:] = await shards(self, f, names)
        return found

    with (
        patch.object(searching, "statistics", lambda terms, some: right(terms, seen or some)),
        patch.object(library.Library, "view", all_shards),
    ):
        yield


@contextmanager
def mixed_batch() -> Iterator[None]:
    """A vector that depends on what was embedded beside it before."""
    from casemate.engines.hashing import HashingEmbedder

    before = [0]
    right = HashingEmbedder.embed

    async def wrong(self: Any, texts: Any, domain: str = "") -> Any:
        made = await right(self, texts, domain)
        before[0] += sum(map(len, texts))
        return [bytes([(raw[0] + before[0]) % 100, *raw[1:]]) for raw in made]

    with patch.object(HashingEmbedder, "embed", wrong):
        yield


@contextmanager
def cache_without_class() -> Iterator[None]:
    """One cache for everybody: who asked before shows in what is read."""
    with patch.object(library.Library, "_cache", lambda self, f: self._domains.setdefault("", library._Domain(0))):
        yield


@contextmanager
def answers_cached_by_question() -> Iterator[None]:
    """An answer given again to whoever asks the same words."""
    told: dict[str, Any] = {}
    right = library.Library.search

    async def wrong(self: Any, f: Any, asked: Any, *how: Any, **more: Any) -> Any:
        key = " ".join(asked.terms[:1])
        if key not in told:
            told[key] = await right(self, f, asked, *how, **more)
        return told[key]

    with patch.object(library.Library, "search", wrong):
        yield


@contextmanager
def shared_ledger_index() -> Iterator[None]:
    """The entry's number in the whole ledger is shown."""
    right = audit.entries

    def wrong(f: Any, limit: int = 200) -> Any:
        total = sum(f.gate.vault.reader.sizes().values())
        return [audit.Seen(s.entry, s.access, s.seq + total, s.kept) for s in right(f, limit)]

    with patch.object(audit, "entries", wrong):
        yield


@contextmanager
def ids_from_a_counter() -> Iterator[None]:
    """Identifiers that count everybody's objects."""
    count = [0]

    def wrong(prefix: str, entropy: Any, scope: str) -> str:
        del entropy, scope
        count[0] += 1
        return f"{prefix}_{count[0]:026d}"

    def short(drawn: bytes) -> str:
        del drawn
        count[0] += 1
        return f"{count[0]:026d}"

    with patch.object(settle, "fresh", wrong), patch.object(record, "short", short):
        yield


@contextmanager
def inward_reason() -> Iterator[None]:
    """A refusal that says why: the object exists, but not for you."""
    right = read.absent

    async def wrong(f: Any, kind: str, id: str) -> Any:
        everywhere = [c.id for c in f.gate.classes.everything()]
        if f.gate.rows.get(kind, id, everywhere):
            await f.gate.refuse(f.session, f.acting, f.action, core.Refuse("no-read-up", {"acting": f.acting.text}))
        return await right(f, kind, id)

    with patch.object(read, "absent", wrong), patch.object(flow.read, "absent", wrong):
        yield


@contextmanager
def unique_across_classes() -> Iterator[None]:
    """One id, one object, in the whole region: an id that is taken above is refused below."""
    right = commit.commit

    async def wrong(f: Any, changes: Any, key: str, at: Any, facts: Any) -> Any:
        from casemate.errors import Conflict

        everywhere = [c.id for c in f.gate.classes.everything() if c is not f.access]
        for change in changes:
            taken = hasattr(change, "kind") and f.gate.rows.get(change.kind.name, change.id, everywhere)
            if taken:
                raise Conflict(what=change.id)
        return await right(f, changes, key, at, facts)

    with patch.object(commit, "commit", wrong):
        yield


@contextmanager
def strangers_at_the_floor() -> Iterator[None]:
    """A failure of a hidden session told in the lowest log."""
    right = core.Core.record_error

    async def wrong(
        self: Any, session: Any, acting: Any, action: Any, error: Any, ref: str = "", begun: str = ""
    ) -> Any:
        floor = self.vault.region.floor
        return await right(self, session, floor, action, error, ref, begun)

    with patch.object(core.Core, "record_error", wrong):
        yield


@contextmanager
def stored_at_its_marking() -> Iterator[None]:
    """An answer stored where its first portion mark says."""
    from casemate.assistants import kept

    right = kept.keep

    async def wrong(f: Any, text: str, question: str, asked: str, at: Any) -> Any:
        readings, _ = f.gate.vault.region.policies.read_portion(text)
        if readings and f.floor <= (readings[0].label | f.floor) <= f.acting:
            f = f.at(readings[0].label | f.floor)
            f.domain = f.acting
        return await right(f, text, question, asked, None)

    from casemate.doors.native import answers

    with patch.object(answers, "keep", wrong):
        yield


@contextmanager
def write_where_asked() -> Iterator[None]:
    """The caller's own word about the label is believed."""

    async def wrong(f: Any, changes: Any, key: str, at: Any, facts: Any) -> Any:
        return await commit._land(f, at or f.acting, changes, key, facts)

    with patch.object(commit, "commit", wrong), patch.object(flow.commit, "commit", wrong):
        yield


@contextmanager
def rung_from_the_whole() -> Iterator[None]:
    """A rung made from the search at the acting label, not at its own."""
    right = flow.Flow.at
    with patch.object(flow.Flow, "at", lambda self, label: self if label else right(self, label)):
        yield


@contextmanager
def marks_ignored() -> Iterator[None]:
    """A question's marks are not looked at."""
    with patch.object(inspect, "marks", lambda f, text: []):
        yield
