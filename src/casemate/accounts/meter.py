"""The meter: may this request be made within its quotas, and what has it used? On the request path, without waiting.

    reserve ──► settle     what it really used counts, and becomes usage
            └─► cancel     nothing counts but the request itself

Every counter belongs to one label domain, the acting label of the whole request, and to one project or key within it.
A request touches its own domain's counters alone: what is used in one is never seen, lent or refused in another. Each
worker (data process) holds a static share of each limit, one part in `workers`, and borrows from nobody: nothing here
calls another process or the store.

Limits by the minute are token buckets in whole numbers: a bucket holds one minute's worth, a request is let in when
what it asks for is there (or the bucket is full, for one that asks for more), and what it used beyond its reservation
is owed. Limits by the day and the month (UTC) are counts that begin anew; what is reserved counts until it is settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from casemate.access import Flow
from casemate.accounts.prices import FREE, MICRO, Price
from casemate.accounts.project import DEFAULT
from casemate.accounts.quota import Bounds, Limits
from casemate.accounts.usage import HOUR, Charge, Row, Tally, Who
from casemate.clock import SECOND, Clock
from casemate.errors import QuotaExceeded, Unavailable
from casemate.labels import Label, Policies

__all__ = ["Meter", "Reservation", "Understood", "share"]

MILLI = 1000  # microseconds
MINUTE = 60_000  # milliseconds
DAY = 86_400 * SECOND
WAIT_LONGEST = 31 * 86_400
NEVER = 1 << 62

T = TypeVar("T")


def share(limit: int, worker: int, workers: int) -> int:
    """A worker's part of a count that all of them hold together: the parts add up to the limit, whatever it is."""
    return limit // workers + (worker < limit % workers)


def _next_month(at: int) -> int:
    """The first moment of the month after a moment."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * SECOND


class _Counter:
    """What one subject has used in one domain, in this worker.

    `calls` and `flow` are bucket levels: requests, and tokens, times a minute in milliseconds times workers (`unit`).
    A bucket fills by its limit each millisecond, up to a minute of it; None is no limit.
    """

    __slots__ = (
        "busy", "calls", "calls_limit", "cost", "cost_limit", "day", "day_limit", "flow", "flow_limit", "limited",
        "month", "room", "seen", "tokens", "unit",
    )  # fmt: skip

    def __init__(self, now: int, workers: int) -> None:
        self.unit = MINUTE * workers
        self.busy = self.tokens = self.cost = 0
        self.calls = self.flow = 0
        self.seen = now
        self.calls_limit: int | None = None
        self.flow_limit: int | None = None
        self.day_limit = self.cost_limit = self.room = NEVER
        self.limited = False
        self.day, self.month = now - now % DAY + DAY, _next_month(now)

    def bound(self, bounds: Bounds, worker: int, workers: int) -> None:
        """Take these limits from now on. A bucket that has a limit for the first time is full."""
        calls, flow = bounds.requests_per_minute, bounds.tokens_per_minute
        if calls is not None:
            self.calls = calls * MINUTE if self.calls_limit is None else min(self.calls, calls * MINUTE)
        if flow is not None:
            self.flow = flow * MINUTE if self.flow_limit is None else min(self.flow, flow * MINUTE)
        self.calls_limit, self.flow_limit = calls, flow
        day, budget, room = bounds.tokens_per_day, bounds.budget_per_month, bounds.concurrent
        self.day_limit = NEVER if day is None else share(day, worker, workers)
        self.cost_limit = NEVER if budget is None else share(budget * MICRO, worker, workers)
        self.room = NEVER if room is None else share(room, worker, workers)
        self.limited = bounds != Bounds()

    def roll(self, now: int) -> None:
        """Another day, perhaps another month: what was used before no longer counts."""
        if now >= self.day:
            self.day, self.tokens = now - now % DAY + DAY, 0
        if now >= self.month:
            self.month, self.cost = _next_month(now), 0

    def refusal(self, now: int, tokens: int, cost: int) -> tuple[str, int] | None:
        """The limit that says no, and after how many seconds it may say yes; None where there is room."""
        passed = (now - self.seen) // MILLI
        if passed > 0:
            self.seen += passed * MILLI
            if passed > MINUTE:
                passed = MINUTE
        else:
            passed = 0
        limit = self.calls_limit
        if limit is not None:
            full, level = limit * MINUTE, self.calls + passed * limit
            if level > full:
                level = full
            self.calls = level
            if level < self.unit and (level < full or not full):
                return "requests-per-minute", _wait(min(self.unit, full) - level, limit)
        limit = self.flow_limit
        if limit is not None:
            full, need, level = limit * MINUTE, tokens * self.unit, self.flow + passed * limit
            if level > full:
                level = full
            self.flow = level
            if level < need and (level < full or not full):
                return "tokens-per-minute", _wait(min(need, full) - level, limit)
        if self.tokens + tokens > self.day_limit:
            return "tokens-per-day", _wait((self.day - now) // MILLI, 1)
        if self.cost + cost > self.cost_limit:
            return "budget-per-month", _wait((self.month - now) // MILLI, 1)
        return ("concurrent", 1) if self.busy >= self.room else None

    def late(self, since: int, held: int, tokens: int, cost: int) -> None:
        """What was reserved on an earlier day, settled on this: its tokens are new, and its cost where the month is."""
        self.tokens += tokens
        self.cost += cost - held if _within(since, self.month) else cost


def _within(since: int, end: int) -> bool:
    """Whether a moment lies in the month that ends there; in its last 28 days it does, whichever month it is."""
    return end - since <= 28 * DAY or _next_month(since) == end


def _wait(short: int, rate: int) -> int:
    """Whole seconds, at least one, in which so much comes in at a rate by the millisecond."""
    return max(1, min(WAIT_LONGEST, -(-short // (rate * 1000)))) if rate else WAIT_LONGEST


class _Account:
    """Where a key's requests in one domain are counted. `row` is the record that the last one was added to."""

    __slots__ = ("domain", "key", "last", "project", "row", "who")

    def __init__(self, key: _Counter, project: _Counter, who: Who, domain: Label) -> None:
        self.key, self.project, self.who, self.domain = key, project, who, domain
        self.last: tuple[int, str, Price, bool] | None = None
        self.row: Row | None = None


