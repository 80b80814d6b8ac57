"""A parsed condition of pySigma as a node of a pack."""

from __future__ import annotations

from typing import Any

import re2
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from casemate_cyber.match.regular import QUIET, pattern_of
from casemate_cyber.rules.pack import ONE, STAR, Node


class Unsupported(ValueError):
    """The rule asks for what this engine does not do; the text says what."""


def node_of(parsed: Any) -> Node:
    """One condition.

    Raises:
        Unsupported: a value of a kind that has no meaning over an event.
    """
    match parsed:
        case ConditionAND() | ConditionOR():
            name = "and" if isinstance(parsed, ConditionAND) else "or"
            nodes = tuple(node_of(inner) for inner in parsed.args if inner is not None)
            return nodes[0] if len(nodes) == 1 else (name, nodes)
        case ConditionNOT():
            return ("not", node_of(parsed.args[0]))
        case ConditionFieldEqualsValueExpression():
            return _leaf(parsed.field, parsed.value)
        case ConditionValueExpression():
            return _word(parsed.value)
    raise Unsupported(f"a condition of kind {type(parsed).__name__}")


def _leaf(field: str, value: Any) -> Node:
    match value:
        case SigmaString():
            return ("str", field, pieces(value), isinstance(value, SigmaCasedString))
        case SigmaTimestampPart():
            return ("part", field, value.timestamp_part.name.lower(), "eq", value.number)
        case SigmaNumber():
            return ("num", field, value.number)
        case SigmaBool():
            return ("bool", field, value.boolean)
        case SigmaNull():
            return ("null", field)
        case SigmaExists():
            return ("exists", field, value.exists)
        case SigmaRegularExpression():
            flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
            return _regular(field, str(value.regexp.to_plain()), flags)
        case SigmaExpansion():
            return ("or", tuple(_leaf(field, inner) for inner in value.values))
        case SigmaCIDRExpression():
            return ("cidr", field, str(value.network))
        case SigmaCompareExpression():
            operator = value.op.name.lower()
            if isinstance(value.number, SigmaTimestampPart):
                return ("part", field, value.number.timestamp_part.name.lower(), operator, value.number.number)
            return ("cmp", field, operator, value.number.number)
        case SigmaFieldReference():
            mode = "starts" if value.starts_with else "ends" if value.ends_with else "equal"
            return ("ref", field, value.field, mode)
    raise Unsupported(f"field {field} is compared with a {type(value).__name__}, which this engine does not evaluate")


def _regular(field: str, pattern: str, flags: str) -> Node:
    """Regular expressions run on RE2 alone: its time is linear in the text, whatever the expression."""
    try:
        re2.compile(pattern_of(pattern, flags), QUIET)
    except re2.error as fault:
        raise Unsupported(f"a regular expression that RE2 does not take ({fault}): {pattern[:120]}") from None
    return ("re", field, pattern, flags)


def _word(value: Any) -> Node:
    if isinstance(value, SigmaString):
        return ("word", pieces(value))
    if isinstance(value, SigmaNumber):
        return ("word", (str(value.number),))
    raise Unsupported(f"a keyword that is a {type(value).__name__}")


def pieces(value: SigmaString) -> tuple[str | int, ...]:
    """Text and wildcards of a value.

    Raises:
        Unsupported: a placeholder that nobody has filled in.
    """
    found: list[str | int] = []
    for piece in value.s:
        if isinstance(piece, str):
            found.append(piece)
        elif piece == SpecialChars.WILDCARD_MULTI:
            found.append(STAR)
        elif piece == SpecialChars.WILDCARD_SINGLE:
            found.append(ONE)
        elif isinstance(piece, Placeholder):
            raise Unsupported(f"a placeholder, %{piece.name}%, that this installation has no values for")
    return tuple(found)
