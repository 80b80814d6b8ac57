"""Alerts without their rules: what may be asked to go down to where the logs came from.

A line has what was seen (host, user, count, times, file and record: enough to find it again in one's own logs) apart
from the words that must not leave with it. Whoever keeps such a line leaves out each value that holds one of them. The
event itself is not in it: the value that a pattern looks for would say the pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from casemate_cyber.rules.pack import Correlation, Node, Pack, Rule
from casemate_cyber.scan.alerts import Alert

LEAST, LONGEST, MOST = 4, 480, 500


class Releasable:
    """The lines of one run. A rule's words are collected once."""

    def __init__(self, pack: Pack) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in pack.rules:
            self._rules.setdefault(rule.id, []).append(rule)
        self._correlations = {each.id: each for each in pack.correlations}
        self._words: dict[str, tuple[str, ...]] = {}

    def line(self, alert: Alert) -> dict[str, Any]:
        """{"key", "saw": name -> value, "withheld": words}; of a rule's many literals those that a value holds."""
        saw = {
            "host": alert.host[:LONGEST],
            "user": alert.user[:LONGEST],
            "count": alert.count,
            "first": alert.first[:LONGEST],
            "last": alert.last[:LONGEST],
            "file": alert.file[:LONGEST],
            "record": alert.record[:LONGEST],
        }
        said = {name: value for name, value in saw.items() if value != ""}
        seen = "\n".join(" ".join(str(value).split()) for value in said.values()).casefold()
        patterns = [pattern[:LONGEST] for _, pattern, _ in alert.why if len(pattern) >= LEAST]
        basic = (alert.rule, alert.title, *_names(alert.author), *alert.tags)
        own = [word for word in self._of(alert.rule) if word.casefold() in seen]
        withheld = dict.fromkeys(word for word in (*basic, *patterns, *own) if word)
        return {"key": alert.key, "saw": said, "withheld": list(withheld)[:MOST]}

    def _of(self, id: str) -> tuple[str, ...]:
        if id not in self._words:
            self._words[id] = tuple(dict.fromkeys(word for word in self._all(id) if len(word) >= LEAST))
        return self._words[id]

    def _all(self, id: str) -> Iterator[str]:
        every: list[Rule | Correlation] = [*self._rules.get(id, ())]
        if (correlation := self._correlations.get(id)) is not None:
            every += [correlation, *(rule for each in correlation.rules for rule in self._rules.get(each, ()))]
        for one in every:
            yield from (one.id, one.title, *_names(one.author), *one.tags, PurePosixPath(one.path).stem)
            if isinstance(one, Rule):
                yield one.name
                yield from _literals(one.condition)


def _names(author: str) -> list[str]:
    """The whole, and each of the authors that it names."""
    return [author, *(name.strip() for name in author.split(",") if len(name.strip()) >= LEAST)]


def _literals(node: Node) -> Iterator[str]:
    """Texts that a condition looks for, without its wildcards; channels and event ids say no more than the log does."""
    if node[0] in ("and", "or"):
        for child in node[1]:
            yield from _literals(child)
    elif node[0] == "not":
        yield from _literals(node[1])
    elif node[0] == "str" and node[1] not in ("Channel", "EventID"):
        yield from (piece.strip("\\/ ") for piece in node[2] if isinstance(piece, str))
    elif node[0] == "word":
        yield from (piece for piece in node[1] if isinstance(piece, str))
