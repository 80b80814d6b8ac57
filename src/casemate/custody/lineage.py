"""Where an object came from and what came of it, as plain values: a list of nodes and the arrows between them.

It is made from what one flow sees and nothing else. Every node bears its own label; the whole bears the label at which
it was asked for, and its picture the join of what is on it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.access import Flow
from casemate.clock import iso
from casemate.custody.kinds import ENTRY, Kinds
from casemate.custody.walk import Direction, Trace, Walk, found_at
from casemate.labels import Label
from casemate.objects import Ref

__all__ = ["Lineage", "Node", "lineage", "told"]


class Node(msgspec.Struct, frozen=True):
    """An object, or an answer in the ledger (kind `entry`). `title` is "" where it has none; `ref` is kind/id@class."""

    ref: str
    kind: str
    id: str
    title: str
    label: str
    mark: str


class Lineage(msgspec.Struct, frozen=True):
    """`arrows` are (source, made) by place in `nodes`; `roots` are what was asked for. `join`: the label of all of it.

    `cut`: there is more than is told here.
    """

    nodes: tuple[Node, ...]
    arrows: tuple[tuple[int, int], ...]
    roots: tuple[int, ...]
    join: str
    banner: str
    cut: bool = False


async def lineage(flow: Flow, kinds: Kinds, text: str, direction: Direction) -> Lineage:
    """What is visible of an object's lineage. Raises Absent, BadInput."""
    everybody = not flow.session.principal.roles & {"user"} and "officer" in flow.session.principal.roles
    roots = await found_at(flow, kinds, text, everybody)
    return told(flow, kinds, await Walk(flow, kinds, everybody).run(roots, direction))


def told(flow: Flow, kinds: Kinds, trace: Trace) -> Lineage:
    """A trace as it is told: nodes by kind, label and id, so that nothing shows in which order they were met."""
    policies = flow.gate.vault.region.policies
    places: dict[Ref, int] = {}
    nodes: list[Node] = []
    for ref, found in sorted(trace.found.items(), key=lambda item: (item[0].kind, item[1].label.text, item[0].id)):
        places[ref] = len(nodes)
        text = f"{ref.kind}/{ref.id}@{ref.class_id}"
        title = _title(kinds, trace, ref, found.value)
        nodes.append(Node(text, ref.kind, ref.id, title, found.label.text, policies.portion(found.label)))
    labels = [found.label for found in trace.found.values()]
    join = _join(labels)
    return Lineage(
        tuple(nodes),
        tuple(sorted((places[a], places[b]) for a, b in trace.edges if a in places and b in places)),
        tuple(sorted(places[ref] for ref in trace.roots)),
        join.text,
        policies.banner(join, flow.session.language),
        trace.cut,
    )


def _title(kinds: Kinds, trace: Trace, ref: Ref, value: Any) -> str:
    if ref.kind == ENTRY:
        ends = trace.entries.get(ref, [])
        return " ".join((ends[0].entry.principal, ends[0].entry.action, iso(ends[0].entry.at))) if ends else ""
    traced = kinds.traced.get(ref.kind)
    return traced.title(value) if traced is not None else ""


def _join(labels: list[Label]) -> Label:
    whole = labels[0]
    for label in labels[1:]:
        whole = whole | label
    return whole
