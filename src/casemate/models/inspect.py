"""The look at what a model would be given, before anything of it goes. `inspectors` has the ones of the house."""

from __future__ import annotations

from typing import Protocol

from casemate.access import Flow
from casemate.models.chat import Prompt

__all__ = ["Inspect"]


class Inspect(Protocol):
    """Looks for what must not go to a model, outside the region or inside, and gives what may. Raises Refused."""

    async def __call__(self, flow: Flow, prompt: Prompt, outside: bool) -> Prompt: ...
