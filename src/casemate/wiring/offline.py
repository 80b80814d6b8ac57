"""The ledger of a region that does not run, read and verified by whoever may: through the gate, writing nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from casemate.access import Flow, Gate, audit
from casemate.errors import Damaged, Unavailable
from casemate.identity import Peer
from casemate.ledger import Head, Verdict
from casemate.policy import Action
from casemate.store import Batch, Receipt
from casemate.wiring.engines import vault_of
from casemate.wiring.folder import Folder

__all__ = ["Log", "heads", "verdicts"]


@dataclass(frozen=True, slots=True)
class Log:
    """A log's label, as text and as a marking, and what can be said of it."""

    label: str
    marking: str
    verdict: Verdict


class _Nothing:
    """A Committer that makes nothing durable: what is read offline is not recorded."""

    async def commit(self, batch: Batch) -> Receipt:
        del batch
        raise Unavailable(what="store")


async def verdicts(folder: Folder, remembered: list[Head], language: str) -> list[Log]:
    """A verdict for every log that the user of this process may see."""
    flow = await _flow(folder)
    policies = flow.gate.vault.region.policies
    found = audit.verdicts(flow, remembered)
    return [Log(access.label.text, policies.banner(access.label, language), verdict) for access, verdict in found]


async def heads(folder: Folder) -> list[Head]:
    """The newest signed heads."""
    return audit.heads(await _flow(folder))


async def _flow(folder: Folder) -> Flow:
    settings = folder.settings()
    for key in ("master.key", "ledger.key"):
        if not (folder.keys / key).exists():
            raise Damaged(what=f"keys/{key}")
    nothing: Any = _Nothing()
    gate = Gate(vault_of(folder, settings, nothing))
    return await gate.open(gate.admit(Peer(os.getuid())), Action("verify", "ledger"))
