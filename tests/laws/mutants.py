"""Mutants: the gate with one rule broken, each named after the leak that it opens, each with its killer.

    python -m tests.laws.mutants        runs every mutant against its killer and prints killed/total

A mutant is a patch of the product's own code; its killer is a law of this folder on a bounded number of cases. One that
survives fails the run: then the law is blind there, and it is the law that must be mended.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from casemate.access import audit, classes, commit, core, flow, inspect, read, record, settle
from casemate.knowledge import Results, library
from casemate.labels import Label
from tests.laws import access_worlds, test_rungs
from tests.laws.two_worlds import HIDDEN, Leak, generate, judge
from tests.laws.world import a_world

searching = sys.modules["casemate.knowledge.search"]
Killer = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Mutant:
    """`leak` says what it would give away; `breaks` patches the rule; `killer` must not survive it."""

    name: str
    leak: str
    breaks: Callable[[], Any]
    killer: Killer


async def doors(count: int = 60) -> None:
    """The two worlds through ASGI."""
    for seed in range(count):
        await judge(generate(seed))


async def gates(count: int = 300) -> None:
    """The two worlds at the gate."""
    for start in range(0, count, 25):
        async with AsyncExitStack() as stack:
            one = await stack.enter_async_context(a_world(1))
            two = await stack.enter_async_context(a_world(1))
            observer = tuple(HIDDEN)[start // 25 % len(HIDDEN)]
            for seed in range(start, start + 25):
                await access_worlds.run(access_worlds.sequence(seed, observer), one, two)


async def rungs(count: int = 25) -> None:
    """The rung law."""
    for seed in range(count):
        await test_rungs.one_case(seed)


async def writes(count: int = 1) -> None:
    """What is kept lies exactly at the acting label, and never below it."""
    del count
    async with a_world(3) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        await world.person("low", "agency=EXERCISE")
        for asked in ("", "agency=EXERCISE"):
            await world.call("writer", "POST", "/api/answers", {"text": "(U) secret word", "label": asked}, label)
        seen = await world.call("low", "GET", "/api/answers")
        if b"secret word" in seen.body:
            raise Leak("an answer came down")
        mine = await world.call("writer", "GET", "/api/answers", acting=label)
        if b"secret word" not in mine.body:
            raise Leak("an answer was lost")


async def marked(count: int = 1) -> None:
    """A document rests where its marks say, and a question carries its mark."""
    del count
    async with a_world(4) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        await world.person("low", "agency=EXERCISE")
        text = b"SECRET//NOFORN\n\n(U) The pier is open.\n\n(S//NF) The hidden lantern.\n\nSECRET//NOFORN"
        await world.call("writer", "POST", "/api/documents?name=a.txt&base=law", text, label)
        await world.step("knowledge.ingest")
        seen = await world.call("low", "GET", "/api/search?q=hidden+lantern+pier")
        if b"hidden lantern" in seen.body or b"pier is open" not in seen.body:
            raise Leak("a portion rests at another label than its mark's")
        listed = await world.call("low", "GET", "/api/documents")
        if b"a.txt" in listed.body:
            raise Leak("a whole document rests below the join of its portions")
        asked = await world.call("low", "POST", "/api/ask", {"question": "(S//NF) the lantern?"})
        if asked.status != 403:
            raise Leak("a marked question was answered below its mark")


async def rested(count: int = 1) -> None:
    """A document all of whose portions are high is invisible below."""
    del count
    async with a_world(5) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        await world.person("low", "agency=EXERCISE")
        text = b"SECRET//NOFORN\n\n(S//NF) The covered sensor.\n\nSECRET//NOFORN"
        await world.call("writer", "POST", "/api/documents?name=b.txt&base=law", text, label)
        await world.step("knowledge.ingest")
        if b"covered" in (await world.call("low", "GET", "/api/search?q=covered+sensor")).body:
            raise Leak("a portion rests below its mark")


def swap(target: Any, name: str, value: Any) -> Callable[[], Any]:
    """A patch of one attribute."""
    return lambda: patch.object(target, name, value)


@contextmanager
def _dominates(f: Callable[[Label, Label], bool]) -> Iterator[None]:
    with patch.object(Label, "__le__", f):
        yield


def _meet_for_join() -> Any:
    """The whole of a document is what its portions have in common."""
    return patch.object(sys.modules["casemate.knowledge.portions"], "or_", lambda a, b: a & b)


def _level_only(a: Label, b: Label) -> bool:
    mine, theirs = dict(a.elements), dict(b.elements)
    return all(name in theirs and element.level <= theirs[name].level for name, element in mine.items())


def _all_visible(self: classes.Classes, acting: Label) -> list[Any]:
    del acting
    return sorted((c for c in self.everything() if not c.originator), key=lambda c: c.id)


def _swapped(self: classes.Classes, acting: Label) -> list[Any]:
    return sorted((c for c in self.everything() if not c.originator and acting <= c.label), key=lambda c: c.id)


@contextmanager
def _scan_then_filter() -> Iterator[None]:
    """Check after ranking: search everything, then drop what may not be seen."""
    right = library.Library.search

    async def wrong(self: Any, f: Any, asked: Any, names: Any, k: int) -> Any:
        with patch.object(classes.Classes, "visible", _all_visible):
            found = await right(self, f, asked, names, k)
        kept = tuple(hit for hit in found.hits if hit.label <= f.acting)
        return Results(kept, found.statistics)

    with patch.object(library.Library, "search", wrong):
        yield


@contextmanager
def _shared_df() -> Iterator[None]:
    """Document frequencies counted over every shard of the region."""
    seen: list[Any] = []
    right = searching.statistics
    shards = library.Library.shards

    async def all_shards(self: Any, f: Any, names: Any) -> Any:
        found = await shards(self, f, names)
        with patch.object(classes.Classes, "visible", _all_visible):
            seen[:] = await shards(self, f, names)
        return found

    with (
        patch.object(searching, "statistics", lambda terms, some: right(terms, seen or some)),
        patch.object(library.Library, "shards", all_shards),
    ):
        yield


@contextmanager
def _mixed_batch() -> Iterator[None]:
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
def _cache_without_class() -> Iterator[None]:
    """One cache for everybody: who asked before shows in what is read."""
    from collections import OrderedDict

    with patch.object(library.Library, "_cache", lambda self, f: self._domains.setdefault("", OrderedDict())):
        yield


@contextmanager
def _answers_cached_by_question() -> Iterator[None]:
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
def _shared_ledger_index() -> Iterator[None]:
    """The entry's number in the whole ledger is shown."""
    right = audit.entries

    def wrong(f: Any, limit: int = 200) -> Any:
        total = sum(f.gate.vault.reader.sizes().values())
        return [audit.Seen(s.entry, s.access, s.seq + total, s.kept) for s in right(f, limit)]

    with patch.object(audit, "entries", wrong):
        yield


