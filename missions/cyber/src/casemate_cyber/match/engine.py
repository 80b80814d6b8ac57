"""Which rules an event matches: routed by source, channel and event id, then by texts that must occur, then tried.

A route holds the rules that can match its events at all; routes are made when their first event comes. There are no
more of them than rules name channels and event ids: what no rule names counts as one more of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from casemate_cyber.match.leaf import Low, Raw, Test
from casemate_cyber.match.literals import needed
from casemate_cyber.match.tree import NEVER, compiled, fixed, reasons, routed
from casemate_cyber.rules.pack import Node, Rule
from casemate_cyber.rules.sources import ALSO

OTHER = "\x00other"


@dataclass(slots=True)
class Route:
    """The rules of one route: tests by number, those tried on every event, and who waits for which text."""

    tests: dict[int, Test]
    always: tuple[int, ...]
    waiting: list[tuple[int, ...]]
    finder: AhoCorasick | None

    def match(self, low: Low, raw: Raw) -> list[int]:
        """Numbers of the rules that the event matches, in order."""
        candidates = set(self.always)
        if self.finder is not None:
            text = "\n" + "\n".join(low.values()) + "\n"
            waiting = self.waiting
            for found in {at[0] for at in self.finder.find_matches_as_indexes(text, overlapping=True)}:
                candidates.update(waiting[found])
        tests = self.tests
        hits = [number for number in candidates if tests[number](low, raw)]
        hits.sort()
        return hits


def _required(node: Node) -> list[Node]:
    """Leaves that stand in every way to a yes."""
    if node[0] == "and":
        return [leaf for child in node[1] for leaf in _required(child)]
    return [] if node[0] in ("or", "not", "const") else [node]


def _asked(node: Node) -> tuple[frozenset[str], frozenset[str]]:
    """Channels and event ids that every way to a yes asks for: an event of another one needs no second look."""
    named = [known for leaf in _required(node) if (known := routed(leaf)) is not None]
    channels, events = (frozenset(value for name, value in named if name == which) for which in ("Channel", "EventID"))
    return channels, events


class Engine:
    """The rules of a pack, ready for events. Numbers of rules are their places in the pack."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self._routes: dict[tuple[str, str, str], Route] = {}
        self._known: dict[tuple[str, str, str], Route] = {}
        self._channels: set[str] = set()
        self._events: set[str] = set()
        self._asked = [_asked(rule.condition) for rule in rules]
        for rule in rules:
            self._note(rule.condition)

    def prepare(self, most: int = 24) -> None:
        """Make the routes that hold most rules before events come, and before other processes share the engine."""
        asked: Counter[tuple[str, str, str]] = Counter()
        for rule, (channels, events) in zip(self.rules, self._asked, strict=True):
            asked.update(
                (rule.source, channel, event) for channel in channels or [OTHER] for event in events or [OTHER]
            )
        for key, _ in asked.most_common(most):
            self.route(*key)

    def _note(self, node: Node) -> None:
        if node[0] in ("and", "or"):
            for child in node[1]:
                self._note(child)
        elif node[0] == "not":
            self._note(node[1])
        elif (known := routed(node)) is not None:
            (self._channels if known[0] == "Channel" else self._events).add(known[1])

    def match(self, source: str, low: Low, raw: Raw) -> list[int]:
        """Numbers of the rules that an event of a source matches, in order."""
        key = (source, low.get("Channel", OTHER), low.get("EventID", OTHER))
        route = self._known.get(key)
        if route is None:
            route = self.route(*key)
            if len(self._known) < 4096:
                self._known[key] = route
        return route.match(low, raw)

    def route(self, source: str, channel: str, event: str) -> Route:
        """The route of a source, channel and event id; what no rule names is one route with its like."""
        key = (source, channel if channel in self._channels else OTHER, event if event in self._events else OTHER)
        if key not in self._routes:
            self._routes[key] = self._made(*key)
        return self._routes[key]

    def _made(self, source: str, channel: str, event: str) -> Route:
        wanted = (source, *ALSO.get(source, ()))
        tests: dict[int, Test] = {}
        always: list[int] = []
        waiting: dict[str, list[int]] = {}
        for number, rule in enumerate(self.rules):
            channels, events = self._asked[number]
            if rule.source not in wanted or not channels <= {channel} or not events <= {event}:
                continue
            node = fixed(rule.condition, channel, event)
            if node == NEVER:
                continue
            tests[number] = compiled(node)
            literals = needed(node)
            if literals is None:
                always.append(number)
            for literal in literals or ():
                waiting.setdefault(literal, []).append(number)
        finder = None
        if waiting:
            finder = AhoCorasick(
                list(waiting),
                matchkind=MatchKind.Standard,
                store_patterns=False,
                implementation=Implementation.ContiguousNFA,
            )
        return Route(tests, tuple(always), [tuple(numbers) for numbers in waiting.values()], finder)

    def why(self, number: int, low: Low, raw: Raw) -> list[tuple[str, str, str]]:
        """(field, pattern, value) of what made a rule match."""
        return reasons(self.rules[number].condition, low, raw)
