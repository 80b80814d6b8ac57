"""Whether a whole answer has the shape that was asked for: JSON, and of that JSON Schema (draft 2020-12).

    problem(schema)     what this checker cannot decide in it, or ""
    holdable(schema)    what an engine of ours cannot hold an answer to while it writes, or ""
    fits(schema, text)  what is wrong with an answer, or "" where it fits; "" as schema: any JSON object

An engine's own promise is never taken for it. A keyword that is not known here is told, never passed over: an answer
that was not judged by all that was asked is not called fitting. It costs at most STEPS steps, fetches nothing, and runs
patterns on a machine that cannot be slowed down. Problems name places and keywords, never a value of the answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Final, NoReturn

from casemate.models.pattern import BadPattern, TooCostly
from casemate.models.shape_pattern import Search

__all__ = ["ANSWER", "SCHEMA", "STEPS", "fits", "holdable", "problem"]

SCHEMA: Final = 256 << 10  # bytes
ANSWER: Final = 8 << 20  # characters
STEPS: Final = 200_000
DEPTH: Final = 64


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> bool:
    return _number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _number,
    "integer": _whole,
}
_SILENT: Final = frozenset((
    "$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    "format", "contentEncoding", "contentMediaType",
))  # fmt: skip
"""They say something and demand nothing (format: JSON Schema validation, section 7.2.1)."""
_ONE: Final = frozenset((
    "items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else",
))  # fmt: skip
_MANY: Final = frozenset(("anyOf", "oneOf", "allOf", "prefixItems"))
_NAMED: Final = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs", "definitions"))
_COUNTS: Final = frozenset((
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains",
))  # fmt: skip
_BOUNDS: Final = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_PLAIN: Final = frozenset(("type", "enum", "const", "required", "pattern", "uniqueItems", "dependentRequired", "$ref"))
_KNOWN: Final = _SILENT | _ONE | _MANY | _NAMED | _COUNTS | _BOUNDS | _PLAIN
_HELD: Final = _KNOWN - frozenset((
    "not", "if", "then", "else", "contains", "minContains", "maxContains", "uniqueItems", "dependentRequired",
    "dependentSchemas", "propertyNames", "oneOf", "format", "contentEncoding", "contentMediaType", "$id",
))  # fmt: skip


class _Wrong(Exception):
    """The text says what and where."""


def problem(schema: bytes | str) -> str:
    """What cannot be judged in a schema: not JSON, too large or deep, an unknown keyword, a reference elsewhere."""
    return _told(schema, _KNOWN)


def holdable(schema: bytes | str) -> str:
    """As `problem`, for what an engine of ours holds an answer to. Keywords it cannot keep are named, not ignored."""
    return _told(schema, _HELD)


def fits(schema: bytes | str, text: str) -> str:
    """What is wrong with the answer; "" where it is JSON (RFC 8259, no name twice) and fits."""
    if len(text) > ANSWER:
        return "it is too long to be judged"
    try:
        wanted = _read(schema) if schema else {"type": "object"}
        _look(wanted, wanted, _KNOWN)
        _Check(wanted).value(wanted, _parsed(text), "", 0)
    except _Wrong as wrong:
        return str(wrong)
    except RecursionError:
        return "it is nested too deeply"
    return ""


def _told(schema: bytes | str, known: frozenset[str]) -> str:
    try:
        wanted = _read(schema)
        _look(wanted, wanted, known)
    except _Wrong as wrong:
        return str(wrong)
    except RecursionError:
        return "the schema is nested too deeply"
    return ""


def _read(schema: bytes | str) -> Any:
    if len(schema) > SCHEMA:
        raise _Wrong("the schema is too large")
    try:
        wanted = _parsed(schema.decode() if isinstance(schema, bytes) else schema)
    except (_Wrong, UnicodeDecodeError):
        raise _Wrong("the schema is not JSON") from None
    if not isinstance(wanted, dict):
        raise _Wrong("the schema is not an object")
    return wanted


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_once)
    except ValueError:
        raise _Wrong("it is not JSON") from None


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _finite(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise ValueError
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


# ---- the schema itself --------------------------------------------------------------------------------------------


def _look(root: Any, schema: Any, known: frozenset[str], depth: int = 0) -> None:
    """Raises _Wrong at the first thing that is not known or not well formed."""
    if depth > DEPTH:
        raise _Wrong("the schema is nested too deeply")
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise _Wrong("a schema in it is neither an object nor a boolean")
    for word, told in schema.items():
        if word not in known:
            raise _Wrong(f"the keyword {word[:40]!r} is not supported")
        if not _formed(root, word, told):
            raise _Wrong(f"what the schema says of {word!r} is not supported")
    for inner in _inside(schema):
        _look(root, inner, known, depth + 1)


def _formed(root: Any, word: str, told: Any) -> bool:
    if word in _COUNTS:
        return _whole(told) and told >= 0
    if word in _BOUNDS:
        return _number(told) and (word != "multipleOf" or told > 0)
    if word in _NAMED:
        return isinstance(told, dict) and (word != "patternProperties" or all(map(_pattern, told)))
    match word:
        case "type":
            return all(
                isinstance(each, str) and each in _TYPES for each in (told if isinstance(told, list) else [told])
            )
        case "enum":
            return isinstance(told, list) and bool(told)
        case "required":
            return isinstance(told, list) and all(isinstance(each, str) for each in told)
        case "dependentRequired":
            return isinstance(told, dict) and all(_formed(root, "required", each) for each in told.values())
        case "pattern":
            return isinstance(told, str) and _pattern(told)
        case "uniqueItems":
            return isinstance(told, bool)
        case "$ref":
            return isinstance(told, str) and _named(root, told) is not None
        case _:
            return isinstance(told, list) and bool(told) if word in _MANY else True


def _inside(schema: dict[str, Any]) -> Iterator[Any]:
    for word, told in schema.items():
        if word in _ONE:
            yield told
        elif word in _MANY:
            yield from told
        elif word in _NAMED:
            yield from told.values()


def _named(root: Any, reference: str) -> Any:
    """The schema in the same document that a JSON Pointer names (RFC 6901); None for any other reference."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    found = root
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name[:6]) < len(found):
            found = found[int(name[:6])]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return None
    return found if isinstance(found, dict | bool) else None


