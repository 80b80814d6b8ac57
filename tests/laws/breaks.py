"""How each mutant breaks its rule: patches of the product's own code, each a context."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from casemate.access import another, audit, classes, commit, core, flow, inspect, read, record, settle, state
from casemate.assistants import assistant
from casemate.doors.native import region
from casemate.knowledge import Results, library
from casemate.labels import Label
from casemate.wiring import checks

searching = sys.modules["casemate.knowledge.search"]
keys = sys.modules["casemate.accounts.keys"]


def swap(target: Any, name: str, value: Any) -> Callable[[], Any]:
    """A patch of one attribute."""
    return lambda: patch.object(target, name, value)


@contextmanager
def dominates(f: Callable[[Label, Label], bool]) -> Iterator[None]:
    with patch.object(Label, "__le__", f):
        yield


def meet_for_join() -> Any:
    """The whole of a document is what its portions have in common."""
    return patch.object(sys.modules["casemate.knowledge.portions"], "or_", lambda a, b: a & b)


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

    async def wrong(self: Any, f: Any, asked: Any, names: Any, k: int) -> Any:
        with patch.object(classes.Classes, "visible", all_visible):
            found = await right(self, f, asked, names, k)
        kept = tuple(hit for hit in found.hits if hit.label <= f.acting)
        return Results(kept, found.statistics)

    with patch.object(library.Library, "search", wrong):
        yield


@contextmanager
def shared_df() -> Iterator[None]:
    """Document frequencies counted over every shard of the region."""
    seen: list[Any] = []
    right = searching.statistics
    shards = library.Library.shards

    async def all_shards(self: Any, f: Any, names: Any) -> Any:
        found = await shards(self, f, names)
        with patch.object(classes.Classes, "visible", all_visible):
            seen[:] = await shards(self, f, names)
        return found

    with (
        patch.object(searching, "statistics", lambda terms, some: right(terms, seen or some)),
        patch.object(library.Library, "shards", all_shards),
    ):
        yield


@contextmanager
def mixed_batch() -> Iterator[None]:
    """A vector that depends on what was embedded beside it before."""
    from casemate.engines.hashing import HashingEmbedder

    before = [0]
    right = HashingEmbedder.embed

    async def wrong(self: Any, texts: Any) -> Any:
        made = await right(self, texts)
        before[0] += sum(map(len, texts))
        return [bytes([(raw[0] + before[0]) % 100, *raw[1:]]) for raw in made]

    with patch.object(HashingEmbedder, "embed", wrong):
        yield


@contextmanager
def cache_without_class() -> Iterator[None]:
    """One cache for everybody: who asked before shows in what is read."""
    from collections import OrderedDict

    with patch.object(library.Library, "_cache", lambda self, f: self._domains.setdefault("", OrderedDict())):
        yield


@contextmanager
def answers_cached_by_question() -> Iterator[None]:
    """An answer given again to whoever asks the same words."""
    told: dict[str, Any] = {}
    right = library.Library.search

    async def wrong(self: Any, f: Any, asked: Any, names: Any, k: int) -> Any:
        key = " ".join(asked.terms[:1])
        if key not in told:
            told[key] = await right(self, f, asked, names, k)
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

    with ExitStack() as stack:
        for module in (record, settle):
            stack.enter_context(patch.object(module, "fresh", wrong))
        yield


@contextmanager
def inward_reason() -> Iterator[None]:
    """A refusal that says why: the object exists, but not for you."""
    right = read.absent

    async def wrong(f: Any, kind: str, id: str) -> Any:
        everywhere = [c.id for c in f.gate.classes.everything()]
        if f.gate.vault.reader.get(kind, id, everywhere):
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
            taken = hasattr(change, "kind") and f.gate.vault.reader.get(change.kind.name, change.id, everywhere)
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


@contextmanager
def settled_at_the_floor() -> Iterator[None]:
    """Every part of a document comes to rest at the floor."""
    right = settle.Settling._class
    with patch.object(settle.Settling, "_class", lambda self, label: right(self, self._floor)):
        yield


@contextmanager
def one_entropy() -> Iterator[None]:
    """Identifiers drawn from one stream: what hidden sessions draw shifts everybody's."""
    from casemate.ids import DerivedEntropy

    right = DerivedEntropy.draw
    with patch.object(DerivedEntropy, "draw", lambda self, scope, size=16: right(self, "", size)):
        yield


@contextmanager
def cursor_tells() -> Iterator[None]:
    """A page's continuation is made over all classes."""
    right = read.scan

    def wrong(f: Any, kind: Any, where: Any, after: Any, limit: int) -> Any:
        page = right(f, kind, where, after, limit)
        total = len(f.gate.classes.everything())
        return type(page)(page.items, page.after if page.after is None else f"{page.after}#{total}")

    with patch.object(read, "scan", wrong), patch.object(flow.read, "scan", wrong):
        yield


