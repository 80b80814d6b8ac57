"""What a flow is, apart from what it does: session, action, acting label, and what it has used so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NoReturn, TypeVar

from casemate.access.core import Core
from casemate.access.record import Note
from casemate.identity import Session
from casemate.labels import AccessClass, Label
from casemate.objects import Ref
from casemate.policy import Action, Refuse, distrusting

__all__ = ["State"]

T = TypeVar("T")


class State:
    """`floor` is the session's, raised by marks in what the caller brought.

    `domain` is the acting label of the whole request, also in the flows of its rungs: what a request uses up, warms or
    records is its own domain's, so that nothing of it can be noticed below. `asker` is the session that made the
    request, also where it is answered as another principal would see it: entries stand in his name. `tickets` are the
    request's entries that were not yet durable when they were taken; its rungs share them. `facts` go to its END,
    and so does what it has `used`: the objects of which something is in what it gives. `landed`: it
    has changed something.
    """

    __slots__ = (
        "acting", "action", "asker", "begun", "domain", "facts", "floor", "gate", "landed", "lent", "seen", "session",
        "tickets", "used",
    )  # fmt: skip

    def __init__(self, gate: Core, session: Session, action: Action, acting: Label) -> None:
        self.gate = gate
        self.session = session
        self.asker = session
        self.action = action
        self.acting = acting
        self.domain = acting
        self.floor = session.floor
        self.begun = ""
        self.landed = False
        self.lent: list[str] = []
        self.seen: set[Ref] = set()
        self.tickets: list[asyncio.Future[None]] = []
        self.facts: dict[str, str | int] = {}
        self.used: dict[Ref, None] = {}

    @property
    def label(self) -> Label:
        """What leaves this flow carries: also what was not found depends on the world at the acting label."""
        return self.acting

    @property
    def gives(self) -> Label:
        """How high a clearance or a key may be that is given here: whoever acts on trusted grounds alone can still let
        others see what is less trusted, as far as his session goes."""
        return distrusting(self.acting, self.session.ceiling)

    @property
    def access(self) -> AccessClass:
        """The access class at which this flow writes."""
        return self.gate.classes.of(self.acting)

    def classes(self) -> list[AccessClass]:
        """The visible access classes."""
        return self.gate.classes.visible(self.acting)

    def under(self, whole: State) -> None:
        """Be a part of that request: its BEGIN, its lends, its log, its caches."""
        self.begun, self.lent, self.domain, self.asker = whole.begun, whole.lent, whole.domain, whole.asker
        self.tickets, self.facts, self.used = whole.tickets, whole.facts, whole.used

    def use(self, *refs: Ref) -> None:
        """Something of these objects is in what the caller is given: END names them."""
        self.used.update(dict.fromkeys(refs))

    @property
    def _owed(self) -> bool:
        """Whether what is recorded next tells of something that was begun or done."""
        return bool(self.begun) or self.landed

    async def note(self, note: Note) -> str:
        """One entry, in the log of the whole request's label."""
        return await self.gate.record(self.asker, self.gate.classes.of(self.domain), note, owed=self._owed)

    def append(self, note: Note) -> str:
        """One entry in that log, on its way; `durable` waits for it."""
        id, ticket = self.gate.append(self.asker, self.gate.classes.of(self.domain), note, owed=self._owed)
        self.tickets.append(ticket)
        return id

    async def durable(self) -> None:
        """Everything that this request has recorded until now survives a power cut. Raises what prevented it.

        Several may wait for the same entry, so each waits for a future of his own.
        """
        for ticket in reversed(self.tickets):  # the last is done last: mostly one waits once
            if not ticket.done():
                own = asyncio.get_running_loop().create_future()
                ticket.add_done_callback(partial(_wake, own))
                await own
        for ticket in self.tickets:
            ticket.result()

    async def beside(self, work: Callable[..., T], *args: object) -> T:
        """Compute something that takes long in a thread of the whole request's domain."""
        return await self.gate.threads.run(self.gate.classes.of(self.domain).id, work, *args)

    async def settled(self) -> None:
        """What this request, and whoever was before it, has recorded can be read. Raises Unavailable, Damaged."""
        await self.durable()
        await self.gate.folded()

    async def refuse(self, refusal: Refuse) -> NoReturn:
        """Record the refusal where the request stands, and raise it."""
        await self.gate.refuse(self.asker, self.domain, self.action, refusal, self._owed)


def _wake(waiting: asyncio.Future[None], _ticket: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
