"""Usage: what was used, by whom, of which model, hour by hour; kept as objects at the label of the requests.

A worker adds up in memory, per label domain, and a loop (`books`) writes what has changed, class by class. A record has
the id of its worker's run, its hour and its dimensions, and is written whole each time: to write it again changes
nothing. A crash loses at most what these records would have got since the last round, and not for good: the END entries
of the ledger hold each request exactly, and `recount` makes the records of an hour anew from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from casemate.accounts.prices import Price
from casemate.clock import SECOND, iso
from casemate.labels import Label
from casemate.objects import Kind, Put

__all__ = ["HOUR", "USAGE", "Charge", "Tally", "Usage", "Who", "of_facts"]

HOUR = 3600 * SECOND
BATCH = 200
MOST = (1 << 63) - 1  # of what a record can hold: what is more stays there, and stops no other record


class Who(NamedTuple):
    """On whose account."""

    agency: str
    project: str
    principal: str
    key: str


class Usage(msgspec.Struct, frozen=True):
    """An hour (`at`: its first microsecond, UTC) of one key with one model at one price. `cost` is in pico-units.

    `cached` of the `prompt` tokens came from a cache. `estimated`: counted by us, since the engine did not say.
    """

    at: int
    agency: str
    project: str
    principal: str
    key: str
    model: str
    vendor: str
    price: Price
    requests: int
    prompt: int
    completion: int
    cached: int
    cost: int
    estimated: bool = False
    worker: int = 0
    day: str = ""
    month: str = ""


USAGE = Kind("usage", Usage, indexed=("day", "month"), withholds=True)


class Charge(msgspec.Struct, frozen=True):
    """What one request used; `cost` is in pico-units, exactly."""

    who: Who
    model: str
    vendor: str
    price: Price
    prompt: int
    completion: int
    cached: int
    cost: int
    estimated: bool = False

    def facts(self) -> dict[str, str | int]:
        """What the request's END entry says of it, from which usage can be made anew."""
        price = self.price
        return {
            "metered": 2 if self.estimated else 1,
            "agency": self.who.agency,
            "project": self.who.project,
            "model": self.model,
            "vendor": self.vendor,
            "prompt": self.prompt,
            "completion": self.completion,
            "cached": self.cached,
            "price": f"{price.input}/{price.output}/{price.cached}/{price.currency}",
        }


class Row:
    """A record that grows."""

    __slots__ = ("cached", "completion", "cost", "dirty", "prompt", "requests")

    def __init__(self) -> None:
        self.requests = self.prompt = self.completion = self.cached = self.cost = 0
        self.dirty = False

    def add(self, charge: Charge) -> None:
        """Count a request."""
        self.requests += 1
        self.prompt += charge.prompt
        self.completion += charge.completion
        self.cached += charge.cached
        self.cost += charge.cost
        self.dirty = True


Place = tuple[int, Who, str, str, Price, bool]


class Tally:
    """What a worker has added up and not let go of yet, per label domain. `run` tells one start of it from the next."""

    def __init__(self, run: str, worker: int = 0) -> None:
        self.run = run
        self.worker = worker
        self.rows: dict[Label, dict[Place, Row]] = {}

    def row(self, domain: Label, hour: int, charge: Charge) -> Row:
        """The record of its domain and hour to which a request is added."""
        place = (hour, charge.who, charge.model, charge.vendor, charge.price, charge.estimated)
        return self.rows.setdefault(domain, {}).setdefault(place, Row())

    def changed(self, domain: Label, limit: int | None = BATCH) -> list[tuple[Row, Put]]:
        """The records of a domain that are to be written, as they stand now."""
        rows = [(place, row) for place, row in self.rows.get(domain, {}).items() if row.dirty][:limit]
        return [(row, self._put(place, row)) for place, row in rows]

    def let_go(self, domain: Label, now: int) -> None:
        """Forget what is written and can grow no more."""
        rows = self.rows.get(domain, {})
        for place in [p for p, row in rows.items() if not row.dirty and p[0] < now // HOUR - 1]:
            del rows[place]
        if not rows:
            self.rows.pop(domain, None)

    def _put(self, place: Place, row: Row) -> Put:
        hour, who, model, vendor, price, estimated = place
        name = msgspec.msgpack.encode((self.run, self.worker, place))
        at = hour * HOUR
        day = iso(at)[:10]
        held = (min(each, MOST) for each in (row.requests, row.prompt, row.completion, row.cached, row.cost))
        requests, prompt, completion, cached, cost = held
        sums = (requests, prompt, completion, cached, cost)
        value = Usage(at, *who, model, vendor, price, *sums, estimated, self.worker, day, day[:7])
        return Put(USAGE, f"use_{hashlib.sha384(name).hexdigest()[:32]}", value)


def of_facts(principal: str, key: str, facts: Mapping[str, Any]) -> Charge | None:
    """A request's charge as its END entry tells it; None where the entry tells of none."""
    if facts.get("metered") not in (1, 2):
        return None
    try:
        fresh, made, kept, currency = str(facts["price"]).split("/")
        who = Who(str(facts["agency"]), str(facts["project"]), principal, key)
        prompt, completion, cached = (int(facts[name]) for name in ("prompt", "completion", "cached"))
        price = Price(int(fresh), int(made), int(kept), currency)
        estimated = facts["metered"] == 2
        cost = price.cost(prompt, completion, cached)
        return Charge(
            who, str(facts["model"]), str(facts["vendor"]), price, prompt, completion, cached, cost, estimated
        )
    except (KeyError, TypeError, ValueError):
        return None
