"""How signed clearances and revocations travel: the attribute file as its authority has signed it, and nothing more.

Where it comes, the same rules judge it as one that an officer installs: an authority that the settings name, its key,
its ceiling, a number that is higher than the last. It must never clear anybody above the ceiling of his authority,
or by a channel of which no officer has said that it carries clearances.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.accounts.statements import CARRIED, LISTED, stated
from casemate.errors import Absent, BadInput, Conflict, Refused
from casemate.identity.attributes import shown
from casemate.objects import Ref
from casemate.transfer.region import Arrived, Carried, Content, Gathered, Landed, Shown, Through
from casemate.transfer.region.channel import CLEARANCES_TYPE

__all__ = ["Clearances"]

STATEMENT = "statement.json"


class Clearances:
    """Only by channels of which officers have said that they carry clearances."""

    kind, type, asks = "clearances", CLEARANCES_TYPE, True

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """A kept attribute file, by its id."""
        found = await flow.read(CARRIED, id[:64])
        title = f"{found.value.authority} {found.value.number}"
        return Gathered(found.ref, title, (Content(STATEMENT, found.value.raw),))

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        """It lands as its authority has signed it."""
        del carried
        return (Shown(STATEMENT, STATEMENT, remade=False),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """What its authority says counts from this commit on. Raises BadInput where it may not say it."""
        del bundle, by
        if STATEMENT not in arrived.files:
            raise BadInput(what=STATEMENT)
        raw = await arrived.read(STATEMENT)
        name = shown(raw).authority
        try:
            found = stated(flow, name, raw, flow.gate.vault.region.ceiling)
        except (Absent, Conflict, Refused) as error:
            raise BadInput(what=error.slug) from None
        ref = Ref(LISTED.name, name, flow.access.id)
        after = flow.gate.directory.published
        return Landed(ref, found.changes, found.facts["digest"], found.enrolled, after)

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        """Whether it is the statement that counts."""
        last = flow.gate.directory.outsiders.statement(id)
        return last is not None and last.digest == mark
