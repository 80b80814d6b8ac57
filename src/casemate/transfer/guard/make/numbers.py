"""Numbers, written in one way: no plus, no exponent, no zero that says nothing."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from casemate.transfer.guard.schema import Number, Whole
from casemate.transfer.guard.verdict import held

__all__ = ["number", "whole"]

_LONGEST = 64  # characters of a number as it comes
_FAR = 40  # powers of ten


def whole(said: str, of: Whole) -> str:
    """A whole number within the schema's bounds. Raises Refused."""
    if len(said) > _LONGEST or not said.lstrip("-").isdecimal() or not said.isascii():
        raise held("guard-schema", "integer")
    try:
        value = int(said)
    except ValueError:
        raise held("guard-schema", "integer") from None
    if not of.least <= value <= of.most:
        raise held("guard-schema", "integer")
    return str(value)


def number(said: str, of: Number) -> str:
    """A decimal number, exactly as it was said. Raises Refused where it has more digits than the schema allows."""
    try:
        value = Decimal(said) if len(said) <= _LONGEST and said.isascii() and "_" not in said else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or not -_FAR < value.adjusted() < _FAR:
        raise held("guard-schema", "number")
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    assert isinstance(exponent, int)
    while text.endswith("0"):
        text, exponent = text[:-1], exponent + 1
    if len(text) > of.digits:
        raise held("guard-schema", "number")
    if not text:
        return "0"
    return ("-" if sign else "") + format(Decimal((0, tuple(map(int, text)), exponent)), "f")
