"""Everything that came of an object: by lineage, by the ledger, and by its own words.

Lineage and the ledger are certain: what they name is contained. Words are not: a program's writing that repeats twelve
of them in a row (an answer that was kept, what a batch gave back, what the ledger keeps beside an entry) goes with
what it repeats; what a person brought himself and that says the same is only named, for an officer to judge.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from casemate.access import Flow
from casemate.access.contain import Logged, logged, said
from casemate.crypto import digest
from casemate.custody.kinds import ENTRY, Kinds, Traced
from casemate.custody.quotes import Words, joined, quotes, runs
from casemate.custody.walk import Trace, Walk
from casemate.errors import Absent, Damaged
from casemate.objects import Found, Ref

__all__ = ["Derived", "copies", "derive", "family"]

ALL = 1 << 20
NOTHING = Words()


@dataclass(slots=True)
class Derived:
    """`trace`: all that is certain, the roots among it; `quoting`: of these, what was found by its words. `alike`: what
    people brought that says the same. `words`: its own. `entries`: what gave something of it to somebody."""

    trace: Trace
    words: Words = NOTHING
    quoting: frozenset[Ref] = frozenset()
    alike: list[Found[Any]] = field(default_factory=list)
    entries: list[Logged] = field(default_factory=list)

    def objects(self) -> list[Found[Any]]:
        """The objects, without the entries of the ledger."""
        return [one for ref, one in self.trace.found.items() if ref.kind != ENTRY and one.value is not None]


async def family(flow: Flow, kinds: Kinds, roots: Sequence[Found[Any]]) -> list[Found[Any]]:
    """What can be found at once: what hangs on the object by its own id and by what others name."""
    trace = await Walk(flow, kinds, everybody=True, most=ALL, quick=True, beside=True).run(roots, "down")
    return [one for one in trace.found.values() if one.value is not None]


async def derive(flow: Flow, kinds: Kinds, roots: Sequence[Found[Any]], before: Words = NOTHING) -> Derived:
    """Everything that came of these objects, as far as the flow sees. `before`: words of theirs that were known before.

    A root without a value is one that is no longer there: what came of it is found by its place alone.
    """
    walk = Walk(flow, kinds, everybody=True, most=ALL, beside=True)
    trace = await walk.run(roots, "down")
    words = runs(
        text
        for one in trace.found.values()
        if one.value is not None and one.ref.kind in kinds.traced and not kinds.traced[one.ref.kind].made(one.value)
        for text in kinds.traced[one.ref.kind].words(one.value)
    )
    words = joined(joined(words, before), Words(files=await _files(flow, kinds, trace)))
    sought, lengths = words.known(), words.lengths
    found = Derived(trace, words)
    if sought:
        quoting: list[Found[Any]] = []
        for traced in kinds.traced.values():
            for one in await flow.every(traced.kind):
                if one.ref not in trace.found and quotes(await _text(flow, traced, one), sought, lengths):
                    (quoting if traced.made(one.value) else found.alike).append(one)
        found.quoting = frozenset(one.ref for one in quoting)
        roots_were = list(trace.roots)
        await walk.run(quoting, "down")
        trace.roots[:] = roots_were
    keys = {(ref.kind, ref.id) for ref in trace.found}
    given = {each.entry.id: each for key, several in walk.entries().items() if key in keys for each in several}
    for each in logged(flow):
        if each.entry.id not in given and each.entry.content and quotes(said(flow, each), sought, lengths):
            given[each.entry.id] = each
    found.entries = sorted(given.values(), key=lambda each: (each.entry.at, each.entry.id))
    return found


async def _files(flow: Flow, kinds: Kinds, trace: Trace) -> tuple[bytes, ...]:
    """Digests of the bytes of what was found, by which copies are known that nobody names any more."""
    found: set[bytes] = set()
    for one in trace.found.values():
        traced = kinds.traced.get(one.ref.kind)
        if traced is not None and traced.inside is None and one.value is not None:
            for blob in traced.kind.blobs(one.value):
                with contextlib.suppress(Absent, Damaged):
                    found.update(copies(kinds, await flow.blob(one.ref.class_id, blob)))
    return tuple(sorted(found))


def copies(kinds: Kinds, raw: bytes) -> list[bytes]:
    """Digests under which bytes are known again: their own, and of what they have in common with other copies."""
    bare = [traced.bare(raw) for traced in kinds.traced.values() if traced.bare is not None]
    return [digest(raw), *(digest(each) for each in bare if each)]


async def _text(flow: Flow, traced: Traced, one: Found[Any]) -> str | bytes:
    """The words of an object; of what a program wrote also those in its bytes. What cannot be read says nothing."""
    words = "\n".join(traced.words(one.value))
    if not traced.made(one.value):
        return words
    parts = [words.encode()]
    for blob in traced.kind.blobs(one.value):
        try:
            parts.append(await flow.blob(one.ref.class_id, blob))
        except (Absent, Damaged):
            continue
    return b"\n".join(parts)
