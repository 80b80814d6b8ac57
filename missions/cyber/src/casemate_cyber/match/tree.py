"""A condition as one function, and the same condition asked why."""

from __future__ import annotations

from typing import Any

from casemate_cyber.match.leaf import Low, Raw, Test, strings, test_of, text_of
from casemate_cyber.rules.pack import ONE, STAR, Node

ALWAYS: Node = ("const", True)
NEVER: Node = ("const", False)


def fixed(node: Node, channel: str, event: str) -> Node:
    """The condition inside one route: what it says of channel and event id is already known there."""
    match node[0]:
        case "and" | "or":
            short, dull = (NEVER, ALWAYS) if node[0] == "and" else (ALWAYS, NEVER)
            inner = [fixed(child, channel, event) for child in node[1]]
            if short in inner:
                return short
            inner = [child for child in inner if child != dull]
            return dull if not inner else inner[0] if len(inner) == 1 else (node[0], tuple(inner))
        case "not":
            within = fixed(node[1], channel, event)
            return ("const", not within[1]) if within[0] == "const" else ("not", within)
    known = routed(node)
    if known is None:
        return node
    name, value = known
    return ("const", value == (channel if name == "Channel" else event))


def routed(leaf: Node) -> tuple[str, str] | None:
    """(Channel or EventID, value) of a leaf that asks for just that."""
    if leaf[0] == "num" and leaf[1] == "EventID":
        return "EventID", text_of(leaf[2])
    if leaf[0] == "str" and leaf[1] in ("Channel", "EventID") and not leaf[3]:
        pieces = leaf[2]
        if len(pieces) == 1 and isinstance(pieces[0], str):
            return leaf[1], pieces[0].lower()
    return None


def compiled(node: Node) -> Test:
    """The condition as one function of an event."""
    match node[0]:
        case "const":
            value = bool(node[1])
            return lambda low, raw: value
        case "not":
            inner = compiled(node[1])
            return lambda low, raw: not inner(low, raw)
        case "and":
            return _all([compiled(child) for child in sorted(node[1], key=_cost)])
        case "or":
            return _any(_merged(node[1]))
    return test_of(node)


def _cost(node: Node) -> int:
    """Cheap tests first: a plain field, then a list, then what walks the event."""
    match node[0]:
        case "and" | "or":
            return 4 + sum(_cost(child) for child in node[1])
        case "not":
            return 2 + _cost(node[1])
        case "re" | "cidr":
            return 40
        case "word":
            return 200
    return 1


def _merged(nodes: tuple[Node, ...]) -> list[Test]:
    """Values of one field become one test."""
    values: dict[str, list[Any]] = {}
    others: list[Node] = []
    for node in nodes:
        if node[0] == "str" and not node[3]:
            values.setdefault(node[1], []).append(node[2])
        else:
            others.append(node)
    return [strings(field, held) for field, held in values.items()] + [compiled(n) for n in sorted(others, key=_cost)]


def _all(tests: list[Test]) -> Test:
    if len(tests) == 2:
        a, b = tests
        return lambda low, raw: a(low, raw) and b(low, raw)
    if len(tests) == 3:
        a, b, c = tests
        return lambda low, raw: a(low, raw) and b(low, raw) and c(low, raw)

    def every(low: Low, raw: Raw) -> bool:
        for test in tests:
            if not test(low, raw):
                return False
        return True

    return every


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        a, b = tests
        return lambda low, raw: a(low, raw) or b(low, raw)

    def some(low: Low, raw: Raw) -> bool:
        for test in tests:
            if test(low, raw):
                return True
        return False

    return some


def reasons(node: Node, low: Low, raw: Raw) -> list[tuple[str, str, str]]:
    """Why a condition holds: (field, pattern, value) of each leaf that is true, as far as the rule needed it.

    What a rule must not have (`not`) is named by its absence from the list. Of an alternative, the first that holds.
    """
    found: list[tuple[str, str, str]] = []
    _why(node, low, raw, found)
    return found


def _why(node: Node, low: Low, raw: Raw, found: list[tuple[str, str, str]]) -> bool:
    match node[0]:
        case "const":
            return bool(node[1])
        case "not":
            return not _why(node[1], low, raw, [])
        case "and":
            held: list[tuple[str, str, str]] = []
            if all(_why(child, low, raw, held) for child in node[1]):
                found += held
                return True
            return False
        case "or":
            return any(_why(child, low, raw, found) for child in node[1])
    if not test_of(node)(low, raw):
        return False
    found.append(_told(node, raw))
    return True


def _told(leaf: Node, raw: Raw) -> tuple[str, str, str]:
    if leaf[0] == "word":
        text = written(leaf[1])
        plain = [piece.lower() for piece in leaf[1] if isinstance(piece, str)]
        at = next(((k, v) for k, v in raw.items() if all(piece in text_of(v).lower() for piece in plain)), ("", ""))
        return at[0], f"keyword {text}", text_of(at[1])
    return leaf[1], pattern(leaf), text_of(raw.get(leaf[1], ""))


def written(pieces: Any) -> str:
    """A value as a rule writes it."""
    return "".join("*" if piece == STAR else "?" if piece == ONE else piece for piece in pieces)


def pattern(leaf: Node) -> str:
    """What a leaf asks of its field, in words of the rule."""
    match leaf[0]:
        case "str":
            return written(leaf[2])
        case "re":
            return f"/{leaf[2]}/{leaf[3]}"
        case "cmp":
            return f"{leaf[2]} {leaf[3]}"
        case "part":
            return f"{leaf[2]} {leaf[3]} {leaf[4]}"
        case "null":
            return "null"
        case "exists":
            return "exists" if leaf[2] else "absent"
        case "ref":
            return f"{leaf[3]} {leaf[2]}"
    return text_of(leaf[2])
