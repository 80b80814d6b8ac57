"""The world as one label sees it: entities, edges and merges, made of the records that flow to it and of nothing else.

    records -> seen -> merged -> entities and edges -> measures, pictures, exports

`seen` alone looks at a record whose label does not flow to the view's. Everything after it is a function of what it
gave: so counts, names of clusters, order, scores and paths are those of a world in which the rest does not exist.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from casemate_intelligence.kin import Kin
from casemate_intelligence.label import Label
from casemate_intelligence.merge import Alike, Candidate, Known, Merged, folded, merged, same_name
from casemate_intelligence.record import Judgement, Record, Source, Statement, Withdrawal

__all__ = ["Edge", "Entity", "Fact", "Merge", "Settings", "Shown", "View", "seen", "view_of"]

ONLY = frozenset(
    "birthDate deathDate incorporationDate registrationNumber idNumber passportNumber taxNumber innCode ogrnCode "
    "leiCode vatCode swiftBic imoNumber full latitude longitude".split()
)
"""Properties of which one thing has one value: two entities that differ in one of them are not merged by name."""


def _no_links(_: Sequence[Statement]) -> Iterable[Candidate]:
    return ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that an entity has in this view, with one of its sources and the portion mark's label."""

    prop: str
    value: str
    source: Source
    label: Label


@dataclass(frozen=True, slots=True)
class Merge:
    """Why two members are one. `label`: the join of what that stands on; `source`: who judged it, or what compared."""

    left: str
    right: str
    score: float
    source: Source
    label: Label


@dataclass(frozen=True, slots=True)
class Entity:
    """`members`: the ids that are one here, the first of which names it. `label` joins its facts and its merges."""

    id: str
    schema: str
    name: str
    members: tuple[str, ...]
    facts: tuple[Fact, ...]
    label: Label
    merges: tuple[Merge, ...] = ()

    def values(self, prop: str) -> tuple[str, ...]:
        """Each value once, in the order of the alphabet."""
        return tuple(sorted({fact.value for fact in self.facts if fact.prop == prop}))


@dataclass(frozen=True, slots=True)
class Edge:
    """From `source` to `target`. `date`: the first that it has, or empty.

    `label`: the join of what it says and of the merges of its ends, without which it would not stand between them.
    """

    id: str
    schema: str
    source: str
    target: str
    date: str
    facts: tuple[Fact, ...]
    label: Label


Shown = Entity | Edge


@dataclass(frozen=True, slots=True)
class Settings:
    """How names are compared, from where on two are one, and from where on a person is asked."""

    kin: Kin
    alike: Alike = same_name
    merge_at: float = 0.98
    suggest_at: float = 0.85
    link: Callable[[Sequence[Statement]], Iterable[Candidate]] = _no_links
    """Scores pairs of a table's rows; it is given what the view sees, and nothing else."""


@dataclass(frozen=True, slots=True)
class View:
    """Entities by id and edges in order of their ids. What is asked of it is answered from it."""

    label: Label
    entities: Mapping[str, Entity]
    edges: tuple[Edge, ...]
    candidates: tuple[Candidate, ...]
    of: Mapping[str, str]

    def search(self, text: str) -> tuple[Entity, ...]:
        """Entities of which a name or value holds every word; those with the words in their name first."""
        words = folded(text).split()
        found = []
        for one in self.entities.values():
            name, whole = folded(one.name), folded(" ".join([one.name, *(fact.value for fact in one.facts)]))
            if words and all(word in whole for word in words):
                found.append((not all(word in name for word in words), one.name, one.id, one))
        return tuple(one for *_, one in sorted(found, key=lambda each: each[:3]))

    def expand(self, entity: str, hops: int = 1) -> View:
        """The part of it that stands within so many edges of one entity; empty where there is no such entity."""
        near, edge = {entity} & self.entities.keys(), {entity} & self.entities.keys()
        for _ in range(hops):
            edge = {other for each in edge for other in self._beside(each)} - near
            near |= edge
        return self._part(near)

    def path(self, start: str, end: str) -> tuple[Edge, ...]:
        """The fewest edges from one to the other, of either direction; of several, the first by id. Empty: none."""
        came: dict[str, tuple[str, Edge] | None] = {start: None} if start in self.entities else {}
        queue = deque(came)
        beside = self._all_beside()
        while queue and end not in came:
            at = queue.popleft()
            for other, edge in beside.get(at, ()):
                if other not in came:
                    came[other] = (at, edge)
                    queue.append(other)
        steps, step = list[Edge](), came.get(end)
        while step is not None:
            steps.append(step[1])
            step = came[step[0]]
        return tuple(reversed(steps))

    def between(self, first: str, last: str) -> View:
        """Edges from `first` to `last` (ISO 8601, both included; a month stands for its days) and their ends."""
        kept = tuple(edge for edge in self.edges if edge.date and first <= edge.date and edge.date[: len(last)] <= last)
        ends = {end for edge in kept for end in (edge.source, edge.target)}
        return View(self.label, _only(self.entities, ends), kept, (), self.of)

    def _beside(self, entity: str) -> list[str]:
        return [other for other, _ in self._all_beside().get(entity, ())]

    def _all_beside(self) -> dict[str, list[tuple[str, Edge]]]:
        beside = dict[str, list[tuple[str, Edge]]]()
        for edge in self.edges:
            beside.setdefault(edge.source, []).append((edge.target, edge))
            beside.setdefault(edge.target, []).append((edge.source, edge))
        return beside

    def _part(self, ids: set[str]) -> View:
        kept = tuple(edge for edge in self.edges if edge.source in ids and edge.target in ids)
        return View(self.label, _only(self.entities, ids), kept, (), self.of)


