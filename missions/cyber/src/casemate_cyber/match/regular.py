"""Regular expressions through RE2: linear time, so that no rule and no event can hold the engine up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import re2

QUIET = re2.Options()
QUIET.log_errors = False
QUIET.max_mem = 8 << 20


def pattern_of(pattern: str, flags: str) -> str:
    """The expression with Sigma's flags (i, m, s) written into it."""
    return f"(?{flags}){pattern}" if flags else pattern


def searcher(pattern: str, flags: str) -> Callable[[str], object]:
    """What finds the expression anywhere in a text."""
    search: Callable[[str], object] = re2.compile(pattern_of(pattern, flags), QUIET).search
    return search


def needed(pattern: str, flags: str) -> frozenset[str] | None:
    """Texts, in lower case, of which one stands in whatever the expression matches; None where nothing can be said.

    Read from Python's own parse of it: runs of literal characters that no alternative and no count can leave out.
    """
    try:
        return _of(_parser.parse(pattern_of(pattern, flags)))
    except (re.error, RecursionError, OverflowError):
        return None


def _of(parsed: Iterable[Any]) -> frozenset[str] | None:
    best: frozenset[str] | None = None
    run = ""

    def take(found: frozenset[str] | None) -> None:
        nonlocal best
        if found and (best is None or min(map(len, found)) > min(map(len, best))):
            best = found

    for kind, given in parsed:
        name = str(kind)
        # Only ASCII: other letters fold in ways that two libraries need not share.
        if name == "LITERAL" and 32 <= given < 127:
            run += chr(given).lower()
            continue
        if run:
            take(frozenset({run}))
            run = ""
        if name == "SUBPATTERN":
            take(_of(given[-1]))
        elif name in ("MAX_REPEAT", "MIN_REPEAT") and given[0] >= 1:
            take(_of(given[2]))
        elif name == "BRANCH":
            options = [_of(option) for option in given[1]]
            if all(options):
                take(frozenset().union(*(option for option in options if option)))
    if run:
        take(frozenset({run}))
    return best
