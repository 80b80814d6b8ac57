"""Another embedder for a base, as long work of whoever asked for it: how many passages have its vectors by now.

It is the record of the base that is told, and counted is what the loop of `segments.reembed` has still to do. It has
no end of its own: whoever wants another embedder after all asks for that one.
"""

from __future__ import annotations

from collections.abc import Sequence

from casemate.access import Flow
from casemate.errors import Conflict
from casemate.jobs.work import Head, Work
from casemate.knowledge.base import BASE, Base
from casemate.knowledge.bases import wanted
from casemate.knowledge.documents.document import SEGMENT
from casemate.knowledge.embedders import Embedders
from casemate.objects import Found
from casemate.words import say

__all__ = ["BaseWork"]


class BaseWork:
    """Implements `jobs.work.Sort` for the upkeep of knowledge bases."""

    name = "embedding"
    prefix = "base:"

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    async def heads(self, flow: Flow) -> list[Head]:
        """Of each base the caller's latest word on its embedder."""
        latest: dict[str, Found[Base]] = {}
        for found in await flow.every(BASE):
            base = found.value
            if base.by == flow.session.principal.name and base.asked:
                before = latest.get(base.name)
                if before is None or (base.asked, found.label.text) > (before.value.asked, before.label.text):
                    latest[base.name] = found
        return [Head(found.value.asked, self.prefix + name, found) for name, found in latest.items()]

    async def told(self, flow: Flow, heads: Sequence[Head]) -> list[Work]:
        """Counted are the segments at and above the record's label that the acting label sees."""
        records, segments = await flow.every(BASE), await flow.every(SEGMENT)
        works = []
        for head in heads:
            base, label = head.found.value, head.found.label
            own = [each for each in segments if each.value.base == base.name and label <= each.label]
            left = sum(
                each.value.passages
                for each in own
                if each.value.embedder != wanted(records, base.name, each.label, self._embedders)
            )
            total = sum(each.value.passages for each in own)
            works.append(
                Work(
                    kind=self.name,
                    id=head.id,
                    name=base.name,
                    state="RUNNING" if left else "SUCCEEDED",
                    stage=wanted(records, base.name, label, self._embedders),
                    label=label,
                    owner=flow.session.principal.id,
                    person=base.by,
                    created=base.asked,
                    total=total,
                    done=total - left,
                )
            )
        return works

    async def cancel(self, flow: Flow, id: str) -> None:
        """Nothing to cancel: `ends` is never said of it. Raises Conflict."""
        del id
        raise Conflict(what=say("jobs.work.endless", flow.session.language))
