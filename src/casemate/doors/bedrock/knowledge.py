"""What Retrieve and RetrieveAndGenerate read and write alike: a base's id, filters, and a passage as a reference.

A base is named by its name, or by an ARN that ends in it (boto3 takes no name of fewer than ten characters). An
attribute is never a list here, so that `listContains` asks what `equals` asks. What would change a result and is not
offered is refused by name, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from casemate.doors.bedrock.parts import malformed
from casemate.errors import BadInput, UnknownKnowledge
from casemate.models.filter import comparisons
from casemate.models.shelf import Attribute, Compare, Every, Filter, Some
from casemate.words import say

__all__ = ["base_of", "convert", "filter_of", "offered", "reference"]

_DEPTH, _MOST = 5, 100
_KEY = 64
_JOINS: dict[str, type[Every | Some]] = {"andAll": Every, "orAll": Some}
_NUMBERS = {"greaterThan": "gt", "greaterThanOrEquals": "gte", "lessThan": "lt", "lessThanOrEquals": "lte"}
_LISTS = {"in": "in", "notIn": "nin"}
_STRINGS = {"startsWith": "prefix", "stringContains": "contains"}
_VALUES = {"equals": "eq", "notEquals": "ne", "listContains": "eq"}
_OPERATORS = _NUMBERS | _LISTS | _STRINGS | _VALUES

T = TypeVar("T", bound=msgspec.Struct)


def convert(raw: Any, kind: type[T], language: str) -> T:
    """The body as it is described. Raises BadInput, naming the place."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise malformed(error, language) from None


def offered(given: Mapping[str, Any], language: str) -> None:
    """Raises BadInput for the first of these fields that is there: they are not offered."""
    for name, value in given.items():
        if value not in (None, {}, ""):
            raise BadInput(what=say("models.not_offered", language, name=name))


def base_of(id: str) -> str:
    """The one base that is meant. Raises UnknownKnowledge for what is no base's name."""
    name = id.rpartition("/")[2] if id.startswith("arn:") else id
    if not name or "," in name or name == "none":
        raise UnknownKnowledge(name=name[:200])
    return name


def filter_of(raw: Any, language: str) -> Filter | None:
    """A filter as this protocol writes it: one member says what it is. Raises BadInput."""
    if raw is None:
        return None
    found = _filter(raw, 0, language)
    if sum(1 for _ in comparisons(found)) > _MOST:
        raise _malformed(language)
    return found


def reference(text: str, document: str, attributes: Mapping[str, Attribute], **ours: str | int) -> dict[str, Any]:
    """A passage as a result or behind a citation. `ours` go under `casemate-NAME`, over an attribute of that name."""
    told = {f"casemate-{name}": value for name, value in ours.items() if value not in ("", 0)}
    return {
        "content": {"type": "TEXT", "text": text},
        "location": {"type": "CUSTOM", "customDocumentLocation": {"id": document}},
        "metadata": {**attributes, **told},
    }


def _filter(raw: Any, depth: int, language: str) -> Filter:
    if not isinstance(raw, dict) or len(raw) != 1 or depth >= _DEPTH:
        raise _malformed(language)
    [(name, inner)] = raw.items()
    if name in _JOINS:
        if not isinstance(inner, list) or len(inner) < 2:
            raise _malformed(language)
        return _JOINS[name](tuple(_filter(each, depth + 1, language) for each in inner))
    return _compare(name, inner, language)


def _compare(name: str, raw: Any, language: str) -> Compare:
    operator = cast(Any, _OPERATORS.get(name))
    if operator is None or not isinstance(raw, dict) or set(raw) != {"key", "value"}:
        raise _malformed(language)
    key, value = raw["key"], raw["value"]
    if not isinstance(key, str) or not 0 < len(key) <= _KEY:
        raise _malformed(language)
    if name in _LISTS:
        if not isinstance(value, list) or not 0 < len(value) <= _MOST:
            raise _malformed(language)
        return Compare(f"attr.{key}", operator, tuple(_value(each, language) for each in value))
    found = _value(value, language)
    right = isinstance(found, str) if name in _STRINGS else type(found) is float if name in _NUMBERS else True
    if not right:
        raise _malformed(language)
    return Compare(f"attr.{key}", operator, found)


def _value(raw: Any, language: str) -> Attribute:
    """A number is a float, as attributes are; a truth value stays what it is."""
    if isinstance(raw, bool | str):
        return raw
    if isinstance(raw, int | float):
        try:
            return float(raw)
        except OverflowError:
            raise _malformed(language) from None
    raise _malformed(language)


def _malformed(language: str) -> BadInput:
    return BadInput(what=say("bedrock.filter", language, depth=_DEPTH, most=_MOST))
