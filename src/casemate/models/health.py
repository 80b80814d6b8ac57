"""How the engines have been of late, as one label domain has seen them: breakers, latencies, and a budget for retries.

Everything here is kept per label domain and never lent across: what a secret session meets at an engine, how often it
had to ask again and how long it waited leave no trace that a lower one could notice (flow.md, rule 2). It is memory of
one process and no truth: a restart forgets it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from casemate.clock import SECOND
from casemate.errors import EngineFailed

__all__ = ["Health", "Seen"]

STRIKES = 5  # failures in a row that open a breaker
REST, LONGEST_REST = 5 * SECOND, 300 * SECOND
RETRY_SHARE = 0.1  # of the requests of a domain may be asked again elsewhere
RETRY_SAVED = 10.0
KEPT = 4096  # models of a domain; of more the oldest is forgotten, in that domain alone
_WEIGHT = 0.2  # of the newest in the running latency


@dataclass(slots=True)
class Seen:
    """One model as one domain has seen it. `until` (microseconds): a breaker is open before that time."""

    strikes: int = 0
    opened: int = 0
    until: int = 0
    latency: float = 0.0

    def works(self, now: int) -> bool:
        """Whether it may be asked: no breaker is open, or it has rested; one more failure opens it again."""
        return now >= self.until


class Health:
    """Breakers and latencies by (domain, model), retry budgets by domain."""

    def __init__(self) -> None:
        self._seen: dict[str, OrderedDict[str, Seen]] = {}
        self._saved: dict[str, float] = {}

    def of(self, domain: str, model: str) -> Seen:
        """What the domain has seen of the model; nothing yet is as good as new."""
        own = self._seen.get(domain)
        if own is None:
            own = self._seen[domain] = OrderedDict()
        seen = own.get(model)
        if seen is None:
            seen = own[model] = Seen()
            if len(own) > KEPT:
                own.popitem(last=False)
        return seen

    def works(self, domain: str, model: str, now: int) -> bool:
        """Whether the domain's breaker for that model lets a request through at `now` (microseconds)."""
        return self.of(domain, model).works(now)

    def open(self, domain: str, now: int) -> list[tuple[str, bool]]:
        """Each model that the domain has asked, by name, and whether its breaker is open at `now` (microseconds)."""
        own = self._seen.get(domain)
        return sorted((model, not each.works(now)) for model, each in list(own.items())) if own is not None else []

    def asked(self, domain: str) -> None:
        """A request came in: a tenth of a retry is saved for its domain."""
        self._saved[domain] = min(RETRY_SAVED, self._saved.get(domain, 1.0) + RETRY_SHARE)

    def may_retry(self, domain: str) -> bool:
        """Take one retry out of the domain's budget, where there is one."""
        saved = self._saved.get(domain, 0.0)
        if saved < 1.0:
            return False
        self._saved[domain] = saved - 1.0
        return True

    def answered(self, domain: str, model: str, took: int) -> None:
        """It began to answer after `took` microseconds: the breaker closes."""
        seen = self.of(domain, model)
        seen.strikes = seen.opened = seen.until = 0
        seen.latency = took if not seen.latency else seen.latency + _WEIGHT * (took - seen.latency)

    def failed(self, domain: str, model: str, error: EngineFailed, now: int) -> None:
        """It failed. A request that it would not take is no fault of its own; being told to wait is obeyed."""
        if error.cause == "rejected":
            return
        seen = self.of(domain, model)
        seen.strikes += 1
        wait = int(getattr(error, "retry_after", 0) * SECOND)
        if error.cause == "busy" and wait:
            seen.until = max(seen.until, now + min(wait, LONGEST_REST))
        elif error.cause == "denied" or seen.strikes >= STRIKES:
            seen.until = now + min(REST << min(seen.opened, 10), LONGEST_REST)
            seen.opened += 1
