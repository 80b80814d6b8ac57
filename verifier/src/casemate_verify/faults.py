"""What stops a reading: bytes that are not as described (a verdict), or an input of one's own (an error)."""

from __future__ import annotations

__all__ = ["Misread", "Unusable"]


class Misread(Exception):
    """What was carried is not as the description says: `rule` is the verdict's, `why` is for a person."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(f"{rule}: {why}")
        self.rule = rule
        self.why = why


class Unusable(Exception):
    """The state, the key or the guards' file that was given is none: there is no verdict then."""
