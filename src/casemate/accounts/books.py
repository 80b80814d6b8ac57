"""The books: limits go in, usage comes out, and what a worker had used before it ended is counted again.

Everything is done class by class with a session of that class, so that what goes wrong in one stops no other; nothing
here lies on the path of a request.
"""

from __future__ import annotations

from casemate.access import Flow, Gate, audit
from casemate.accounts.meter import Meter
from casemate.accounts.quota import Limits, plain_classes, read_limits
from casemate.accounts.usage import HOUR, USAGE, Tally, Usage, of_facts
from casemate.clock import SECOND, Clock, Loop, iso
from casemate.errors import BadInput, CasemateError
from casemate.labels import AccessClass, Label
from casemate.objects import Delete, Found, Where
from casemate.policy import Action

__all__ = ["Books", "recount", "used"]

DAY = 24 * HOUR
FLUSH_SECONDS = 10.0
LIMITS_SECONDS = 2.0
SETTLED = 120 * SECOND  # after which no worker writes an hour's records any more
LONGEST_DAYS = 366
MOST = 100_000
MANAGE = frozenset({"officer", "operator", "auditor"})


class Books:
    """The loops of usage: limits in, usage out. `problems` says per class why it cannot be written just now."""

    def __init__(self, gate: Gate, meter: Meter) -> None:
        self._gate = gate
        self._meter = meter
        self._clock: Clock = gate.vault.clock
        self.limits = Limits(gate.vault.region.agency)
        self.problems: dict[str, str] = {}
        self.flushing = Loop("accounts.usage", FLUSH_SECONDS, self.flush)
        self.refreshing = Loop("accounts.limits", LIMITS_SECONDS, self.refresh)

    async def read(self) -> None:
        """Go by the limits that the store holds now. The snapshot takes `limits`. Raises Damaged, MarkingError."""
        limits = await read_limits(self._gate)
        self._meter.adopt(self._meter.understood(limits))
        self.limits = limits

    async def refresh(self) -> int:
        """The same again and again; while they cannot be read the old ones hold. How many counters are let go of."""
        try:
            await self.read()
        except CasemateError as error:
            self.problems["limits"] = error.slug
            return 0
        self.problems.pop("limits", None)
        return self._meter.forget()

    async def flush(self) -> int:
        """Write what has changed; how many records. What cannot be written in one class stops no other."""
        written = 0
        for domain in list(self._meter.tally.rows):
            access = self._gate.classes.of(domain)
            try:
                written += await self._write(access, domain)
            except CasemateError as error:
                self.problems[access.id] = error.slug
            else:
                self.problems.pop(access.id, None)
        return written

    async def _write(self, access: AccessClass, domain: Label) -> int:
        tally, written = self._meter.tally, 0
        while True:
            flow = await self._gate.open(self._gate.service("accounts", access), Action("keep", "usage"))
            rows = tally.changed(domain)
            if not rows:
                tally.let_go(domain, self._clock.now())
                return written
            for row, _ in rows:
                row.dirty = False
            try:
                await flow.commit(*(put for _, put in rows), facts={"records": len(rows)})
            except BaseException:
                for row, _ in rows:
                    row.dirty = True
                raise
            written += len(rows)

    async def close(self) -> None:
        """Before an orderly end: nothing of what was used is lost."""
        await self.flush()

    async def restore(self) -> int:
        """Count again what this worker had used before it ended, from its own records; how many were read.

        Where there are fewer workers than there were, the records of those that are gone are dealt out among the rest.
        """
        meter, read = self._meter, 0
        today = iso(self._clock.now())[:10]
        for access in plain_classes(self._gate):
            flow = await self._gate.open(self._gate.service("accounts", access), Action("read", "usage"))
            for found in await flow.every(USAGE, Where((("month", today[:7]),))):
                value = found.value
                if found.ref.class_id == access.id and value.worker % meter.workers == meter.worker:
                    tokens = value.prompt + value.completion if value.day == today else 0
                    meter.recall(access.label, value.key, value.project, tokens, value.cost)
                    read += 1
        return read


async def used(flow: Flow, first: int, end: int) -> list[Found[Usage]]:
    """The records of the visible world whose hour begins in [first, end), oldest first. Raises BadInput.

    Whoever neither manages nor audits gets what he used himself.
    """
    if not 0 <= first < end <= first + LONGEST_DAYS * DAY:
        raise BadInput(what=f"Usage is told of 1 to {LONGEST_DAYS} days.")
    session = flow.session
    every = bool(session.principal.roles & MANAGE)
    found: list[Found[Usage]] = []
    for day in range(first - first % DAY, end, DAY):
        found += [
            record
            for record in await flow.every(USAGE, Where((("day", iso(day)[:10]),)))
            if first <= record.value.at < end and (every or record.value.principal == session.principal.name)
        ]
        if len(found) > MOST:
            raise BadInput(what=f"There are more than {MOST} records; ask for fewer days.")
    return sorted(found, key=_place)


async def recount(flow: Flow, at: int) -> int:
    """Make the records of a past hour anew from the END entries at the acting label; how many there are now.

    For an auditor, since it reads the log; `at` is a moment of that hour. Raises BadInput for an hour that is not over
    for a while, or of which the log holds too much to be read at once.
    """
    start = at - at % HOUR
    if start + HOUR + SETTLED > flow.gate.vault.clock.now():
        raise BadInput(what="That hour is not over, or has only just ended.")
    seen = audit.entries(flow, MOST)
    if len(seen) == MOST and seen[-1].entry.at >= start:
        raise BadInput(what="The log has grown too much since that hour.")
    tally = Tally("ledger")
    for each in seen:
        entry = each.entry
        if each.access.id == flow.access.id and start <= entry.at < start + HOUR:
            charge = of_facts(entry.principal, entry.session, entry.facts)
            if charge is not None:
                tally.row(flow.acting, start // HOUR, charge).add(charge)
    puts = {put.id: put for _, put in tally.changed(flow.acting, None)}
    old = await flow.every(USAGE, Where((("day", iso(start)[:10]),)))
    here = [f.id for f in old if f.ref.class_id == flow.access.id and f.value.at == start and f.id not in puts]
    gone = [Delete(USAGE, id) for id in here]
    await flow.commit(*puts.values(), *gone, facts={"hour": iso(start), "records": len(puts), "replaced": len(here)})
    return len(puts)


def _place(found: Found[Usage]) -> tuple[int, str, str]:
    return found.value.at, found.label.text, found.id
