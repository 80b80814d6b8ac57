"""What the rooms tell: a request came and ended, a model was asked and answered, tokens were used.

One `Telemetry` in a process; `Watch` follows a request, `Generation` a call of a model. Everything here is on the path
of every request: it counts, and waits for nothing. Time is the region's own clock, so that a law may hold it still.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, Self

from casemate.clock import Clock
from casemate.errors import Absent, CasemateError, EngineFailed, QuotaExceeded, Refused, Unauthenticated
from casemate.labels import Label
from casemate.telemetry.domain import Domain
from casemate.telemetry.gauge import Probe
from casemate.telemetry.instrument import GENERATION, QUOTA, REFUSALS
from casemate.telemetry.kept import Counted, Kept, merge
from casemate.telemetry.span import Traces

__all__ = ["CHAT", "EMBEDDINGS", "Generation", "Telemetry", "Watch"]

CHAT, EMBEDDINGS = "chat", "embeddings"  # gen_ai.operation.name


async def _nobody(class_id: str) -> Iterable[Kept]:
    del class_id
    return ()


class Telemetry:
    """The numbers of this process by domain; `others` gives those of the region's other processes, where it has any."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.now
        self.domains: dict[str, Domain] = {}
        self.classes: dict[str, Domain] = {}
        self.probes: list[Probe] = []
        self.others: Callable[[str], Awaitable[Iterable[Kept]]] = _nobody
        self.traces: Traces | None = None

    def at(self, label: Label, now: int) -> Domain:
        """The domain of a label, its beat at `now`."""
        found = self.domains.get(label.text)
        if found is None:
            found = self.domains[label.text] = Domain(label)
            self.classes[found.class_id] = found
        if now >= found.turn:
            found.roll(now)
        return found

    def watch(self) -> Watch:
        """A request has come in."""
        return Watch(self, self.now())

    def generation(
        self, label: Label, provider: str, model: str, served: str, now: int, operation: str = CHAT
    ) -> Generation:
        """A model is about to be asked, in that domain."""
        return Generation(self, label, (operation, provider, model), served, now)

    def used(self, label: Label, operation: str, provider: str, model: str, prompt: int, completion: int) -> None:
        """Tokens that an answer used."""
        domain = self.domains.get(label.text)
        found = (domain or self.at(label, self.now())).model(operation, provider, model)
        found.input.observe(prompt)
        found.output.observe(completion)

    def keep(self, domain: Domain) -> Kept:
        """What this process has of a domain, its levels included."""
        now = self.now()
        kept = domain.keep(now)
        levels = [Counted(i.name, key, n) for probe in list(self.probes) for i, key, n in probe(domain.class_id)]
        return Kept(kept.label, now, kept.counters, kept.histograms, tuple(levels), kept.beats)

    async def seen(self, class_id: str, label: Label) -> Kept:
        """What all processes have of one domain. The caller has made sure that who asks dominates it."""
        own, others = self.classes.get(class_id), await self.others(class_id)
        return merge(label.text, self.now(), [*([self.keep(own)] if own is not None else []), *others])


class Watch:
    """One request. `outcome` and `rule` say how it ended; `end` counts it, once."""

    __slots__ = ("_telemetry", "outcome", "rule", "since", "why")

    def __init__(self, telemetry: Telemetry, now: int) -> None:
        self._telemetry = telemetry
        self.since = now
        self.outcome = "complete"
        self.rule = ""
        self.why: CasemateError | None = None

    def failed(self, error: CasemateError) -> None:
        """It is told this error."""
        self.why = error
        if isinstance(error, Refused):
            self.outcome, self.rule = "refused", str(error.facts.get("rule", "")) or error.slug
        elif isinstance(error, Absent | QuotaExceeded):
            self.outcome, self.rule = ("absent" if isinstance(error, Absent) else "refused"), error.slug
        else:
            self.outcome = "unauthenticated" if isinstance(error, Unauthenticated) else "failed"
            self.rule = error.slug

    def end(
        self,
        label: Label,
        method: str,
        route: str,
        operation: str,
        begun: str = "",
        who: str = "",
        parent: str = "",
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """It is over. `label`: whose numbers these are; `route`: as declared, never as asked.

        For a span: `begun` is its BEGIN's entry, `who` a principal's id (never shown), `parent` a traceparent.
        """
        telemetry = self._telemetry
        now = telemetry.now()
        domain = telemetry.domains.get(label.text)
        if domain is None or now >= domain.turn:
            domain = telemetry.at(label, now)
        domain.request(method, route, operation, self.outcome, now - self.since)
        if self.rule:
            domain.add(REFUSALS, (operation, self.rule))
            if isinstance(self.why, QuotaExceeded):
                told = self.why.facts
                domain.add(QUOTA, (str(told.get("limit", "")), str(told.get("of", ""))))
        traces = telemetry.traces
        if traces is not None:
            traces.request(
                domain, self.since, now, f"{method} {route}", operation, self.rule, begun, who, parent, facts
            )


class Used(Protocol):
    """Tokens, as an engine told them."""

    @property
    def prompt(self) -> int: ...

    @property
    def completion(self) -> int: ...


class Piece(Protocol):
    """A piece of an answer: the last one says how it finished, and what was used where the engine knows."""

    @property
    def finish(self) -> str: ...

    @property
    def usage(self) -> Used | None: ...


class Generation:
    """One call of a model: `end`, once. Where it begins to answer, `going_on` ends it as soon as its block is left.

    `last`: the newest piece.
    """

    __slots__ = ("_begun", "_first", "_key", "_label", "_served", "_since", "_telemetry", "last")

    def __init__(self, telemetry: Telemetry, label: Label, key: tuple[str, str, str], served: str, now: int) -> None:
        self._telemetry = telemetry
        self._label = label
        self._key = key
        self._served = served
        self._since = now
        self._begun = ""
        self._first = -1
        self.last: Piece | None = None

    def end(self, begun: str, error: str = "") -> None:
        """It is over. `begun`: the BEGIN of the request; `error`: the cause of EngineFailed, or another kind."""
        telemetry, label = self._telemetry, self._label
        now = telemetry.now()
        domain = telemetry.domains.get(label.text)
        if domain is None or now >= domain.turn:
            domain = telemetry.at(label, now)
        found = domain.model(*self._key)
        if error:
            domain.observe(GENERATION, (*self._key, error), now - self._since)
        else:
            found.done.observe(now - self._since)
        if self._first >= 0:
            found.first.observe(self._first)
        if telemetry.traces is not None:
            told = self.last.usage if self.last is not None else None
            used = (told.prompt, told.completion) if told is not None else None
            telemetry.traces.model(domain, self._since, now, self._key, self._served, error, begun, used)

    def going_on(self, begun: str, took: int = -1) -> Self:
        """Leaving the block ends it, with the kind of error that left. It began to answer after `took` microseconds."""
        self._begun, self._first = begun, took
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        whole = error is None or (isinstance(error, GeneratorExit) and self.last is not None and self.last.finish)
        self.end(self._begun, "" if whole or error is None else _kind(error))


def _kind(error: BaseException) -> str:
    """What kind of error it was. Anything that is none of ours: whoever reads has gone, or the process stops."""
    if isinstance(error, EngineFailed):
        return error.cause
    if isinstance(error, CasemateError):
        return error.slug
    return "cancelled"
