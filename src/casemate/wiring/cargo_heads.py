"""How heads of the ledger rise: the newest signed one of the channel's own class, and what ties it to those before.

Above it is witnessed where an auditor has added the region below, with a key that came another way. A head that is
smaller than one that was seen, or of another history, puts its bundle aside and is an alarm; it must never be kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from casemate.access import Flow, evidence, witness
from casemate.access.audit import CHECKPOINT
from casemate.access.witness import COSIGNATURE
from casemate.errors import Absent, BadInput, Unavailable
from casemate.objects import Ref
from casemate.transfer.region import BUNDLE, Alarming, Arrived, Carried, Content, Gathered, Landed, Shown, Through
from casemate.transfer.region.channel import HEADS_TYPE

__all__ = ["Heads"]

HEAD = "head.json"


class Heads:
    """Sent under the id `ledger`: a channel is of one class, and that has one log."""

    kind, type, asks = "heads", HEADS_TYPE, False

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """The newest head, tied to those that bundles of this class have carried. Raises BadInput."""
        if id != "ledger":
            raise BadInput(what="The heads of a channel's class have the id `ledger`.")
        sent = [each for each in await flow.every(BUNDLE) if each.value.side == "sent"]
        own = [each.value for each in sent if each.ref.class_id == flow.access.id]
        before = [int(one.name) for each in own for one in each.members if one.type == HEADS_TYPE]
        try:
            size, raw = await asyncio.to_thread(evidence.rising, flow, flow.access, before)
        except Unavailable:
            raise BadInput(what="Nothing of this log is signed yet.") from None
        return Gathered(Ref(CHECKPOINT.name, f"{size:016d}", flow.access.id), str(size), (Content(HEAD, raw),))

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        """It lands as it was signed."""
        del carried
        return (Shown(HEAD, HEAD, remade=False),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """Witnessed here. Raises BadInput, Alarming."""
        del bundle
        if HEAD not in arrived.files:
            raise BadInput(what=HEAD)
        try:
            said, head, put = witness.risen(flow, by.source, await arrived.read(HEAD))
        except Absent:
            raise BadInput(what="No key of that region is known here.") from None
        if said in ("forked", "shrunk"):
            raise Alarming(f"ledger-{said}")
        if put is None:
            raise BadInput(what=f"The head of {head.log} is not proved: {said}.")
        return Landed(Ref(COSIGNATURE.name, put.id, flow.access.id), (put,), head.root)

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        """The very same head that came before is witnessed already."""
        return any(each.value.root == mark for each in await flow.read_each(COSIGNATURE, id))