class Reservation(msgspec.Struct):
    """Room for one request. It ends by `settle` or `cancel`, once; as a context manager, cancelled if by neither.

    Set `model`, `vendor` and `price` before it is settled, where another model than the one reserved for has answered.
    """

    meter: Meter
    account: _Account
    at: int
    tokens: int
    cost: int
    model: str
    vendor: str
    price: Price
    open: bool = True

    def settle(self, prompt: int, completion: int, cached: int = 0, estimated: bool = False) -> Charge:
        """What was really used. `cached` of the `prompt` tokens came from a cache. A second call changes nothing."""
        price = self.price
        cached = min(cached, prompt)
        cost = (prompt - cached) * price.input + cached * price.cached + completion * price.output
        charge = Charge(self.account.who, self.model, self.vendor, price, prompt, completion, cached, cost, estimated)
        if self.open:
            self.open = False
            self.meter.settled(self, charge)
        return charge

    def cancel(self) -> None:
        """Nothing was used. The request itself stays counted, so that failing ones cannot be repeated without end."""
        if self.open:
            self.open = False
            self.meter.spend(self, self.meter.clock.now(), 0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()


@dataclass(frozen=True, slots=True)
class Understood:
    """Limits whose labels have been read."""

    limits: Limits
    bounds: dict[str, list[tuple[Label, Bounds]]]
    keys: dict[str, tuple[Label, str]]
    projects: dict[str, list[tuple[Label, str]]]


class Meter:
    """One per worker: number `worker` of `workers`. Until it knows the limits it lets nobody in."""

    def __init__(self, clock: Clock, policies: Policies, tally: Tally, worker: int = 0, workers: int = 1) -> None:
        self.clock = clock
        self._policies = policies
        self.tally = tally
        self.worker, self.workers = worker, workers
        self._limits: Understood | None = None
        self._counters: dict[Label, dict[str, _Counter]] = {}
        self._accounts: dict[tuple[Label, str], _Account] = {}

    def understood(self, limits: Limits) -> Understood:
        """The limits with their labels read. Raises MarkingError where one cannot be: then the old limits hold."""
        parse = self._policies.parse
        found = Understood(limits, {}, {}, {})
        for line in limits.lines:
            found.bounds.setdefault(line.subject, []).append((parse(line.label), line.bounds))
        for binding in limits.keys:
            found.keys[binding.key] = (parse(binding.label), binding.project)
        for owned in limits.projects:
            found.projects.setdefault(owned.project, []).append((parse(owned.label), owned.agency))
        return found

    def adopt(self, found: Understood) -> None:
        """Go by these limits from now on; what has been used stays used."""
        if self._limits is not None and found.limits == self._limits.limits:
            return
        self._limits = found
        self._accounts.clear()
        for domain, counters in self._counters.items():
            for subject, counter in counters.items():
                counter.bound(self._bounds(subject, domain), self.worker, self.workers)

    def reserve(self, flow: Flow, tokens: int, model: str = "", vendor: str = "", price: Price = FREE) -> Reservation:
        """Room for a request that will use at most about `tokens`. Raises QuotaExceeded; Unavailable without limits."""
        now = self.clock.now()
        account = self._accounts.get((flow.domain, flow.asker.id)) or self._account(flow, now)
        key, project = account.key, account.project
        if now >= key.day:
            key.roll(now)
            project.roll(now)
        cost = price.most(tokens)
        if key.limited:
            self._check("key", key.refusal(now, tokens, cost))
        if project.limited:
            self._check("project", project.refusal(now, tokens, cost))
        # Written out for both: this is the path of every request.
        key.busy += 1
        key.calls -= key.unit
        key.flow -= tokens * key.unit
        key.tokens += tokens
        key.cost += cost
        project.busy += 1
        project.calls -= project.unit
        project.flow -= tokens * project.unit
        project.tokens += tokens
        project.cost += cost
        return Reservation(self, account, now, tokens, cost, model, vendor, price)

    @staticmethod
    def _check(of: str, refused: tuple[str, int] | None) -> None:
        if refused is not None:
            raise QuotaExceeded(limit=refused[0], of=of, retry_after=refused[1])

    def settled(self, reservation: Reservation, charge: Charge) -> None:
        """What a reservation was for has been used: `Reservation.settle` calls this, once."""
        now = self.clock.now()
        self.spend(reservation, now, charge.prompt + charge.completion, charge.cost)
        account = reservation.account
        last, hour = account.last, now // HOUR
        if (
            last is None
            or account.row is None
            or last[0] != hour
            or last[1] is not charge.model
            or last[2] is not charge.price
            or last[3] is not charge.estimated
        ):
            account.last = (hour, charge.model, charge.price, charge.estimated)
            account.row = self.tally.row(account.domain, hour, charge)
        account.row.add(charge)

    def spend(self, reservation: Reservation, now: int, tokens: int, cost: int) -> None:
        """What was reserved becomes what was used."""
        account, since, reserved, held = reservation.account, reservation.at, reservation.tokens, reservation.cost
        key, project = account.key, account.project
        if now >= key.day:
            key.roll(now)
            project.roll(now)
        key.busy -= 1
        key.flow += (reserved - tokens) * key.unit
        project.busy -= 1
        project.flow += (reserved - tokens) * project.unit
        if since >= key.day - DAY:
            key.tokens += tokens - reserved
            key.cost += cost - held
            project.tokens += tokens - reserved
            project.cost += cost - held
        else:
            key.late(since, held, tokens, cost)
            project.late(since, held, tokens, cost)

    def recall(self, domain: Label, key: str, project: str, day: int, month: int) -> None:
        """Count what was used before a restart: tokens of this day, pico-units of this month."""
        now = self.clock.now()
        for subject in (f"key:{key}", f"project:{project}"):
            counter = self._counter(domain, subject, now)
            counter.roll(now)
            counter.tokens += day
            counter.cost += month

    def busy(self, domain: Label) -> int:
        """How many requests of that domain are under way in this worker."""
        counters = self._counters.get(domain, {})
        return sum(counter.busy for subject, counter in counters.items() if subject.startswith("project:"))

    def forget(self) -> int:
        """Let go of counters without limits or requests under way, whose period has ended; how many."""
        now, gone = self.clock.now(), 0
        for counters in self._counters.values():
            idle = [s for s, c in counters.items() if not c.limited and not c.busy and now >= c.month]
            gone += len(idle)
            for subject in idle:
                del counters[subject]
        if gone:
            self._accounts.clear()
        return gone

    def _account(self, flow: Flow, now: int) -> _Account:
        if self._limits is None:
            raise Unavailable(what="quotas")
        domain, session = flow.domain, flow.asker
        label, project = self._limits.keys.get(session.id, (domain, DEFAULT))
        visible = [pair for pair in self._limits.projects.get(project, ()) if pair[0] <= domain]
        if not label <= domain or (project != DEFAULT and not visible):
            project, visible = DEFAULT, []
        agency = min(_nearest(visible), key=_text)[1] if visible else self._limits.limits.agency
        key, counted = (self._counter(domain, s, now) for s in (f"key:{session.id}", f"project:{project}"))
        key.roll(now)
        counted.roll(now)
        account = _Account(key, counted, Who(agency, project, session.principal.name, session.id), domain)
        self._accounts[(domain, session.id)] = account
        return account

    def _counter(self, domain: Label, subject: str, now: int) -> _Counter:
        counters = self._counters.setdefault(domain, {})
        if subject not in counters:
            counters[subject] = _Counter(now, self.workers)
            if self._limits is not None:
                counters[subject].bound(self._bounds(subject, domain), self.worker, self.workers)
        return counters[subject]

    def _bounds(self, subject: str, domain: Label) -> Bounds:
        """The bounds that hold in a domain: those of the nearest labels that it sees."""
        bounds = Bounds()
        if self._limits is not None:
            for _, found in _nearest([p for p in self._limits.bounds.get(subject, ()) if p[0] <= domain]):
                bounds = bounds.least(found)
        return bounds


def _nearest(pairs: list[tuple[Label, T]]) -> list[tuple[Label, T]]:
    """Those below which none of the others lies higher."""
    return [p for p in pairs if not any(p[0] <= other[0] and p[0] is not other[0] for other in pairs)]


def _text(pair: tuple[Label, str]) -> str:
    return pair[0].text