@contextmanager
def deposit_tells() -> Iterator[None]:
    """The receipt of a deposit gives the version that it made above."""

    async def wrong(f: Any, to: Any, changes: Any, key: str) -> Any:
        return await commit._land(f, to, changes, key, {})

    with patch.object(commit, "deposit", wrong), patch.object(flow.commit, "deposit", wrong):
        yield


@contextmanager
def everybodys_entries() -> Iterator[None]:
    """The ledger is read over all logs."""
    right = audit.entries

    def wrong(f: Any, limit: int = 200) -> Any:
        with patch.object(classes.Classes, "visible", all_visible):
            return right(f, limit)

    with patch.object(audit, "entries", wrong):
        yield


@contextmanager
def recorded_at_the_rung() -> Iterator[None]:
    """What a rung does is recorded at the rung's label."""

    async def note(self: Any, note: Any) -> Any:
        return await self.gate.record(self.asker, self.access, note)

    async def refuse(self: Any, refusal: Any) -> Any:
        await self.gate.refuse(self.asker, self.acting, self.action, refusal)

    with patch.object(state.State, "note", note), patch.object(state.State, "refuse", refuse):
        yield


@contextmanager
def in_his_own_name() -> Iterator[None]:
    """Whoever asks as another acts in the other one's log and memory."""
    right = another.as_seen_by

    async def wrong(f: Any, name: str, at: Any, reason: str) -> Any:
        seen = await right(f, name, at, reason)
        seen.domain, seen.asker = seen.acting, seen.session
        return seen

    with patch.object(flow.another, "as_seen_by", wrong):
        yield


@contextmanager
def asked_above() -> Iterator[None]:
    """Whoever asks as himself at another label may name a higher one than he acts at."""
    right = another.as_seen_by

    async def wrong(f: Any, name: str, at: Any, reason: str) -> Any:
        if name == "" and at is not None and f.session.floor <= at <= f.session.ceiling:
            seen = type(f)(f.gate, f.session, f.action, at)
            seen.begun = f.begun
            return seen
        return await right(f, name, at, reason)

    with patch.object(flow.another, "as_seen_by", wrong):
        yield


@contextmanager
def mark_lost_at_another_label() -> Iterator[None]:
    """A question that is asked at another label loses the mark that it bears."""
    right = another.as_seen_by

    async def wrong(f: Any, name: str, at: Any, reason: str) -> Any:
        f.floor = f.session.floor
        return await right(f, name, at, reason)

    with patch.object(flow.another, "as_seen_by", wrong):
        yield


@contextmanager
def deposit_tries_out() -> Iterator[None]:
    """A deposit may expect, and a failed one is told."""

    async def wrong(f: Any, to: Any, changes: Any, key: str) -> Any:
        if f.domain <= to:
            await commit._land(f, to, changes, key, {"deposit": to.text})
        return commit.Receipt()

    with patch.object(commit, "deposit", wrong), patch.object(flow.commit, "deposit", wrong):
        yield


@contextmanager
def written_through_a_rung() -> Iterator[None]:
    """The world of a rung takes writes, at the rung's label."""

    async def wrong(f: Any, changes: Any, key: str, at: Any, facts: Any) -> Any:
        return await commit._land(f, f.acting, changes, key, facts)

    with patch.object(commit, "commit", wrong), patch.object(flow.commit, "commit", wrong):
        yield


@contextmanager
def settled_below_its_floor() -> Iterator[None]:
    """A document rests wherever its marks say, whoever brought it."""

    def wrong(self: Any, label: Label) -> Any:
        access = self._flow.gate.classes.of(label)
        self._classes[access.id] = access
        return access

    with patch.object(settle.Settling, "_class", wrong):
        yield


@contextmanager
def domains_crowded_out() -> Iterator[None]:
    """A cache with room for one label domain: whoever asks last pushes the others out."""
    right = library.Library._cache

    def wrong(self: Any, f: Any) -> Any:
        held = right(self, f)
        while len(self._domains) > 1:
            self._domains.popitem(last=False)
        return held

    with patch.object(library.Library, "_cache", wrong):
        yield


@contextmanager
def disk_told_below() -> Iterator[None]:
    """The room on the disk, which all labels use up, is told to everybody."""
    import shutil

    def usage(path: Any) -> Any:
        used = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return type("Usage", (), {"free": (1 << 60) - used * (1 << 20)})

    with patch.object(region, "WHOLE", frozenset()), patch.object(checks, "shutil", shutil):  # noqa: SIM117
        with patch.object(shutil, "disk_usage", usage):
            yield


@contextmanager
def key_below_its_session() -> Iterator[None]:
    """A session makes a key with a lower floor than its own."""
    right = keys._range

    def wrong(f: Any, request: Any, owner: Any) -> Any:
        f.floor, kept = f.gate.vault.region.floor, f.floor
        try:
            return right(f, request, owner)
        finally:
            f.floor = kept

    with patch.object(keys, "_range", wrong):
        yield


@contextmanager
def engines_marks_believed() -> Iterator[None]:
    """What an engine writes stands in the answer as it wrote it, marks and all."""
    with patch.object(assistant, "paragraph_of", lambda words, policies: words.strip()):
        yield
