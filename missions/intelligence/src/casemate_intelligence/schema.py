"""FollowTheMoney as this mission uses it: the schemata as Kin, and one entity as statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from followthemoney import model

from casemate.errors import BadInput
from casemate_intelligence.kin import Kin
from casemate_intelligence.label import Label
from casemate_intelligence.record import Source, Statement

__all__ = ["LINK", "always", "kin", "statements"]

LINK = "Mention"
"""The schema of a mention: an edge here, from the document to what it names, though FollowTheMoney calls it none."""


@cache
def kin() -> Kin:
    """Edges with their ends, and ancestry, of every schema."""
    edges = {one.name: (str(one.edge_source), str(one.edge_target)) for one in model.schemata.values() if one.edge}
    above = {one.name: frozenset(each.name for each in one.schemata) - {one.name} for one in model.schemata.values()}
    return Kin({**edges, LINK: ("document", "resolved")}, above)


def always(label: Label) -> Callable[[str], Label]:
    """The same label for every property."""
    return lambda _: label


def statements(
    entity: str,
    schema: str,
    values: Mapping[str, Iterable[str]],
    source: Source,
    label: Callable[[str], Label],
) -> Iterator[Statement]:
    """That it is there, and each of its values as the model cleans it. `label`: of a property; of '' for its being.

    Raises BadInput for a schema or property that FollowTheMoney has not. A value that is none of its type is kept as
    it is written: what a source says is evidence, right or wrong.
    """
    known = model.get(schema)
    if known is None or known.abstract:
        raise BadInput(what=f"{schema[:80]} is no schema of an entity.")
    yield Statement(entity, schema, "", "", label(""), source)
    for name, given in values.items():
        prop = known.get(name)
        if prop is None:
            raise BadInput(what=f"{schema} has no property {name[:80]}.")
        if prop.stub:
            continue
        for value in given:
            text = str(value).strip()
            cleaned = text if prop.type.name == "entity" else prop.type.clean(text) or text
            if cleaned:
                yield Statement(entity, schema, name, cleaned, label(name), source, prop.type.name)
