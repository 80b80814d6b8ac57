"""Whether the record of a new request still finds room in the share of its label domain; if not, it does not begin.

What has begun is always written to its end, and so is what removes. What must never happen: that something is done of
which nothing can be written down, or that how full a label is keeps anybody below it from anything.
"""

from __future__ import annotations

from casemate.access.vault import Vault
from casemate.clock import SECOND
from casemate.errors import ShareFull

__all__ = ["GIVES_BACK", "Filled"]

GIVES_BACK = frozenset(
    ("contain", "destroy", "drop", "empty", "hold", "lift", "lock", "redact", "remove", "report", "revoke")
)
"""Verbs of what removes, or holds something back: it goes on whatever is used."""


class Filled:
    """One per gate. What a class takes is looked at about once a second."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._seen: dict[str, tuple[int, int]] = {}

    def admit(self, class_id: str, action: str) -> None:
        """Raises ShareFull where the class has used up its share, unless the action (`kind.verb`) removes something."""
        most = self._vault.share(class_id)
        if most and action.rpartition(".")[2] not in GIVES_BACK and self._used(class_id) >= most:
            raise ShareFull(share=most)

    def _used(self, class_id: str) -> int:
        now = self._vault.clock.now()
        at, used = self._seen.get(class_id, (0, 0))
        if not at <= now < at + SECOND or class_id not in self._seen:
            used = self._vault.reader.used(class_id)
            self._seen[class_id] = (now, used)
        return used