@contextmanager
def _ids_from_a_counter() -> Iterator[None]:
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
def _inward_reason() -> Iterator[None]:
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
def _unique_across_classes() -> Iterator[None]:
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
def _strangers_at_the_floor() -> Iterator[None]:
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
def _stored_at_its_marking() -> Iterator[None]:
    """An answer stored where its first portion mark says."""
    from casemate.assistants import kept

    right = kept.keep

    async def wrong(f: Any, text: str, question: str, asked: str, at: Any) -> Any:
        readings, _ = f.gate.vault.region.policies.read_portion(text)
        if readings and f.floor <= (readings[0].label | f.floor) <= f.acting:
            f = f.at(readings[0].label | f.floor)
        return await right(f, text, question, asked, None)

    from casemate.doors.native import answers

    with patch.object(answers, "keep", wrong):
        yield


@contextmanager
def _write_where_asked() -> Iterator[None]:
    """The caller's own word about the label is believed."""

    async def wrong(f: Any, changes: Any, key: str, at: Any, facts: Any) -> Any:
        return await commit._land(f, at or f.acting, changes, key, facts)

    with patch.object(commit, "commit", wrong), patch.object(flow.commit, "commit", wrong):
        yield


@contextmanager
def _rung_from_the_whole() -> Iterator[None]:
    """A rung made from the search at the acting label, not at its own."""
    right = flow.Flow.at
    with patch.object(flow.Flow, "at", lambda self, label: self if label else right(self, label)):
        yield


@contextmanager
def _marks_ignored() -> Iterator[None]:
    """A question's marks are not looked at."""
    with patch.object(inspect, "marks", lambda f, text: []):
        yield


@contextmanager
def _settled_at_the_floor() -> Iterator[None]:
    """Every part of a document comes to rest at the floor."""
    right = settle.Settling._class
    with patch.object(settle.Settling, "_class", lambda self, label: right(self, self._floor)):
        yield


@contextmanager
def _one_entropy() -> Iterator[None]:
    """Identifiers drawn from one stream: what hidden sessions draw shifts everybody's."""
    from casemate.ids import DerivedEntropy

    right = DerivedEntropy.draw
    with patch.object(DerivedEntropy, "draw", lambda self, scope, size=16: right(self, "", size)):
        yield


