"""What the loops of this room have in common: every access class in a lane of its own, and whose fault is whose.

Nothing that a class meets leaves its lane, be it an error or a defect: any other class would feel it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from casemate.access import Flow, Gate, Lanes
from casemate.clock import Loop
from casemate.errors import CasemateError
from casemate.labels import AccessClass
from casemate.policy import Action

__all__ = ["InLanes"]

SETTLE = Action("settle", "document")


class InLanes(ABC):
    """A loop. `problems` says per class what keeps it from going on; `patience` is as of `Lanes`."""

    name: str
    every: float  # seconds

    def __init__(self, gate: Gate, patience: float | None = 0.5) -> None:
        self._gate = gate
        self._lanes = Lanes(gate, self._lane, patience)
        self.problems: dict[str, str] = {}

    def loops(self) -> list[Loop]:
        return [Loop(self.name, self.every, self.step)]

    async def step(self) -> int:
        """How much was done."""
        return await self._lanes.step()

    async def stop(self) -> None:
        await self._lanes.stop()

    @abstractmethod
    async def _class(self, access: AccessClass) -> int:
        """What there is to do in one class; how much of it was done."""

    async def _flow(self, access: AccessClass, action: Action = SETTLE) -> Flow:
        return await self._gate.open(self._gate.service("knowledge", access), action)

    async def _lane(self, access: AccessClass) -> int:
        self.problems.pop(access.id, None)
        try:
            return await self._class(access)
        except CasemateError as error:
            self.problems[access.id] = error.slug
        except Exception:  # noqa: BLE001 - a defect that this class meets
            self.problems[access.id] = "defect"
        return 0
