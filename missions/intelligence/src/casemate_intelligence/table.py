"""A row of a table as entities, by a mapping of FollowTheMoney; each value labelled by all the cells that shaped it.

What shaped a value is more than its own cell: an id is made of the key's cells, a telephone number is read with the
country beside it, and an edge takes the names of its ends. All of these join.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from followthemoney import model
from followthemoney.mapping.query import QueryMapping

from casemate.errors import BadInput
from casemate_intelligence.label import Label
from casemate_intelligence.record import Source, Statement
from casemate_intelligence.schema import statements

__all__ = ["Mapped"]

# it prints the values that it does not take
logging.getLogger("followthemoney.mapping").setLevel(logging.CRITICAL)

Cells = Mapping[str, Label]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping that was read. It opens nothing: rows are given to it."""

    query: QueryMapping

    @classmethod
    def of(cls, mapping: Mapping[str, Any], path: Path) -> Mapped:
        """Of `entities` alone: neither a database nor an address nor a filter. Raises BadInput."""
        if not isinstance(mapping, Mapping) or set(mapping) != {"entities"}:
            raise BadInput(what=f"The mapping of {path.name} has entities, and nothing else.")
        try:
            # the library wants to be told of a file; it is never opened by it
            return cls(model.make_mapping({"csv_url": path.resolve().as_uri(), **mapping}, key_prefix=None))
        except Exception as wrong:
            raise BadInput(what=f"The mapping of {path.name} is none: {str(wrong)[:200]}") from wrong

    def statements(self, row: Mapping[str, str], own: Label, cells: Cells, source: Source) -> Iterator[Statement]:
        """What the row says. `own`: the row's label, below all; `cells`: by column."""
        found = self.query.map(dict(row))
        base, whole = dict[str, Label](), dict[str, Label]()
        for entity in self.query.entities:
            ends = [each.entity for each in entity.properties if each.entity]
            needed = {ref for each in entity.properties if each.required for ref in each.refs}
            keys = [*entity.keys, *([entity.id_column] if entity.id_column else []), *needed]
            base[entity.name] = _join(own, [cells[key] for key in keys if key in cells])
            columns = [cells[ref] for ref in entity.refs if ref in cells]
            whole[entity.name] = _join(base[entity.name], columns + [whole[end] for end in ends])
            if entity.name in found:
                labels = self._labels(entity, base, whole, cells)
                proxy = found[entity.name]
                values = {prop.name: proxy.get(prop) for prop in proxy.iterprops()}
                told = {name: labels.get(name, whole[entity.name]) for name in ["", *values]}
                yield from statements(str(proxy.id), proxy.schema.name, values, source, told.__getitem__)

    def _labels(self, entity: Any, base: Cells, whole: Cells, cells: Cells) -> dict[str, Label]:
        """By property; what the library itself put there (the names of an edge's ends) has the label of the whole."""
        countries = [cells[ref] for each in entity.properties if _is_country(each) for ref in each.refs if ref in cells]
        labels = {"": base[entity.name]}
        for each in entity.properties:
            parts = [cells[ref] for ref in each.refs if ref in cells]
            parts += [base[each.entity]] if each.entity else []
            parts += [] if _is_country(each) else countries
            known = labels.get(each.prop.name, base[entity.name])
            labels[each.prop.name] = _join(known, parts)
        inlined = {"namesMentioned", "name"} if any(each.entity for each in entity.properties) else set()
        return labels | dict.fromkeys(inlined, whole[entity.name])


def _is_country(each: Any) -> bool:
    return bool(each.prop.type.name == "country")


def _join(first: Label, others: Iterable[Label]) -> Label:
    return reduce(Label.join, others, first)
