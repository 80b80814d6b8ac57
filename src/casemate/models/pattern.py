"""Regular expressions that somebody else wrote, searched in bounded time.

Python's own `re` backtracks: a pattern of a caller could stop the process for everybody. This is a small machine that
follows all ways at once (Thompson's construction), so that each character costs at most the size of the pattern, and a
search has a budget beside. It knows literals, `.`, classes, groups, `|`, `*`, `+`, `?`, `{m,n}`, `^`, `$`, `\\b`,
`\\B`, `\\d`, `\\w`, `\\s` and their opposites, and `(?i)` at the start. Matches are leftmost and longest.
Back-references and look-around are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["BadPattern", "Pattern", "TooCostly"]

MOST_CODE = 2000
MOST_REPEATS = 1000
STEPS = 40  # a character, on the average
_FREE = 20_000

Test = Callable[[str], bool]
_KINDS: dict[str, Test] = {"d": str.isdigit, "w": lambda c: c.isalnum() or c == "_", "s": str.isspace}
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_word = _KINDS["w"]


class BadPattern(ValueError):
    """A pattern that this machine does not know, or that is too large for it; its text says where."""


class TooCostly(Exception):
    """The search has used up its budget: whoever asked must take it that something was found."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction: `test` a character, go on at `ways`, hold `at` a place, or all "" for a match."""

    test: Test | None = None
    ways: tuple[int, ...] = ()
    at: str = ""


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_code", "_opening", "_opens")

    def __init__(self, source: str) -> None:
        self._code = (*_Reader(source).read(), _Step())
        self._opening = self._first_tests()
        self._opens: dict[str, bool] = {}

    def spans(self, text: str) -> list[tuple[int, int]]:
        """All matches that are not empty, one after the other: (start, end). Raises TooCostly."""
        found: list[tuple[int, int]] = []
        place, left = 0, STEPS * len(text) + _FREE
        while True:
            span, left = self._next(text, place, left)
            if span is None:
                return found
            found.append(span)
            place = span[1]

    def _next(self, text: str, place: int, left: int) -> tuple[tuple[int, int] | None, int]:
        best: tuple[int, int] | None = None
        threads: dict[int, int] = {}
        for i in range(place, len(text) + 1):
            if best is None:
                if not threads and not (i < len(text) and self._may_open(text[i])):
                    continue
                threads.setdefault(0, i)
            waiting, ended, used = self._closed(text, i, threads)
            left -= used
            if left < 0:
                raise TooCostly
            if ended is not None and i > ended and (best is None or ended <= best[0]):
                best = (ended, i)
            if best is not None:
                waiting = {pc: start for pc, start in waiting.items() if start <= best[0]}
                if not waiting:
                    break
            threads = {}
            for pc, start in waiting.items() if i < len(text) else ():
                test = self._code[pc].test
                if test is not None and test(text[i]):
                    threads[pc + 1] = min(start, threads.get(pc + 1, start))
        return best, left

    def _closed(self, text: str, i: int, threads: dict[int, int]) -> tuple[dict[int, int], int | None, int]:
        """Threads that wait for a character, the earliest start of a match that ends here, and the steps taken."""
        waiting: dict[int, int] = {}
        seen: dict[int, int] = {}
        ended: int | None = None
        stack = list(threads.items())
        used = 1
        while stack:
            pc, start = stack.pop()
            if seen.get(pc, start + 1) <= start:
                continue
            seen[pc] = start
            used += 1
            step = self._code[pc]
            if step.test is not None:
                waiting[pc] = start
            elif step.at:
                if _holds(step.at, text, i):
                    stack.append((pc + 1, start))
            elif step.ways:
                stack.extend((way, start) for way in step.ways)
            elif ended is None or start < ended:
                ended = start
        return waiting, ended, used

    def _first_tests(self) -> list[Test]:
        found, seen, stack = [], set(), [0]
        while stack:
            pc = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            step = self._code[pc]
            if step.test is not None:
                found.append(step.test)
            elif step.at:
                stack.append(pc + 1)
            else:
                stack.extend(step.ways)
        return found

    def _may_open(self, character: str) -> bool:
        known = self._opens.get(character)
        if known is None:
            known = self._opens[character] = any(test(character) for test in self._opening)
        return known


def _holds(at: str, text: str, i: int) -> bool:
    if at == "^":
        return i == 0 or text[i - 1] == "\n"
    if at == "$":
        return i == len(text) or text[i] == "\n"
    edge = (i > 0 and _word(text[i - 1])) != (i < len(text) and _word(text[i]))
    return edge == (at == "b")


