"""The ledger of a region that does not run, read and verified by whoever may: through the gate, writing nothing.

What its processes had recorded and nobody has folded yet is read where it lies and counts like the rest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from casemate.access import Gate, audit
from casemate.engines.segment_left import WithLeftovers
from casemate.errors import Damaged, Unavailable
from casemate.identity import Peer
from casemate.ledger import Head, Verdict
from casemate.policy import Action
from casemate.store import Batch, Receipt
from casemate.wiring.engines import vault_of
from casemate.wiring.folder import Folder
from casemate.wiring.keys import Ask, not_older, opened
from casemate.wiring.store import reader_of, there

__all__ = ["Log", "Offline", "verdicts"]


@dataclass(frozen=True, slots=True)
class Log:
    """A log's label, as text and as a marking, and what can be said of it.

    `left` of its entries wait in the journal to be folded; the verdict counts them among those beyond a checkpoint.
    """

    label: str
    marking: str
    verdict: Verdict
    left: int = 0


@dataclass(frozen=True, slots=True)
class Offline:
    """The logs that were seen, and how what was said of them is to be handled."""

    logs: tuple[Log, ...]
    label: str
    marking: str


class _Nothing:
    """A Committer that makes nothing durable: what is read offline is not recorded."""

    async def commit(self, batch: Batch) -> Receipt:
        del batch
        raise Unavailable(what="store")


async def verdicts(folder: Folder, remembered: list[Head], language: str, ask: Ask | None = None) -> Offline:
    """A verdict for every log that the user of this process may see. Raises Refused, Unauthenticated, Damaged."""
    settings = folder.settings()
    not_older(folder.keys)
    there(folder, settings)
    for needed in (folder.keys / "region.key", folder.keys / "ledger.key"):
        if not needed.exists():
            raise Damaged(what=str(needed.relative_to(folder.path)))
    nothing: Any = _Nothing()
    vault = vault_of(folder, settings, nothing, private=opened(folder, settings, ask))
    reader = WithLeftovers(reader_of(folder, settings), folder.segments)
    gate = Gate(replace(vault, reader=reader))
    flow = await gate.open(gate.admit(Peer(os.getuid(), language)), Action("verify", "ledger"))
    policies = vault.region.policies
    found = audit.verdicts(flow, remembered)
    logs = [
        Log(access.label.text, policies.banner(access.label, language), verdict, reader.left(access.id))
        for access, verdict in found
    ]
    return Offline(tuple(logs), flow.label.text, policies.banner(flow.label, language))
