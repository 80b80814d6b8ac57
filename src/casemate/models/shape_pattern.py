"""`pattern` of JSON Schema, on the machine of `models.pattern`: does it match anywhere, with bounded work?

`^` and `$` are the ends of the whole text (ECMA-262 without the flag m), and an empty match is a match.
"""

from __future__ import annotations

from typing import Final

from casemate.models.pattern import BadPattern, Pattern, TooCostly

__all__ = ["Search"]

STEPS: Final = 200_000


class Search(Pattern):
    """A compiled pattern. BadPattern where the machine does not know it."""

    __slots__ = ()

    def __init__(self, source: str) -> None:
        if source.startswith("(?i)"):
            raise BadPattern("flags are not known")
        super().__init__(source)
        if any(step.at in ("b", "B") for step in self._code):
            raise BadPattern("edges of words are not known")

    def found(self, text: str) -> bool:
        """Whether it matches somewhere. Raises TooCostly."""
        left = STEPS
        now: set[int] = set()
        for place in range(len(text) + 1):
            now.add(0)
            ended, waiting = self._reached(now, place, len(text))
            if ended:
                return True
            left -= len(waiting) + len(now) + 1
            if left < 0:
                raise TooCostly
            if place < len(text):
                now = {pc + 1 for pc in waiting if self._tests(pc, text[place])}
        return False

    def _tests(self, pc: int, character: str) -> bool:
        test = self._code[pc].test
        return test is not None and test(character)

    def _reached(self, start: set[int], place: int, size: int) -> tuple[bool, set[int]]:
        """Whether the end is reached without another character, and the steps that wait for one."""
        waiting: set[int] = set()
        seen: set[int] = set()
        stack = list(start)
        while stack:
            pc = stack.pop()
            if pc in seen:
                continue
            seen.add(pc)
            step = self._code[pc]
            if step.test is not None:
                waiting.add(pc)
            elif step.at:
                if place == (0 if step.at == "^" else size):
                    stack.append(pc + 1)
            elif step.ways:
                stack.extend(step.ways)
            else:
                return True, waiting
        return False, waiting