def _pattern(source: str) -> bool:
    try:
        Search(source)
    except BadPattern:
        return False
    return True


# ---- an answer against it -----------------------------------------------------------------------------------------


class _Check:
    """One judgement. Places are JSON Pointers with the names of the schema, and `*` for any other."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = STEPS
        self._patterns: dict[str, Search] = {}
        self._known: dict[tuple[int, int], frozenset[str]] = {}

    def value(self, schema: Any, value: Any, at: str, depth: int) -> None:
        """Raises _Wrong where the value does not fit."""
        self._spend(1)
        if depth > 4 * DEPTH:
            raise _Wrong("it is nested too deeply")
        if isinstance(schema, bool):
            self._must(schema, at, "nothing may stand there")
            return
        self._itself(schema, value, at)
        self._joined(schema, value, at, depth + 1)
        if isinstance(value, str):
            self._text(schema, value, at)
        elif isinstance(value, list):
            self._list(schema, value, at, depth + 1)
        elif isinstance(value, dict):
            self._object(schema, value, at, depth + 1)
        elif _number(value):
            self._amount(schema, value, at)

    def _must(self, condition: bool, at: str, word: str) -> None:
        if not condition:
            raise _Wrong(f"{at or '/'}: {word}")

    def _passes(self, schema: Any, value: Any, depth: int) -> bool:
        try:
            self.value(schema, value, "", depth)
        except _Wrong:
            if self._left < 0:
                raise
            return False
        return True

    def _itself(self, schema: dict[str, Any], value: Any, at: str) -> None:
        if (kind := schema.get("type")) is not None:
            kinds = kind if isinstance(kind, list) else [kind]
            self._must(any(_TYPES[each](value) for each in kinds), at, "type")
        if "enum" in schema:
            self._must(self._key(value) in self._keys(schema, schema["enum"]), at, "enum")
        if "const" in schema:
            self._must(self._key(value) in self._keys(schema, [schema["const"]]), at, "const")

    def _joined(self, schema: dict[str, Any], value: Any, at: str, depth: int) -> None:
        if "$ref" in schema:
            self.value(_named(self._root, schema["$ref"]), value, at, depth)
        for each in schema.get("allOf", ()):
            self.value(each, value, at, depth)
        if "anyOf" in schema:
            self._must(any(self._passes(each, value, depth) for each in schema["anyOf"]), at, "anyOf")
        if "oneOf" in schema:
            self._must(sum(self._passes(each, value, depth) for each in schema["oneOf"]) == 1, at, "oneOf")
        if "not" in schema:
            self._must(not self._passes(schema["not"], value, depth), at, "not")
        if "if" in schema:
            branch = "then" if self._passes(schema["if"], value, depth) else "else"
            self.value(schema.get(branch, True), value, at, depth)

    def _text(self, schema: dict[str, Any], value: str, at: str) -> None:
        self._must(schema.get("minLength", 0) <= len(value), at, "minLength")
        self._must(len(value) <= schema.get("maxLength", len(value)), at, "maxLength")
        if "pattern" in schema:
            self._must(self._found(schema["pattern"], value), at, "pattern")

    def _amount(self, schema: dict[str, Any], value: int | float, at: str) -> None:
        exact = _exact(value)
        bounds: tuple[tuple[str, Callable[[Fraction], bool]], ...] = (
            ("minimum", lambda told: exact >= told),
            ("maximum", lambda told: exact <= told),
            ("exclusiveMinimum", lambda told: exact > told),
            ("exclusiveMaximum", lambda told: exact < told),
            ("multipleOf", lambda told: (exact / told).denominator == 1),
        )
        for word, holds in bounds:
            if word in schema:
                self._must(holds(_exact(schema[word])), at, word)

    def _list(self, schema: dict[str, Any], value: list[Any], at: str, depth: int) -> None:
        self._sized(schema, "Items", len(value), at)
        first = schema.get("prefixItems", ())
        for place, each in enumerate(value):
            inner = first[place] if place < len(first) else schema.get("items", True)
            self.value(inner, each, f"{at}/{place}", depth)
        if schema.get("uniqueItems"):
            keys = [self._key(each) for each in value]
            self._must(len(set(keys)) == len(keys), at, "uniqueItems")
        if "contains" in schema:
            count = sum(self._passes(schema["contains"], each, depth) for each in value)
            self._must(schema.get("minContains", 1) <= count <= schema.get("maxContains", count), at, "contains")

    def _object(self, schema: dict[str, Any], value: dict[str, Any], at: str, depth: int) -> None:
        self._sized(schema, "Properties", len(value), at)
        for name in schema.get("required", ()):
            self._must(name in value, at, "required")
        for name, others in schema.get("dependentRequired", {}).items():
            self._must(name not in value or all(other in value for other in others), at, "dependentRequired")
        for name, inner in schema.get("dependentSchemas", {}).items():
            if name in value:
                self.value(inner, value, at, depth)
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, each in value.items():
            place = f"{at}/{name[:40]}" if name in known else f"{at}/*"
            inner = [known[name]] if name in known else []
            inner += [told for source, told in patterns.items() if self._found(source, name)]
            for told in inner or [schema.get("additionalProperties", True)]:
                self.value(told, each, place, depth)
            if "propertyNames" in schema:
                self.value(schema["propertyNames"], name, place, depth)

    def _sized(self, schema: dict[str, Any], what: str, size: int, at: str) -> None:
        self._must(schema.get(f"min{what}", 0) <= size, at, f"min{what}")
        self._must(size <= schema.get(f"max{what}", size), at, f"max{what}")

    def _found(self, source: str, text: str) -> bool:
        if source not in self._patterns:
            self._patterns[source] = Search(source)
        self._spend(len(text) * len(source) // 16)
        try:
            return self._patterns[source].found(text)
        except TooCostly:
            raise _Wrong("it takes too long to be judged") from None

    def _keys(self, schema: dict[str, Any], values: list[Any]) -> frozenset[str]:
        place = (id(schema), id(values) if values is schema.get("enum") else 0)
        if place not in self._known:
            self._known[place] = frozenset(map(self._key, values))
        return self._known[place]

    def _key(self, value: Any) -> str:
        """The value written so that equal ones are equal text."""
        written = _canonical(value)
        self._spend(len(written) // 64)
        return written

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise _Wrong("it takes too long to be judged")


def _exact(value: int | float) -> Fraction:
    """A number as it was written, not as the machine keeps it: 0.3 is three times 0.1."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _canonical(value: Any) -> str:
    """Equal for equal JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, int | float):
        return str(_exact(value))
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    return "{" + ",".join(f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value)) + "}"
