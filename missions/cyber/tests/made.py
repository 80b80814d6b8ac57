"""Events made from the rules themselves: what each asks for, so that every rule has something to say yes to."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from casemate_cyber.rules.pack import ONE, STAR, Node

Event = dict[str, Any]


def wanted(node: Node, last: bool = False) -> Event | None:
    """An event that the condition asks for, leaving `not` aside; None where a value cannot be made up."""
    match node[0]:
        case "and":
            whole: Event = {}
            for child in node[1]:
                part = wanted(child, last)
                if part is None:
                    return None
                for name, value in part.items():
                    whole[name] = f"{whole[name]} {value}" if name in whole and isinstance(value, str) else value
            return whole
        case "or":
            options = [found for child in node[1] if (found := wanted(child, last)) is not None]
            return (options[-1] if last else options[0]) if options else None
        case "not":
            return {}
        case "str":
            return {node[1]: "".join("xy" if p == STAR else "z" if p == ONE else p for p in node[2])}
        case "num":
            return {node[1]: node[2]}
        case "bool":
            return {node[1]: node[2]}
        case "cidr":
            return {node[1]: str(ip_network(node[2])[-1])}
        case "cmp":
            return {node[1]: node[3] + {"gt": 1, "lt": -1}.get(node[2], 0)}
        case "ref":
            return {node[1]: "same", node[2]: "Same"}
        case "null" | "exists":
            return {}
    return None


def events(node: Node) -> Iterator[Event]:
    """What is asked for first, and in capitals; what is asked for last, with a field missing, and with it empty."""
    first, last = wanted(node), wanted(node, last=True)
    if first:
        yield first
        yield {name: value.upper() if isinstance(value, str) else value for name, value in first.items()}
    if last:
        if last != first:
            yield last
        for name in [name for name in last if name not in ("EventID", "Channel")][-1:]:
            yield {other: value for other, value in last.items() if other != name}
            yield {**last, name: ""}
