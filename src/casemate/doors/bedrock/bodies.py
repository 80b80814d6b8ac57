"""What the bodies of InvokeModel have in common. A body is that of the model's vendor; the operation carries it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from casemate.doors.bedrock.answered import Answered
from casemate.doors.bedrock.eventstream import event, frame
from casemate.models import Chat, Delta, Usage

__all__ = ["Body", "Ended", "Opened", "told"]

_CHUNK = event("chunk")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Opened:
    """What is known when an answer begins: its id, its model, and the moment in seconds since the epoch."""

    id: str
    model: str
    created: int


@dataclass(frozen=True, slots=True)
class Ended:
    """What is known when it has ended: why, what it cost, and how many milliseconds it took."""

    finish: str
    usage: Usage
    latency: int

    def metrics(self) -> dict[str, Any]:
        """What AWS adds to the last event of a stream."""
        told = {"inputTokenCount": self.usage.prompt, "outputTokenCount": self.usage.completion}
        return {"amazon-bedrock-invocationMetrics": {**told, "invocationLatency": self.latency}}


class Body(Protocol):
    """A vendor's body: one request, and its answer whole or in events. The events are in frames of `chunk`."""

    def chat(self, model: str) -> Chat: ...

    def whole(self, answer: Answered, opened: Opened, ended: Ended) -> dict[str, Any]: ...

    def opening(self, opened: Opened) -> Iterator[bytes]: ...

    def delta(self, delta: Delta) -> Iterator[bytes]: ...

    def closing(self, ended: Ended) -> Iterator[bytes]: ...


def told(payload: dict[str, Any]) -> bytes:
    """A frame of the event `chunk`, which holds the vendor's own JSON in base64."""
    return frame(_CHUNK, _encode({"bytes": _encode(payload)}))