@contextmanager
def _cursor_tells() -> Iterator[None]:
    """A page's continuation is made over all classes."""
    right = read.scan

    def wrong(f: Any, kind: Any, where: Any, after: Any, limit: int) -> Any:
        page = right(f, kind, where, after, limit)
        total = len(f.gate.classes.everything())
        return type(page)(page.items, page.after if page.after is None else f"{page.after}#{total}")

    with patch.object(read, "scan", wrong), patch.object(flow.read, "scan", wrong):
        yield


@contextmanager
def _deposit_tells() -> Iterator[None]:
    """The receipt of a deposit gives the version that it made above."""

    async def wrong(f: Any, to: Any, changes: Any, key: str) -> Any:
        return await commit._land(f, to, changes, key, {})

    with patch.object(commit, "deposit", wrong), patch.object(flow.commit, "deposit", wrong):
        yield


@contextmanager
def _everybodys_entries() -> Iterator[None]:
    """The ledger is read over all logs."""
    right = audit.entries

    def wrong(f: Any, limit: int = 200) -> Any:
        with patch.object(classes.Classes, "visible", _all_visible):
            return right(f, limit)

    with patch.object(audit, "entries", wrong):
        yield


MUTANTS = (
    Mutant("swapped-comparison", "the order is upside down", swap(classes.Classes, "visible", _swapped), gates),
    Mutant("levels-only", "compartments and releasability do not count", lambda: _dominates(_level_only), doors),
    Mutant("meet-for-join", "two labels together are the lower one", _meet_for_join, marked),
    Mutant("all-visible", "a scan sees every class", swap(classes.Classes, "visible", _all_visible), gates),
    Mutant("check-after-ranking", "hidden passages take places in the ranking", _scan_then_filter, doors),
    Mutant("shared-df", "scores count hidden documents", _shared_df, doors),
    Mutant("mixed-class-batch", "a vector depends on its neighbours", _mixed_batch, doors),
    Mutant("cache-without-class", "what was asked above is warm below", _cache_without_class, doors),
    Mutant("answers-cached-by-question", "Bob gets what Alice was told", _answers_cached_by_question, doors),
    Mutant("ledger-index-shared", "an entry's number counts hidden entries", _shared_ledger_index, gates),
    Mutant("ledger-of-everybody", "the ledger shows hidden sessions", _everybodys_entries, gates),
    Mutant("answer-stored-at-its-marking", "an answer is stored at its portion's mark", _stored_at_its_marking, writes),
    Mutant("write-where-asked", "a caller writes down by asking for it", _write_where_asked, writes),
    Mutant("refusal-with-the-inward-reason", "hidden and never-existing differ", _inward_reason, gates),
    Mutant("id-from-a-shared-counter", "ids count hidden objects", _ids_from_a_counter, gates),
    Mutant("one-entropy", "ids shift with hidden activity", _one_entropy, gates),
    Mutant("unique-across-classes", "an id taken above is refused below", _unique_across_classes, gates),
    Mutant("failures-at-the-floor", "hidden failures stand in the lowest log", _strangers_at_the_floor, gates),
    Mutant("cursor-counts-classes", "a continuation counts hidden classes", _cursor_tells, gates),
    Mutant("deposit-tells", "a deposit's receipt tells of above", _deposit_tells, gates),
    Mutant("rung-from-the-whole", "a rung depends on what lies above it", _rung_from_the_whole, rungs),
    Mutant("marks-ignored", "a marked question is answered below its mark", _marks_ignored, marked),
    Mutant("settled-at-the-floor", "a portion rests below its mark", _settled_at_the_floor, rested),
)


def killed(mutant: Mutant) -> bool:
    """Whether the killer saw the leak. That something crashed under the broken rule does not count."""

    async def attempt() -> None:
        with mutant.breaks():
            await mutant.killer()

    try:
        asyncio.run(attempt())
    except AssertionError:
        return True
    except Exception as error:  # noqa: BLE001 - a crash is no kill: the mutant must be seen to leak
        print(f"    ({type(error).__name__}: {str(error)[:160]})")
    return False


def main() -> int:
    """Every mutant; 1 where one survives."""
    dead = 0
    for mutant in MUTANTS:
        died = killed(mutant)
        dead += died
        print(f"{'killed  ' if died else 'SURVIVED'}  {mutant.name:34} {mutant.leak}", flush=True)
    for law in (doors, gates, rungs, writes, marked, rested):
        asyncio.run(law(10))
    print(f"{dead}/{len(MUTANTS)} mutants killed; the laws hold without them")
    return 0 if dead == len(MUTANTS) else 1


if __name__ == "__main__":
    sys.exit(main())
