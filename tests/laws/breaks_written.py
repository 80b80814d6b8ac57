"""More broken rules: what is written, recorded and settled. See `breaks`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from unittest.mock import patch

from casemate.access import another, audit, classes, commit, flow, read, settle, state
from casemate.assistants import assistant
from casemate.doors.native import region
from casemate.knowledge import library
from casemate.labels import Label
from casemate.wiring import checks

searching = import_module("casemate.knowledge.index.search")
keys = import_module("casemate.accounts.keys")
from tests.laws.breaks import all_visible


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

    def append(self: Any, note: Any) -> str:
        id, ticket = self.gate.append(self.asker, self.access, note)
        self.tickets.append(ticket)
        return str(id)

    async def refuse(self: Any, refusal: Any) -> Any:
        await self.gate.refuse(self.asker, self.acting, self.action, refusal)

    with (
        patch.object(state.State, "note", note),
        patch.object(state.State, "append", append),
        patch.object(state.State, "refuse", refuse),
    ):
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