def seen(records: Iterable[Record], label: Label) -> list[Record]:
    """The records that flow to the label. The one place that looks at the others, and it drops them."""
    return [one for one in records if one.label.flows_to(label)]


def view_of(records: Iterable[Record], label: Label, settings: Settings) -> View:
    """Made anew from what flows to the label: no view is cut out of another."""
    visible = seen(records, label)
    statements = sorted({one for one in visible if isinstance(one, Statement)}, key=_order)
    withdrawn = {one.judgement for one in visible if isinstance(one, Withdrawal)}
    told = {one for one in visible if isinstance(one, Judgement) and one.id not in withdrawn}
    judgements = sorted(told, key=_judged)
    by_entity = dict[str, list[Statement]]()
    for statement in statements:
        by_entity.setdefault(statement.entity, []).append(statement)
    one = merged(
        {entity: _known(told, settings.kin) for entity, told in by_entity.items()},
        judgements,
        settings.kin,
        alike=settings.alike,
        merge_at=settings.merge_at,
        suggest_at=settings.suggest_at,
        more=settings.link(statements),
    )
    return _made(by_entity, _Merges.of(one, statements), label, settings.kin)


@dataclass(frozen=True, slots=True)
class _Merges:
    """Which entity each is part of, and for each that was merged why, with the join of those labels."""

    heads: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    why: Mapping[str, tuple[Merge, ...]]

    @classmethod
    def of(cls, one: Merged, statements: Sequence[Statement]) -> _Merges:
        compared, rows = dict[str, list[Label]](), list[Label]()
        for each in statements:
            if each.group == "name" or each.prop in ONLY:
                compared.setdefault(each.entity, []).append(each.label)
            if each.schema == "Person":
                rows.append(each.label)
        why = dict[str, list[Merge]]()
        for join in one.joins:
            if join.judgement is not None:
                label, source = join.judgement.label, Source(join.judgement.by, quote=join.judgement.why)
            else:
                # a linker has learnt from every row that it was given
                stood = rows if join.by == "rows" else [*compared[join.left], *compared[join.right]]
                label, source = reduce(Label.join, stood), Source(join.by)
            why.setdefault(one.of[join.left], []).append(Merge(join.left, join.right, join.score, source, label))
        return cls(one.of, one.candidates, {head: tuple(merges) for head, merges in why.items()})

    def head(self, entity: str) -> str:
        return self.heads.get(entity, entity)

    def labels(self, *heads: str) -> list[Label]:
        return [merge.label for head in heads for merge in self.why.get(head, ())]


