"""What every deed of the gate stands on: the vault, and what opens, seals and records it."""

from __future__ import annotations

from asyncio import Future
from typing import NoReturn

from casemate.access.classes import Classes
from casemate.access.damaged import Damages
from casemate.access.directory import Directory
from casemate.access.filled import Filled
from casemate.access.frozen import Frozen
from casemate.access.record import Note, Recorder, facts_of
from casemate.access.rows import Rows
from casemate.access.running import Running
from casemate.access.threads import Threads
from casemate.access.vault import Vault
from casemate.errors import Absent, CasemateError, Refused
from casemate.identity import Principal, Session
from casemate.labels import AccessClass, Label
from casemate.policy import Action, Refuse
from casemate.telemetry import Telemetry

__all__ = ["Core"]


class Core:
    """One per process; it holds no truth, only ports. `Gate` adds the doors to it.

    `running` are the BEGINs of this process whose END is still to come: they are not interrupted. `telemetry` counts
    what this process does, each label domain by itself. `damages` remembers what was found damaged.
    """

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.damages = Damages()
        self.classes = Classes(vault, self.damages.met)
        self.rows = Rows(vault, self.classes, self.damages.met)
        self.frozen = Frozen(vault, self.rows)
        self.recorder = Recorder(vault, self.classes)
        self.directory = Directory(vault, self.classes, self.rows)
        self.running = Running()
        self.filled = Filled(vault)
        self.threads = Threads()
        self.telemetry = Telemetry(vault.clock)

    async def refuse(
        self, session: Session, acting: Label, action: Action, refusal: Refuse, owed: bool = False
    ) -> NoReturn:
        """Record the outward face in the caller's own log, then raise it. `owed`: as `append`."""
        error = outward(action, refusal)
        await self.record_error(session, acting, action, error, owed=owed)
        raise error

    async def record_error(
        self,
        session: Session,
        acting: Label,
        action: Action,
        error: CasemateError,
        ref: str = "",
        begun: str = "",
        owed: bool = False,
    ) -> str:
        """One entry for what the caller was told; its id. Where he may not act at that label, it stands at his ceiling.

        Not at his floor: there it would tell those who do not dominate the session that it was active.
        """
        at = acting if session.floor <= acting <= session.ceiling else session.ceiling
        rule = str(error.facts.get("rule", "")) if isinstance(error, Refused) else error.slug
        told = "absent" if isinstance(error, Absent) else "refused" if isinstance(error, Refused) else "failed"
        facts = facts_of(error.facts | ({"begin": begun} if begun else {}))
        note = Note(action.name, told, rule=rule, facts=facts, ref=ref)
        error.entry = await self.record(session, self.classes.of(at), note, owed=owed or bool(ref or begun))
        self.running.end(ref)
        return error.entry

    async def record_stranger(self, action: Action, error: CasemateError) -> str:
        """One entry for whoever could not be admitted; its id.

        It stands at the region's ceiling, for nobody knows how high the session is that somebody failed to open; and
        its queue is the strangers' own, so that no flood of them keeps anybody else's entries waiting.
        """
        region = self.vault.region
        nobody = Principal("stranger", "stranger", region.ceiling, frozenset())
        session = Session("stranger", nobody, region.floor, region.ceiling)
        note = Note(action.name, "unauthenticated", rule=error.slug, facts=facts_of(error.facts))
        error.entry = await self.record(session, self.classes.of(region.ceiling), note, domain="strangers", owed=True)
        return error.entry

    async def record(
        self, session: Session, access: AccessClass, note: Note, domain: str = "", owed: bool = False
    ) -> str:
        """One entry by itself, durable; its id. As `append`."""
        id, ticket = self.append(session, access, note, domain, owed)
        await ticket
        return id

    def append(
        self, session: Session, access: AccessClass, note: Note, domain: str = "", owed: bool = False
    ) -> tuple[str, Future[None]]:
        """One entry by itself, on its way: its id, and what is done once it is durable.

        `owed`: something was begun or done of which it tells, so that it is written whatever its class takes. Else
        raises ShareFull where the share of that class is used up.
        """
        if not owed:
            self.filled.admit(access.id, note.action)
        entry, row = self.recorder.entry(session, access, note)
        return entry.id, self.vault.journal.append(row, self.classes.row(access), domain or access.id)

    async def folded(self) -> None:
        """What was durable before now can be read in the logs. Raises Unavailable, Damaged; see `Journal.fold`."""
        await self.vault.journal.fold()


def outward(action: Action, refusal: Refuse) -> CasemateError:
    """The face of a refusal that the caller sees."""
    if refusal.face == "absent":
        return Absent(kind=action.kind, id=refusal.facts.get("id", ""))
    return Refused(rule=refusal.rule, **refusal.facts)
