"""What a table or a document of JSON may hold: a schema is data, written by whoever asks and seen by whoever approves.

It says everything that may be there; what it does not name is refused. A schema is read by msgspec and never by the
parsers of the guard; both sides get the same shapes and walk them with code of their own.
"""

from __future__ import annotations

from typing import Final

import msgspec

from casemate.errors import BadInput

__all__ = [
    "SCHEMA",
    "Anything",
    "Choice",
    "Column",
    "Columns",
    "Date",
    "Each",
    "Fields",
    "Flag",
    "Map",
    "Maybe",
    "Number",
    "Row",
    "Schema",
    "Shape",
    "Text",
    "TextOr",
    "Variants",
    "Whole",
    "read_schema",
]

SCHEMA: Final = 64 << 10  # bytes of a schema
_DEPTH = 24


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is"):
    pass


class Text(_Shape, frozen=True, tag="text"):
    """`most` characters. `lines`: it may have several. `raw`: any characters, written in ASCII (tokens, patterns)."""

    most: int = 1_000
    lines: bool = False
    raw: bool = False


class Whole(_Shape, frozen=True, tag="integer"):
    """A whole number from `least` to `most`."""

    least: int = -(1 << 53)
    most: int = 1 << 53


class Number(_Shape, frozen=True, tag="number"):
    """A decimal number of at most `digits` digits, written without an exponent."""

    digits: int = 20


class Flag(_Shape, frozen=True, tag="boolean"):
    """true or false."""


class Date(_Shape, frozen=True, tag="date"):
    """YYYY-MM-DD."""


class Choice(_Shape, frozen=True, tag="choice"):
    """One of these."""

    of: tuple[str, ...]


class Each(_Shape, frozen=True, tag="list"):
    """At most `most` of one shape."""

    of: Shape
    most: int = 1_000


class Row(_Shape, frozen=True, tag="row"):
    """Exactly these, in this order."""

    of: tuple[Shape, ...]


class Fields(_Shape, frozen=True, tag="object"):
    """These fields and no others; those in `optional` may be absent."""

    fields: dict[str, Shape]
    optional: tuple[str, ...] = ()


class Map(_Shape, frozen=True, tag="map"):
    """At most `most` values of one shape under texts of the shape `keys`."""

    of: Shape
    keys: Text = Text(most=100)
    most: int = 1_000


class Maybe(_Shape, frozen=True, tag="maybe"):
    """null, or this."""

    of: Shape


class TextOr(_Shape, frozen=True, tag="text or"):
    """A text or a word, or else a row or an object."""

    text: Text | Choice
    of: Row | Fields


class Variants(_Shape, frozen=True, tag="variants"):
    """Objects of which the field `by` says which they are; in each of them it is a choice of that one word."""

    of: dict[str, Fields]
    by: str = "type"


class Anything(_Shape, frozen=True, tag="anything"):
    """Any value within the profile's bounds, every text of it written in ASCII. Inward alone."""


Shape = Anything | Text | Whole | Number | Flag | Date | Choice | Each | Row | Fields | Map | Maybe | TextOr | Variants


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`of` is a text, number, date, flag or choice. `empty`: a cell may be."""

    name: str
    of: Shape
    empty: bool = False


class Columns(_Shape, frozen=True, tag="table"):
    """A CSV: its first line has these names, in this order."""

    columns: tuple[Column, ...]


Schema = Shape | Columns


def read_schema(raw: bytes) -> Schema:
    """A schema in JSON. Raises BadInput."""
    if len(raw) > SCHEMA:
        raise BadInput(what=f"A schema has at most {SCHEMA:,} bytes.")
    try:
        found: Schema = msgspec.json.decode(raw, type=Schema)
        _sound(found, 0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadInput(what="This is no schema that the guard knows.") from None
    return found


def _sound(shape: Schema, depth: int) -> None:
    """Raises BadInput where it is nested too deeply or a cell of a table would not be one value."""
    if depth > _DEPTH:
        raise BadInput(what=f"A schema is nested at most {_DEPTH} deep.")
    if isinstance(shape, Columns):
        names = [column.name for column in shape.columns]
        single = all(isinstance(column.of, Text | Whole | Number | Flag | Date | Choice) for column in shape.columns)
        if not names or len(set(names)) != len(names) or not single:
            raise BadInput(what="A table has columns of different names, each of them of one value.")
        return
    for inner in _inner(shape):
        _sound(inner, depth + 1)


def _inner(shape: Shape) -> tuple[Shape, ...]:
    if isinstance(shape, Each | Map | Maybe | TextOr):
        return (shape.of,)
    if isinstance(shape, Row):
        return shape.of
    if isinstance(shape, Fields):
        if not set(shape.optional) <= set(shape.fields):
            raise BadInput(what="An optional field is one of the fields.")
        return tuple(shape.fields.values())
    return tuple(shape.of.values()) if isinstance(shape, Variants) else ()
