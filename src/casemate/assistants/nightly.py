"""Every night each access class is compared with a copy of what its label sees, and the tally is kept there.

There is no ambient authority, so nobody's eyes are borrowed at night: a service session of each class asks at that
class' own label, and its tally is that class' own. One class that fails stops no other. What a tally says of its time
is the planned moment: how long a higher class took is not told to a lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from casemate.access import Gate
from casemate.assistants.prove import Prover
from casemate.assistants.prove_all import Asking, Counted, compare, finish
from casemate.assistants.tally import TALLY
from casemate.clock import SECOND, Loop
from casemate.errors import BadInput, CasemateError
from casemate.knowledge import SEGMENT
from casemate.labels import AccessClass
from casemate.policy import Action

__all__ = ["Nightly", "moment"]

DAY = 24 * 3600 * SECOND
LATE = 3600 * SECOND  # a region that starts later than this after the moment waits for the next one
MAKE = Action("make", "proof")


def moment(now: int, minutes: int) -> int:
    """The last planned moment: so many minutes after midnight, UTC."""
    planned = now - now % DAY + minutes * 60 * SECOND
    return planned if planned <= now else planned - DAY


class Nightly:
    """`questions` are read each night, from wherever wiring finds them; they are of the region's floor."""

    def __init__(self, gate: Gate, prover: Prover, minutes: int, questions: Callable[[], Sequence[str]]) -> None:
        self._gate = gate
        self._prover = prover
        self._minutes = minutes
        self._questions = questions
        self._done: dict[str, int] = {}
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        """Looks once a minute whether it is time."""
        return [Loop("assistants.prove", 60.0, self.step)]

    async def step(self) -> int:
        """How many classes have been compared."""
        now = self._gate.vault.clock.now()
        planned, compared = moment(now, self._minutes), 0
        if now - planned > LATE:
            return 0
        for access in self._upward():
            if self._done.get(access.id, 0) < planned:
                try:
                    compared += await self._one(access, planned)
                except CasemateError as error:
                    self.problems[access.id] = error.slug
                except Exception:  # noqa: BLE001 - a defect that this class meets would be felt by all that follow
                    self.problems[access.id] = "defect"
                else:
                    self.problems.pop(access.id, None)
                self._done[access.id] = planned
        return compared

    def _upward(self) -> list[AccessClass]:
        """The classes that a label alone makes, each after all below it: none waits for what lies above."""
        every = [each for each in self._gate.classes.everything() if not each.need and not each.originator]
        return sorted(every, key=lambda one: (sum(each.label <= one.label for each in every), one.id))

    async def _one(self, access: AccessClass, planned: int) -> int:
        flow = await self._gate.open(self._gate.service("assistants", access), MAKE)
        own = [found.value.at for found in await flow.every(TALLY) if found.ref.class_id == access.id]
        held = any(found.ref.class_id == access.id for found in await flow.every(SEGMENT))
        if not held or any(at >= planned for at in own):
            return 0
        questions = tuple(self._questions())
        if not questions:
            raise BadInput(what="knowledge.prove_questions holds no question.")
        salt = self._gate.vault.entropy.draw(f"proof/{access.id}/{flow.session.id}")
        asking = Asking(questions, salt)
        counted = Counted([await compare(self._prover, flow, asking, "")])
        await finish(flow, asking, counted, planned)
        return 1
