"""The shelf: bases, the files in them and searches, for wires. Implements `models.Shelf` where knowledge is.

Every base of the visible world is seen by whoever acts there; only whoever made one changes it, and each takes away
only what he brought. For anybody else it is as absent as what never was. A file is brought at the acting label, and
its parts lie never below the label at which the file lay.
"""

from __future__ import annotations

from typing import NoReturn

import msgspec

from casemate.access import Flow
from casemate.errors import Absent, Conflict, Refused, UnknownKnowledge
from casemate.knowledge.base import BASE, Base, named
from casemate.knowledge.bases import drawn, give_up, make
from casemate.knowledge.documents import remove as removing
from casemate.knowledge.documents.bring import add
from casemate.knowledge.documents.document import DOCUMENT, opened
from casemate.knowledge.library import ALL, Library
from casemate.knowledge.shelf import search as searching
from casemate.knowledge.shelf import seen
from casemate.models import files as brought
from casemate.models.shelf import Attribute, BaseSeen, FileSeen, NewBase, Search, Searched
from casemate.objects import Found, Where
from casemate.words import say

__all__ = ["NearShelf"]


class NearShelf:
    """One per process that holds knowledge."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def make(self, flow: Flow, new: NewBase) -> BaseSeen:
        """A base at the acting label. Raises BadInput, Conflict where something is said of one of that name."""
        name = named(new.name) if new.name else drawn(flow)
        if await flow.every(BASE, Where((("name", name),))):
            raise Conflict(what=say("knowledge.base.exists", flow.session.language, name=name))
        await self._said(flow, name, new)
        return await self.base(flow, name)

    async def change(self, flow: Flow, name: str, new: NewBase) -> BaseSeen:
        """Other words for the caller's base. Raises UnknownKnowledge, BadInput, Refused (`no-write-down`)."""
        found = await self._own(flow, name)
        if found is None:
            self._unknown(name)
        if found.ref.class_id != flow.access.id:
            raise Refused(rule="no-write-down", acting=flow.acting.text, asked=found.label.text)
        await self._said(flow, name, new)
        return await self.base(flow, name)

    async def bases(self, flow: Flow) -> list[BaseSeen]:
        return await seen.bases_seen(flow, self._library)

    async def base(self, flow: Flow, name: str) -> BaseSeen:
        found = None if name == ALL else await seen.base_seen(flow, self._library, name)
        if found is None:
            self._unknown(name)
        return found

    async def remove(self, flow: Flow, name: str) -> None:
        """The caller's record of the base and what he brought, from the acting label upwards.

        Raises UnknownKnowledge where he has neither, Refused (`no-write-down`) where the record lies below.
        """
        try:
            await give_up(flow, name)
        except Absent:
            self._unknown(name)

    async def attach(self, flow: Flow, base: str, file: str, attributes: dict[str, Attribute]) -> FileSeen:
        """Bring a file; one that is there already is described anew. Raises Absent, UnknownKnowledge, BadInput."""
        await self._check(flow, base)
        found = await brought.own(flow, file)
        flow.bear(found.label)
        there = seen.file_seen(await seen.pieces_named(flow, base, file))
        if there and there[0].state != "quarantined":
            return there[0] if there[0].attributes == attributes else await self.describe(flow, base, file, attributes)
        data = await brought.content(flow, found)
        stated = flow.acting.text
        await add(flow, found.value.name, base, data, stated=stated, origin=file, attributes=attributes)
        return await self.file(flow, base, file)

    async def files(self, flow: Flow, base: str) -> list[FileSeen]:
        await self._check(flow, base)
        return seen.file_seen(await seen.pieces_of(flow, self._library, base))

    async def file(self, flow: Flow, base: str, id: str) -> FileSeen:
        """One of them. Raises Absent."""
        [found] = seen.file_seen(await self._named(flow, base, id))
        return found

    async def describe(self, flow: Flow, base: str, id: str, attributes: dict[str, Attribute]) -> FileSeen:
        for piece in await self._named(flow, base, id):
            await removing.describe(flow, piece.id, attributes)
        return await self.file(flow, base, id)

    async def known(self, flow: Flow, documents: tuple[str, ...]) -> list[FileSeen]:
        return await seen.known(flow, documents)

    async def content(self, flow: Flow, base: str, id: str) -> list[str]:
        """Document by document; in each the passages of one label follow those of another, by canonical text."""
        texts: list[str] = []
        for piece in await self._named(flow, base, id):
            if piece.seen.state == "ready":
                _, parts = await opened(flow, piece.id)
                flow.use(*(part.ref for part in parts))
                for part in sorted(parts, key=lambda one: one.label.text):
                    texts += [passage.text for passage in part.value.passages]
        return texts

    async def detach(self, flow: Flow, base: str, id: str) -> None:
        """Take away what the caller brought of it. Raises Absent, Refused (`no-write-down`)."""
        for piece in await self._named(flow, base, id):
            await removing.remove(flow, piece.id)

    async def search(self, flow: Flow, search: Search) -> Searched:
        await seen.check(flow, self._library, search.bases)
        return await searching.search(flow, self._library, search)

    async def _check(self, flow: Flow, base: str) -> None:
        """Raises UnknownKnowledge."""
        if base == ALL:
            self._unknown(base)
        await seen.check(flow, self._library, (base,))

    async def _named(self, flow: Flow, base: str, id: str) -> list[seen.Piece]:
        await self._check(flow, base)
        found = await seen.pieces_named(flow, base, id)
        if not found:
            await flow.absent(DOCUMENT, id)
        return found

    async def _own(self, flow: Flow, name: str) -> Found[Base] | None:
        """The caller's record of that base: the one at the acting label, if he has several."""
        found: list[Found[Base]] = await flow.every(BASE, Where((("name", name),)))
        mine = [one for one in found if one.value.by == flow.session.principal.name]
        return next((one for one in mine if one.ref.class_id == flow.access.id), mine[0] if mine else None)

    async def _said(self, flow: Flow, name: str, new: NewBase) -> None:
        said = {field: value for field, value in msgspec.structs.asdict(new).items() if field != "name"}
        await make(flow, name, self._library.embedders, **said)

    def _unknown(self, name: str) -> NoReturn:
        raise UnknownKnowledge(name=name[:200])
