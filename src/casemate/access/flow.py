"""A flow: one action of one session at one acting label, and everything that it may do with the world.

It sees exactly what its acting label dominates, as if nothing else existed, and what it writes or releases carries that
label. A facade: each deed is a small file of this room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

from casemate.access import another, commit, inspect, leave, read
from casemate.access.leave import Ceiling, Released
from casemate.access.read import Tide
from casemate.access.records import Enrol
from casemate.access.settle import Hold, Settling, restate
from casemate.access.state import State
from casemate.access.withheld import still, withheld
from casemate.errors import Refused
from casemate.labels import Label, Labelled
from casemate.labels.unseal import unseal
from casemate.objects import Change, Found, Kind, Page, Ref, Where
from casemate.store import Receipt

__all__ = ["Flow"]

T = TypeVar("T")


class Flow(State):
    """Made by `Gate.open` alone."""

    __slots__ = ()

    def at(self, label: Label) -> Flow:
        """The same request at a lower acting label: the world of a rung. Raises Refused (`acting-label`)."""
        if not self.floor <= label <= self.acting:
            raise Refused(rule="acting-label", acting=label.text, floor=self.floor.text, ceiling=self.acting.text)
        lower = Flow(self.gate, self.session, self.action, label)
        lower.floor = self.floor
        lower.under(self)
        return lower

    def bear(self, label: Label) -> None:
        """What the caller brings carries this label too, from now on."""
        self.floor = self.floor | label

    async def as_seen_by(self, name: str, at: Label | None, reason: str) -> Flow:
        """The same action as another principal would do it; see `another`. Raises Refused (`as-another`)."""
        return await another.as_seen_by(self, name, at, reason)

    def take(self, value: T) -> Labelled[T]:
        """In: what the caller brought carries the floor."""
        return Labelled(self.floor, value)

    async def inspect(self, texts: Iterable[str]) -> None:
        """Look for marks in what the caller brought: raises the floor, or Refused (`mark-above`, `mark-unreadable`)."""
        await inspect.inspect(self, texts)

    def look(self, labelled: Labelled[T]) -> T:
        """Inside: open an envelope that the acting label dominates. Raises Refused (`no-read-up`)."""
        if not labelled.label <= self.acting:
            raise Refused(rule="no-read-up", acting=self.acting.text)
        return unseal(labelled)

    async def read(self, kind: Kind[T], id: str) -> Found[T]:
        """The object, or Absent: hidden and never-existing take the same path."""
        return await read.read(self, kind, id)

    async def read_each(self, kind: Kind[T], id: str) -> list[Found[T]]:
        """Every visible object of that id: one that lies at several labels has a part at each."""
        return read.read_each(self, kind, id)

    async def absent(self, kind: Kind[Any] | None, id: str) -> NoReturn:
        """Raise Absent, recorded as `read` records it. No kind: it was looked for among several."""
        await read.absent(self, "object" if kind is None else kind.name, id)

    def salt(self) -> str:
        """What separates this flow's prefixes in an engine's cache: 64 lowercase hexadecimal characters.

        A keyed digest of the whole request's class, also in its rungs, and of the region's agency: what a request warms
        is warm for those of its own class, and for nobody below.
        """
        domain = self.gate.classes.of(self.domain)
        return self.gate.vault.sealer.blind(domain.id, "cache-salt", self.gate.vault.region.agency).hex()[:64]

    async def restate(self, id: str, stated: Label, marks: str = "read") -> None:
        """State the label of a document that bears no mark; see `settle`."""
        await restate(self, id, stated, marks)

    async def scan(
        self, kind: Kind[T], where: Where | None = None, after: str | None = None, limit: int = 100
    ) -> Page[T]:
        """A page of the visible objects of a kind, class by class, oldest first."""
        return read.scan(self, kind, where or Where(), after, limit)

    async def every(self, kind: Kind[T], where: Where | None = None) -> list[Found[T]]:
        """All visible objects of a kind."""
        return read.every(self, kind, where or Where())

    async def tide(self, *kinds: Kind[Any]) -> Tide:
        """How far the visible classes have come in these kinds: equal: nothing visible has changed in them."""
        return read.tide(self, [kind.name for kind in kinds])

    async def children(self, ref: Ref) -> list[Ref]:
        """What was made from an object, as far as it is visible."""
        return read.children(self, ref)

    async def blob(self, class_id: str, digest: str) -> bytes:
        """A blob of a visible class. Raises Absent, Damaged."""
        return await read.blob(self, class_id, digest)

    async def blob_into(self, class_id: str, digest: str, take: Callable[[int], memoryview]) -> memoryview:
        """A blob of a visible class, in the memory that `take` gives for its size. Raises Absent, Damaged."""
        return await read.blob_into(self, class_id, digest, take)

    async def pour(self, data: bytes) -> str:
        """Keep bytes in the flow's own class; their digest, to be named by an object in the next commit."""
        return await self.gate.vault.blobs.write(self.access.id, data, self.gate.classes.of(self.domain).id)

    async def commit(
        self, *changes: Change | Enrol, key: str = "", at: Label | None = None, facts: dict[str, Any] | None = None
    ) -> Receipt:
        """Changes and their entry, durable together, exactly at the acting label; another label is refused."""
        return await commit.commit(self, changes, key, at, facts or {})

    async def deposit(self, to: Label, *changes: Change, key: str = "") -> Receipt:
        """Upward delivery: the receipt says nothing of above. Raises Refused (`no-write-down`)."""
        return await commit.deposit(self, to, changes, key)

    async def hold(self, held: Hold, data: bytes) -> Ref:
        """Keep what the caller brought until its marks are read; see `settle`."""
        return await held.keep(self, data)

    def settle(self, held: Found[Any]) -> Settling:
        """Bring what was held to rest at the labels of its marks (service flows only)."""
        return Settling(self, held)

    async def begin(self, request: bytes, facts: dict[str, Any] | None = None) -> str:
        """BEGIN: the decision and the request's digest, on its way to the disk. Returns the entry's id."""
        return await leave.begin(self, request, facts or {})

    async def lend(self, value: Labelled[T], to: Ceiling) -> T:
        """To an accredited engine, parser, executor or region. Raises Refused (`accreditation`)."""
        return await leave.lend(self, value, to)

    async def announce(self, value: Labelled[T], to: Ceiling, known: Label | None) -> T | None:
        """To a sink outside: all of it, or None: no more than that there is something; see `leave`. Raises Refused."""
        return await leave.announce(self, value, to, known)

    def frozen(self) -> frozenset[str]:
        """The ids of what is frozen in the visible world, whatever its kind: what shards leave out."""
        return frozenset(ref.id for ref in withheld(self).refs)

    def contained(self) -> bool:
        """Whether anything of the visible world is, or was, frozen."""
        return self.gate.frozen.ever([access.id for access in self.classes()])

    def barred(self, kind: Kind[Any]) -> frozenset[Ref]:
        """The objects of a kind that are frozen in the visible world, or were and gave up their place.

        Whoever names objects as his callers do puts nothing where one of them lies: it would be shown to nobody.
        """
        return frozenset(ref for ref in withheld(self).refs if ref.kind == kind.name)

    def still(self) -> None:
        """Raises Conflict where something that this request has used was frozen meanwhile; see `frozen`."""
        still(self)

    async def release(
        self,
        body: bytes,
        outcome: str = "complete",
        facts: dict[str, Any] | None = None,
        subjects: Sequence[Ref] = (),
        sent: bool = False,
    ) -> Released:
        """To the caller: END (or the one entry of a short request) is durable before this returns."""
        return await leave.release(self, body, outcome, facts or {}, subjects, sent)
