"""What was found damaged in this process, until `quarantine` has written it down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from casemate.labels import AccessClass

__all__ = ["Damages", "Meet", "Place"]

MOST = 10_000  # places that wait to be written for a class; what holds more damage is damaged as a whole
Meet = Callable[[str, str, str, int, AccessClass | None], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a damaged row lies, and the class of whoever read it: None where nobody in particular did."""

    at: AccessClass | None
    kind: str
    class_id: str
    number: int


class Damages:
    """One per gate. What waits here has been served to nobody, and is met again where this process ends first.

    What readers of one class met waits apart from what others met: nobody can tell how much is damaged above.
    """

    def __init__(self) -> None:
        self._waiting: dict[AccessClass | None, dict[Place, str]] = {}
        self._written: set[Place] = set()

    def met(self, kind: str, class_id: str, name: str, number: int, at: AccessClass | None = None) -> None:
        """A damaged row; `at` is the class of whoever read it. Callable in any thread."""
        number = number if isinstance(number, int) and 0 <= number < 1 << 63 else 0
        place = Place(at, kind, class_id, number)
        waiting = self._waiting.setdefault(at, {})
        if place not in self._written and len(waiting) < MOST:
            waiting[place] = name if isinstance(name, str) else ""

    def waiting(self, most: int) -> Sequence[Sequence[tuple[Place, str]]]:
        """Places that are not written down, and their names in the store, class by class; at most so many of each."""
        return [list(each.items())[:most] for each in list(self._waiting.values())]

    def written(self, place: Place) -> None:
        """It need not be met again."""
        self._written.add(place)
        del self._waiting[place.at][place]
