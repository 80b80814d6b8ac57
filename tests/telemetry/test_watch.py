"""What the rooms tell: outcomes by kind of error, calls of models, levels, and other processes' shares."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import pytest

from casemate.clock import ManualClock
from casemate.errors import (
    Absent,
    AnswerHeld,
    BadInput,
    CasemateError,
    EngineFailed,
    Expired,
    Internal,
    QuotaExceeded,
    Refused,
)
from casemate.labels import Policies
from casemate.models import Delta
from casemate.telemetry import BACKLOG, CHAT, PULSE, Kept, Telemetry
from casemate.telemetry.instrument import FIRST, GENERATION, QUOTA, REFUSALS, REQUESTS, TOKENS

LABELS = Policies.load(("us",))
LOW, HIGH = LABELS.parse("agency=EXERCISE"), LABELS.parse("agency=EXERCISE + us:SECRET//REL=USA")


def counted(kept: Kept, name: str) -> dict[tuple[str, ...], int]:
    return {each.key: each.count for each in kept.counters if each.name == name}


def measured(kept: Kept, name: str) -> dict[tuple[str, ...], int]:
    return {each.key: each.total for each in kept.histograms if each.name == name}


@pytest.mark.parametrize(
    ("error", "outcome", "rule"),
    [
        (Refused(rule="role"), "refused", "role"),
        (Refused(), "refused", "refused"),
        (Absent(kind="document", id="doc_secret"), "absent", "absent"),
        (QuotaExceeded(limit="concurrent", of="key", retry_after=1), "refused", "quota-exceeded"),
        (Expired(), "unauthenticated", "expired"),
        (BadInput(what="A caller's own words."), "failed", "malformed"),
        (Internal(), "failed", "internal"),
    ],
)
def test_an_error_is_counted_by_its_rule_and_never_by_its_words(error: CasemateError, outcome: str, rule: str) -> None:
    telemetry = Telemetry(ManualClock())
    watch = telemetry.watch()
    watch.failed(error)
    watch.end(LOW, "GET", "/a/{id}", "document.read")
    kept = telemetry.keep(telemetry.at(LOW, telemetry.now()))
    assert counted(kept, REQUESTS.name) == {("GET", "/a/{id}", "document.read", outcome): 1}
    assert counted(kept, REFUSALS.name) == {("document.read", rule): 1}
    assert counted(kept, QUOTA.name) == ({("concurrent", "key"): 1} if isinstance(error, QuotaExceeded) else {})
    assert "secret" not in repr(kept)
    assert "words" not in repr(kept)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, ""),
        (EngineFailed(cause="busy", engine="x", why="w"), "busy"),
        (AnswerHeld(acting="x"), "answer-held"),
        (GeneratorExit(), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_a_call_of_a_model_ends_by_the_kind_of_error_that_left_it(error: BaseException | None, kind: str) -> None:
    clock = ManualClock()
    telemetry = Telemetry(clock)
    call = telemetry.generation(HIGH, "acme", "large", "large-1", clock.now())
    clock.forward(3)

    def answer() -> None:
        with call.going_on("ent_x", 1_000_000):
            if error is not None:
                raise error

    if error is None:
        answer()
    else:
        with pytest.raises(type(error)):
            answer()
    kept = telemetry.keep(telemetry.at(HIGH, clock.now()))
    model = ("chat", "acme", "large")
    assert measured(kept, GENERATION.name)[(*model, kind)] == 3_000_000
    assert measured(kept, FIRST.name) == {model: 1_000_000}


@pytest.mark.parametrize(("finish", "kind"), [("stop", ""), ("", "cancelled")])
def test_a_reader_who_has_read_everything_has_cancelled_nothing(finish: str, kind: str) -> None:
    telemetry = Telemetry(ManualClock())
    call = telemetry.generation(LOW, "acme", "large", "l", telemetry.now())

    def answer() -> Iterator[None]:
        with call.going_on("ent_x", 5):
            call.last = Delta(finish=finish)
            yield

    deltas = answer()
    next(deltas)
    deltas.close()  # type: ignore[attr-defined]
    kept = telemetry.keep(telemetry.at(LOW, telemetry.now()))
    assert set(measured(kept, GENERATION.name)) == {("chat", "acme", "large", kind)}


def test_a_call_that_never_began_has_no_first_piece() -> None:
    telemetry = Telemetry(ManualClock())
    telemetry.generation(LOW, "acme", "large", "l", telemetry.now()).end("ent_x", "down")
    kept = telemetry.keep(telemetry.at(LOW, telemetry.now()))
    assert not any(sum(h.counts) for h in kept.histograms if h.name == FIRST.name)


def test_tokens_are_counted_in_their_own_domain() -> None:
    telemetry = Telemetry(ManualClock())
    telemetry.used(LOW, CHAT, "acme", "large", 3, 4)
    telemetry.used(LOW, CHAT, "acme", "large", 3, 4)
    telemetry.used(HIGH, CHAT, "acme", "large", 100, 100)
    kept = telemetry.keep(telemetry.at(LOW, telemetry.now()))
    model = ("chat", "acme", "large")
    assert measured(kept, TOKENS.name) == {(*model, "input"): 6, (*model, "output"): 8}


def test_the_beat_turns_with_the_clock() -> None:
    clock = ManualClock()
    telemetry = Telemetry(clock)
    for _ in range(3):
        telemetry.watch().end(LOW, "GET", "/a", "answer.ask")
        telemetry.generation(LOW, "acme", "large", "l", clock.now()).end("")
        clock.forward(PULSE / 1_000_000)
    beats = telemetry.keep(telemetry.at(LOW, clock.now())).beats
    assert [beat.requests for beat in beats] == [1, 1, 1, 0]


def test_levels_are_asked_for_one_class_and_others_are_added() -> None:
    telemetry = Telemetry(ManualClock())
    domain = telemetry.at(LOW, telemetry.now())
    asked: list[str] = []

    def backlog(class_id: str) -> Iterable[tuple[object, tuple[str, ...], int]]:
        asked.append(class_id)
        return [(BACKLOG, (), 4)]

    async def others(class_id: str) -> list[Kept]:
        asked.append(class_id)
        return [telemetry.keep(domain)]

    telemetry.probes.append(backlog)  # type: ignore[arg-type]
    telemetry.others = others
    seen = asyncio.run(telemetry.seen(domain.class_id, LOW))
    assert seen.gauges[0].count == 8
    assert set(asked) == {domain.class_id}
    unknown = asyncio.run(Telemetry(ManualClock()).seen("nobody", HIGH))
    assert (unknown.label, unknown.counters) == (HIGH.text, ())
