"""How requests for jobs rise: a dispatch of that purpose, in its one form, with who asked.

Where it comes it waits for a person. It must never become a job, or anything that a loop would begin.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.errors import BadInput, Refused
from casemate.ids import fresh
from casemate.objects import Put, Ref
from casemate.transfer.dispatch import DISPATCH, request_text
from casemate.transfer.region import Arrived, Carried, Content, Gathered, Landed, Shown, Through
from casemate.transfer.region.channel import REQUEST, REQUEST_TYPE, RequestRecord
from casemate.wiring.cargo import named_there

__all__ = ["Requests"]

REQUESTED, BY = "request.json", "by"


class Requests:
    """Kept below with `casemate release dispatch job-request FILE`."""

    kind, type, asks = "request", REQUEST_TYPE, False

    async def gather(self, flow: Flow, id: str) -> Gathered:
        """A dispatch whose purpose is a request for a job, by its id. Raises BadInput."""
        found = await flow.read(DISPATCH, id[:64])
        if found.value.purpose != "job-request":
            raise BadInput(what="Only requests for jobs rise; other dispatches go down.")
        contents = (Content(BY, found.value.by.encode()), Content(REQUESTED, found.value.text.encode()))
        return Gathered(found.ref, "request", contents)

    async def shown(self, carried: Carried) -> Sequence[Shown]:
        """It lands in its one form, which is judged where it lands too."""
        del carried
        return (Shown(REQUESTED, REQUESTED, remade=False),)

    async def arrive(self, flow: Flow, arrived: Arrived, bundle: Ref, by: Through) -> Landed:
        """It waits, attributed to who asked. Raises BadInput for what is not in the form of a request."""
        try:
            text, name = (await arrived.read(REQUESTED)).decode(), (await arrived.read(BY)).decode()
        except (KeyError, UnicodeDecodeError):
            raise BadInput(what=REQUESTED) from None
        try:
            if request_text(text) != text:
                raise BadInput(what=REQUESTED)
        except Refused as error:
            raise BadInput(what=str(error.facts.get("rule", ""))) from None
        vault = flow.gate.vault
        id = fresh("req", vault.entropy, f"request/{flow.access.id}/{flow.session.id}")
        record = RequestRecord(text, named_there(by, name), bundle.id, vault.clock.now())
        return Landed(Ref(REQUEST.name, id, flow.access.id), (Put(REQUEST, id, record, (bundle,), expect=0),))

    async def there(self, flow: Flow, id: str, mark: str) -> bool:
        """The very same request that came before is known, whatever was said to it."""
        del mark
        return any(each.ref.class_id == flow.access.id for each in await flow.read_each(REQUEST, id))
