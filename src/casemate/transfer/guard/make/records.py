"""JSON by a schema, read with the standard library's reader, written with sorted keys and nothing between values.

Before it is read, its brackets and commas are counted: what is nested or many beyond the bound is never built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from casemate.transfer.guard.make.numbers import number, whole
from casemate.transfer.guard.make.table import day
from casemate.transfer.guard.make.text import clean
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.schema import (
    Anything,
    Choice,
    Date,
    Each,
    Fields,
    Flag,
    Map,
    Maybe,
    Number,
    Row,
    Schema,
    Text,
    TextOr,
    Variants,
    Whole,
)
from casemate.transfer.guard.verdict import held

__all__ = ["Integral", "document", "lines", "loaded"]

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)


class _Lexeme(str):
    """A number, as it was written."""

    __slots__ = ()


class Integral(_Lexeme):
    """A whole one."""

    __slots__ = ()


def document(raw: bytes, profile: Profile, schema: Schema) -> bytes:
    """One value. Raises Refused."""
    if len(raw) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    return "".join(_said(loaded(raw, profile), schema, profile)).encode()


def lines(raw: bytes, profile: Profile, schema: Schema) -> bytes:
    """A value on each line. Raises Refused."""
    if len(raw) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    if raw.count(b"\n") > profile.entries:
        raise held("guard-count", f"{profile.entries:,} lines")
    found = raw.removesuffix(b"\n").split(b"\n") if raw else []
    return b"".join("".join(_said(loaded(line, profile), schema, profile)).encode() + b"\n" for line in found)


def loaded(raw: bytes, profile: Profile) -> Any:
    """The value, its numbers as they were written; no key twice. Raises Refused."""
    depth = count = 0
    if raw.count(b",") > 4 * profile.entries:  # before they are looked at one by one
        raise held("guard-count", f"{profile.entries:,} values")
    for token in _TOKENS.finditer(raw):
        byte = token[0]
        if byte in (b"[", b"{"):
            depth, count = depth + 1, count + 1
            if depth > profile.depth:
                raise held("guard-depth", f"{profile.depth} deep")
        elif byte in (b"]", b"}"):
            depth -= 1
        elif byte == b",":
            count += 1
        if count > profile.entries:
            raise held("guard-count", f"{profile.entries:,} values")
    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=Integral,
            parse_float=_Lexeme,
            parse_constant=_constant,
        )
    except UnicodeDecodeError:
        raise held("guard-encoding", "UTF-8") from None
    except RecursionError:
        raise held("guard-depth") from None
    except ValueError:
        raise held("guard-structure", "JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise held("guard-structure", "a key twice")
    return found


def _constant(said: str) -> NoReturn:
    raise held("guard-structure", said)


def _said(value: Any, shape: Schema, profile: Profile) -> Iterator[str]:
    """The value in pieces, as the shape wants it."""
    if isinstance(shape, Maybe):
        if value is None:
            yield "null"
            return
        yield from _said(value, shape.of, profile)
    elif isinstance(shape, TextOr):
        yield from _said(value, shape.text if isinstance(value, str) else shape.of, profile)
    elif isinstance(shape, Variants):
        named = value.get(shape.by) if isinstance(value, dict) else None
        variant = shape.of.get(named) if isinstance(named, str) else None
        if variant is None:
            raise held("guard-schema", shape.by[:40])
        yield from _fields(value, variant, profile)
    elif isinstance(shape, Fields):
        yield from _fields(value, shape, profile)
    elif isinstance(shape, Map):
        yield from _map(value, shape, profile)
    elif isinstance(shape, Each | Row):
        yield from _each(value, shape, profile)
    elif isinstance(shape, Anything):
        yield from _anything(value, profile)
    else:
        yield _one(value, shape, profile)


def _one(value: Any, shape: Schema, profile: Profile) -> str:
    if isinstance(shape, Whole) and isinstance(value, Integral):
        return whole(value, shape)
    if isinstance(shape, Number) and isinstance(value, _Lexeme):
        return number(value, shape)
    if isinstance(shape, Flag) and isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and not isinstance(value, _Lexeme):
        if isinstance(shape, Text):
            return _text(value, shape, profile)
        if isinstance(shape, Date):
            return f'"{day(value)}"'
        if isinstance(shape, Choice) and value in shape.of:
            return json.dumps(value)
    raise held("guard-schema", type(shape).__name__.lower())


def _text(value: str, shape: Text, profile: Profile) -> str:
    if shape.raw and not profile.strict:
        said = value
        if any("\ud800" <= c <= "\udfff" for c in set(value)):
            raise held("guard-encoding", "half a character")
    else:
        said = clean(value, profile, shape.lines)
    if len(said) > shape.most:
        raise held("guard-schema", "text")
    return json.dumps(said, ensure_ascii=shape.raw and not profile.strict)


def _fields(value: Any, shape: Fields, profile: Profile) -> Iterator[str]:
    missing = set(shape.fields) - set(shape.optional)
    if not isinstance(value, dict) or not missing <= set(value) <= set(shape.fields):
        raise held("guard-schema", "fields")
    comma = "{"
    for key in sorted(value):
        yield f"{comma}{json.dumps(key)}:"
        yield from _said(value[key], shape.fields[key], profile)
        comma = ","
    yield "}" if value else "{}"


def _map(value: Any, shape: Map, profile: Profile) -> Iterator[str]:
    if not isinstance(value, dict) or len(value) > shape.most:
        raise held("guard-schema", "map")
    named = {_text(key, shape.keys, profile): key for key in sorted(value)}
    if len(named) != len(value):
        raise held("guard-structure", "a key twice")
    comma = "{"
    for said in sorted(named, key=json.loads):
        yield f"{comma}{said}:"
        yield from _said(value[named[said]], shape.of, profile)
        comma = ","
    yield "}" if value else "{}"


def _each(value: Any, shape: Each | Row, profile: Profile) -> Iterator[str]:
    if not isinstance(value, list):
        raise held("guard-schema", "list")
    if isinstance(shape, Row):
        if len(value) != len(shape.of):
            raise held("guard-schema", "row")
        shapes = iter(shape.of)
    else:
        if len(value) > shape.most:
            raise held("guard-schema", "list")
        shapes = iter([shape.of] * len(value))
    comma = "["
    for each, of in zip(value, shapes, strict=True):
        yield comma
        yield from _said(each, of, profile)
        comma = ","
    yield "]" if value else "[]"


_ANY_TEXT = Text(most=10_000_000, raw=True)


def _anything(value: Any, profile: Profile) -> Iterator[str]:
    if profile.strict:
        raise held("guard-schema", "anything")
    if isinstance(value, _Lexeme):
        yield number(value, Number(digits=40))
    elif isinstance(value, bool | None):
        yield json.dumps(value)
    elif isinstance(value, str):
        yield _text(value, _ANY_TEXT, profile)
    elif isinstance(value, list):
        yield from _each(value, Each(Anything(), most=profile.entries), profile)
    else:
        yield from _map(value, Map(Anything(), _ANY_TEXT, profile.entries), profile)
