"""Filters over documents: comparisons of a key with a value, joined by every or some. Data, from whichever wire.

A key is one of the columns of `Filed` (document, title, at, media, language) or an attribute of the bringer's. A key
that a document does not have satisfies `ne` and `nin` and nothing else. `attr.KEY` always means the attribute.

Values of unlike types are not equal and have no order: `ne` holds between them and nothing else does. Numbers compare
as numbers (`at` is one, in microseconds), strings letter for letter. A truth is no number.
"""

from __future__ import annotations

from collections.abc import Mapping

from casemate.errors import BadInput
from casemate.knowledge.index.filed import Filed
from casemate.models.filter import Attribute, Compare, Every, Filter, Operator, Some

__all__ = ["COMPARISONS", "DEPTH", "VALUES", "Compare", "Every", "Filter", "Some", "checked", "holds"]

COMPARISONS = 64
DEPTH = 8
VALUES = 256  # of one list
_COLUMNS = frozenset({"document", "title", "at", "media", "language"})


def holds(rule: Filter, filed: Filed, extra: Mapping[str, Attribute] = {}) -> bool:
    """Whether a document satisfies it. `extra`: what is known beside its columns (its base, the mark of its class)."""
    if isinstance(rule, Every):
        return all(holds(each, filed, extra) for each in rule.of)
    if isinstance(rule, Some):
        return any(holds(each, filed, extra) for each in rule.of)
    return _compared(rule, _value(rule.key, filed, extra))


def checked(rule: Filter) -> Filter:
    """The filter, if it is small enough to be asked of every document. Raises BadInput."""
    left, joints = COMPARISONS, 2 * COMPARISONS
    level: list[Filter] = [rule]
    for _ in range(DEPTH):
        below: list[Filter] = []
        for each in level:
            if isinstance(each, Compare):
                left -= 1
                _sane(each)
            else:
                joints -= 1
                below.extend(each.of)
        if not below:
            break
        level = below
    else:
        raise BadInput(what=f"A filter is at most {DEPTH} levels deep.")
    if min(left, joints) < 0:
        raise BadInput(what=f"A filter has at most {COMPARISONS} comparisons.")
    return rule


def _sane(compare: Compare) -> None:
    listed = isinstance(compare.value, tuple)
    if listed != (compare.operator in ("in", "nin")):
        raise BadInput(what="A list is compared with `in` or `nin`, a single value with the others.")
    if isinstance(compare.value, tuple) and len(compare.value) > VALUES:
        raise BadInput(what=f"A list has at most {VALUES} values.")


def _value(key: str, filed: Filed, extra: Mapping[str, Attribute]) -> Attribute | None:
    if key.startswith("attr."):
        return filed.attributes.get(key[5:])
    if key in _COLUMNS:
        column: str | int = getattr(filed, key)
        return column if isinstance(column, str) else float(column)
    return extra[key] if key in extra else filed.attributes.get(key)


def _compared(compare: Compare, own: Attribute | None) -> bool:
    operator, asked = compare.operator, compare.value
    if operator in ("in", "nin"):
        among = own is not None and any(_same(own, each) for each in (asked if isinstance(asked, tuple) else (asked,)))
        return among == (operator == "in")
    if isinstance(asked, tuple):
        return False
    if operator in ("eq", "ne"):
        return (own is not None and _same(own, asked)) == (operator == "eq")
    if isinstance(own, bool) or isinstance(asked, bool):
        return False
    if isinstance(own, str) and isinstance(asked, str):
        return _ordered(operator, (own > asked) - (own < asked), own, asked)
    if isinstance(own, str) or isinstance(asked, str) or own is None:
        return False
    return _ordered(operator, (own > asked) - (own < asked))


def _same(one: Attribute, other: Attribute) -> bool:
    kinds = {bool if isinstance(each, bool) else str if isinstance(each, str) else float for each in (one, other)}
    return len(kinds) == 1 and one == other


def _ordered(operator: Operator, order: int, own: str = "", asked: str = "\0") -> bool:
    """`order` is -1, 0 or 1; parts are asked of strings alone."""
    if operator == "prefix":
        return own.startswith(asked)
    if operator == "contains":
        return asked in own
    return {"gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[operator]