class _Reader:
    """Reads a pattern into instructions; every fragment is a list whose ways count from its own beginning."""

    def __init__(self, source: str) -> None:
        self.folded = source.startswith("(?i)")
        self.source = source.removeprefix("(?i)")
        self.place = 0

    def read(self) -> list[_Step]:
        code = self._either(0)
        if self.place < len(self.source):
            raise BadPattern(f"a ) too many at {self.place}")
        return code

    def _peek(self) -> str:
        return self.source[self.place : self.place + 1]

    def _take(self) -> str:
        taken = self._peek()
        if not taken:
            raise BadPattern("it ends too early")
        self.place += 1
        return taken

    def _either(self, depth: int) -> list[_Step]:
        if depth > 20:
            raise BadPattern("groups are nested too deep")
        code = self._row(depth)
        while self._peek() == "|":
            self._take()
            other = self._row(depth)
            code = [
                _Step(ways=(1, len(code) + 2)),
                *_moved(code, 1),
                _Step(ways=(len(code) + 2 + len(other),)),
                *_moved(other, len(code) + 2),
            ]
        return _bounded(code)

    def _row(self, depth: int) -> list[_Step]:
        code: list[_Step] = []
        while self._peek() not in ("", "|", ")"):
            code = _bounded([*code, *_moved(self._repeated(self._atom(depth)), len(code))])
        return code

    def _repeated(self, atom: list[_Step]) -> list[_Step]:
        low, high = 1, 1
        match self._peek():
            case "*":
                low, high = 0, -1
            case "+":
                low, high = 1, -1
            case "?":
                low, high = 0, 1
            case "{":
                low, high = self._counts()
            case _:
                return atom
        self._take()
        if self._peek() == "?":  # longest is longest: laziness changes nothing
            self._take()
        if self._peek() in ("*", "+", "?", "{"):
            raise BadPattern(f"a repeat of a repeat at {self.place}")
        return _times(atom, low, high)

    def _counts(self) -> tuple[int, int]:
        """The numbers of {m}, {m,} or {m,n}; the closing brace is left."""
        self._take()
        end = self.source.find("}", self.place)
        low, comma, high = self.source[self.place : max(end, self.place)].partition(",")
        numbers = [n for n in (low, high) if n]
        if end < 0 or not low or not all(n.isascii() and n.isdigit() and len(n) < 5 for n in numbers):
            raise BadPattern(f"a count that is none at {self.place}")
        self.place = end
        least, most = int(low), (int(high) if high else -1) if comma else int(low)
        if max(least, most) > MOST_REPEATS or 0 <= most < least:
            raise BadPattern(f"a count between 0 and {MOST_REPEATS} at {self.place}")
        return least, most

    def _atom(self, depth: int) -> list[_Step]:
        taken = self._take()
        match taken:
            case "(":
                if self.source.startswith("?:", self.place):
                    self.place += 2
                elif self._peek() == "?":
                    raise BadPattern(f"look-around, names and flags are not known (at {self.place})")
                inner = self._either(depth + 1)
                if self._take() != ")":
                    raise BadPattern("a ( that nobody closes")
                return inner
            case "[":
                return [_Step(self._class())]
            case ".":
                return [_Step(lambda c: c != "\n")]
            case "^" | "$":
                return [_Step(at=taken)]
            case "*" | "+" | "?" | "{":
                raise BadPattern(f"nothing to repeat at {self.place - 1}")
            case "\\" if self._peek() in ("b", "B"):
                return [_Step(at=self._take())]
            case "\\":
                return [_Step(self._escaped()[0])]
        return [_Step(self._same(taken))]

    def _escaped(self) -> tuple[Test, str]:
        """The test of an escape, and its character, or "" for a kind of characters."""
        taken = self._take()
        if taken.lower() in _KINDS:
            kind = _KINDS[taken.lower()]
            return (kind if taken.islower() else lambda c: not kind(c)), ""
        if taken.isalnum() and taken not in _PLAIN:
            raise BadPattern(f"\\{taken} is not known")
        character = _PLAIN.get(taken, taken)
        return self._same(character), character

    def _same(self, character: str) -> Test:
        if self.folded:
            either = {character.lower(), character.upper()}
            return lambda c: c in either
        return lambda c: c == character

    def _class(self) -> Test:
        negated = self._peek() == "^"
        if negated:
            self._take()
        tests = list(self._members())
        if negated:
            return lambda c: not any(test(c) for test in tests)
        return lambda c: any(test(c) for test in tests)

    def _members(self) -> Iterator[Test]:
        first = True
        while first or self._peek() != "]":
            first = False
            taken = self._take()
            test, low = self._escaped() if taken == "\\" else (self._same(taken), taken)
            if low and self._peek() == "-" and self.source[self.place + 1 : self.place + 2] not in ("]", ""):
                self._take()
                taken = self._take()
                high = self._escaped()[1] if taken == "\\" else taken
                if not high or high < low:
                    raise BadPattern(f"a range that is none at {self.place}")
                yield self._range(low, high)
            else:
                yield test
        self._take()

    def _range(self, low: str, high: str) -> Test:
        if self.folded:
            return lambda c: low <= c <= high or low <= c.lower() <= high or low <= c.upper() <= high
        return lambda c: low <= c <= high


def _moved(code: list[_Step], by: int) -> list[_Step]:
    return [_Step(s.test, tuple(way + by for way in s.ways), s.at) if s.ways else s for s in code]


def _bounded(code: list[_Step]) -> list[_Step]:
    if len(code) > MOST_CODE:
        raise BadPattern(f"it has more than {MOST_CODE} steps once its repeats are written out")
    return code


def _times(atom: list[_Step], low: int, high: int) -> list[_Step]:
    """The atom `low` times, then up to `high` times (-1: as often as there is)."""
    size = len(atom)
    code: list[_Step] = []
    for _ in range(low):
        code = _bounded([*code, *_moved(atom, len(code))])
    if high < 0:
        start = len(code)
        return _bounded(
            [*code, _Step(ways=(start + 1, start + size + 2)), *_moved(atom, start + 1), _Step(ways=(start,))]
        )
    end = len(code) + (high - low) * (size + 1)
    for _ in range(high - low):
        start = len(code)
        code = _bounded([*code, _Step(ways=(start + 1, end)), *_moved(atom, start + 1)])
    return code