def _made(by_entity: Mapping[str, list[Statement]], merges: _Merges, label: Label, kin: Kin) -> View:
    members = dict[str, list[str]]()
    for entity in sorted(by_entity):
        members.setdefault(merges.head(entity), []).append(entity)
    entities, edges = dict[str, Entity](), list[Edge]()
    for head, ids in members.items():
        statements = [statement for each in ids for statement in by_entity[each]]
        schema = kin.narrowest({statement.schema for statement in statements})
        if schema in kin.edges:
            edges += _edges(head, schema, statements, merges, kin)
        else:
            entities[head] = _entity(head, schema, ids, statements, merges)
            edges += _references(head, statements, merges)
    whole = [edge for edge in edges if edge.source in entities and edge.target in entities]
    return View(label, entities, tuple(sorted(whole, key=lambda edge: edge.id)), merges.candidates, merges.heads)


def _entity(head: str, schema: str, ids: list[str], statements: list[Statement], merges: _Merges) -> Entity:
    names = sorted(statement.value for statement in statements if statement.group == "name")
    shown = names or sorted(
        statement.value for statement in statements if statement.prop in ("full", "title", "summary", "fileName")
    )
    label = _label(statements, merges.labels(head))
    name = shown[0] if shown else head
    return Entity(head, schema, name, tuple(ids), _facts(statements, merges), label, merges.why.get(head, ()))


def _edges(head: str, schema: str, statements: list[Statement], merges: _Merges, kin: Kin) -> list[Edge]:
    """One for each pair of ends: most have one."""
    start, end = kin.edges[schema]
    sources = sorted({merges.head(one.value) for one in statements if one.prop == start})
    targets = sorted({merges.head(one.value) for one in statements if one.prop == end})
    dates = sorted(one.value for one in statements if one.group == "date")
    pairs = [(a, b) for a in sources for b in targets]
    return [
        Edge(
            head if len(pairs) == 1 else f"{head}:{number}",
            schema,
            a,
            b,
            dates[0] if dates else "",
            _facts(statements, merges),
            _label(statements, merges.labels(head, a, b)),
        )
        for number, (a, b) in enumerate(pairs)
    ]


def _references(head: str, statements: list[Statement], merges: _Merges) -> list[Edge]:
    """A property of an entity whose value is another entity is an edge too: an address, a parent."""
    made = dict[tuple[str, str], list[Statement]]()
    for one in statements:
        if one.group == "entity":
            made.setdefault((one.prop, merges.head(one.value)), []).append(one)
    return [
        Edge(
            f"{head}:{prop}:{other}",
            prop,
            head,
            other,
            "",
            _facts(told, merges),
            _label(told, merges.labels(head, other)),
        )
        for (prop, other), told in sorted(made.items())
        if other != head
    ]


def _facts(statements: list[Statement], merges: _Merges) -> tuple[Fact, ...]:
    """A reference to what was merged says that merge too, and bears its label."""
    facts = list[Fact]()
    for one in sorted(statements, key=_order):
        value = merges.head(one.value) if one.group == "entity" else one.value
        moved = merges.labels(value) if value != one.value else []
        if one.prop:
            facts.append(Fact(one.prop, value, one.source, reduce(Label.join, moved, one.label)))
    return tuple(facts)


def _known(statements: list[Statement], kin: Kin) -> Known:
    only = dict[str, set[str]]()
    for one in statements:
        if one.prop in ONLY:
            only.setdefault(one.prop, set()).add(one.value)
    names = tuple(sorted({one.value for one in statements if one.group == "name"}))
    schema = kin.narrowest({one.schema for one in statements})
    return Known(schema, names, {prop: frozenset(values) for prop, values in only.items()})


def _label(statements: list[Statement], others: Iterable[Label] = ()) -> Label:
    """That of the whole: each statement's, and each merge's."""
    return reduce(Label.join, [*(one.label for one in statements[1:]), *others], statements[0].label)


def _only(entities: Mapping[str, Entity], ids: set[str]) -> dict[str, Entity]:
    return {name: one for name, one in entities.items() if name in ids}


def _judged(one: Judgement) -> tuple[object, ...]:
    return (one.id, one.left, one.right, one.same, one.by, one.at, one.why, _rank(one.label))


def _order(one: Statement) -> tuple[object, ...]:
    return (one.entity, one.prop, one.value, one.schema, one.source, one.group, _rank(one.label))


def _rank(label: Label) -> tuple[object, ...]:
    """Any fixed order: records stand in it however they arrived."""
    releasable = (label.releasable is not None, tuple(sorted(label.releasable or ())))
    return (label.level, tuple(sorted(label.needs)), releasable)
