"""`casemate diode`: one file after another over a link on which nothing comes back. No region has to run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click
import msgspec

from casemate.cli.command import Group, option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import SystemClock, iso
from casemate.errors import Unavailable

if TYPE_CHECKING:
    from casemate.transfer.diode import Status
    from casemate.wiring.diode_low import LowStatus

__all__ = ["diode", "until_stopped"]

_TWO_WAY = {"push": "diode_two_way:push_", "fetch": "diode_two_way:fetch_"}
diode = Group("diode", {name: f"diode:{name}_" for name in ("new", "send", "receive", "status")} | _TWO_WAY)

FOLDER = click.argument("place", metavar="PLACE", type=click.Path(file_okay=False, path_type=Path))
ONCE = option("--once", is_flag=True)


@verb(
    "diode.new",
    click.argument("low", metavar="LOW", type=click.Path(file_okay=False, path_type=Path)),
    click.argument("high", metavar="HIGH", type=click.Path(file_okay=False, path_type=Path)),
    option("--address", default="", metavar="ADDRESS:PORT"),
    option("--engine", type=click.Choice(["udp", "drop"]), default="udp"),
    option("--symbol", type=click.IntRange(64, 8192), default=1400),
    option("--loss", type=click.FloatRange(0, 0.3), default=0.02),
    option("--cap", type=click.FloatRange(0.001, 400_000), default=100.0, metavar="MBIT"),
    option("--profile", type=click.Choice(["hybrid", "cnsa2", "ed25519"]), default="hybrid"),
)
def new_(
    talk: Talk,
    low: Path,
    high: Path,
    address: str,
    engine: str,
    symbol: int,
    loss: float,
    cap: float,
    profile: str,
) -> None:
    from casemate.wiring.diode import new_link

    new_link(
        low,
        high,
        address,
        engine=engine,
        symbol=symbol,
        loss=loss,
        cap=cap,
        profile=profile,  # type: ignore[arg-type]
    )
    talk.data({"low": str(low), "high": str(high)})
    talk.say("diode.made", low=low, high=high)


@verb("diode.send", FOLDER, option("--gaps", default="", metavar="CODE"), ONCE)
def send_(talk: Talk, place: Path, gaps: str, once: bool) -> None:
    from casemate.wiring.diode import DiodeFolder
    from casemate.wiring.diode_low import gaps_told, send

    folder = DiodeFolder(place)
    if gaps:
        found = gaps_told(folder, gaps)
        talk.data({"code": found.words})
        talk.say("diode.heard", words=found.words)
        return
    with until_stopped() as stop:
        status = send(folder, _Teller(talk), stop, once=once)
    talk.data(msgspec.to_builtins(status))
    talk.say("diode.sent_all", sent=status.sent)


@verb("diode.receive", FOLDER, ONCE)
def receive_(talk: Talk, place: Path, once: bool) -> None:
    from casemate.wiring.diode import DiodeFolder
    from casemate.wiring.diode_high import receive

    def ready(port: int) -> None:
        talk.say("diode.listening", port=port)

    with until_stopped() as stop:
        status = receive(DiodeFolder(place), _Teller(talk), stop, ready=ready, once=once)
    talk.data(msgspec.to_builtins(status))


@verb("diode.status", FOLDER)
def status_(talk: Talk, place: Path) -> None:
    from casemate.wiring.diode import DiodeFolder
    from casemate.wiring.diode_high import told

    folder = DiodeFolder(place)
    side, engine = folder.settings().side, folder.settings().engine
    status = told(folder)
    talk.data(msgspec.to_builtins(status))
    if side == "low":
        _low(talk, status)  # type: ignore[arg-type]
        return
    assert side == "high"
    _high(talk, status, engine)  # type: ignore[arg-type]


def _low(talk: Talk, status: LowStatus) -> None:
    talk.out(t("diode.low", at=iso(status.at), sequence=status.sequence, sent=status.sent, away=status.away))
    if status.reason:
        talk.out(t("diode.event.one-by-one", what=status.reason))
    for name in status.waiting:
        talk.out(t("diode.waiting", name=name))


def _high(talk: Talk, status: Status, engine: str) -> None:
    """The link, what arrives with its gap code, what was never seen, what went wrong."""
    dead = engine == "udp" and status.dead(SystemClock().now())
    beat = iso(status.heartbeat)[:19] + "Z" if status.heartbeat else "-"
    if engine == "udp":
        told = t("diode.dead" if dead else "diode.alive", at=beat, sequence=status.sequence)
        talk.out(talk.bold(told) if dead else told)
    dropped = sum(status.dropped.values())
    talk.out(t("diode.counts", lost=status.lost / 10, overflow=status.overflow, dropped=dropped))
    rows = [
        (
            str(each.sequence),
            each.banner,
            t("diode.missing", missing=each.missing, blocks=each.blocks),
            t(f"diode.stopped.{each.stopped}") if each.stopped else "",
            each.code,
        )
        for each in status.objects
    ]
    rows += [(_span(gap.first, gap.last), "", t("diode.unseen"), "", gap.code) for gap in status.unseen]
    for line in columns(rows):
        talk.out(line)
    for alarm in status.alarms[-10:]:
        talk.out(f"{iso(alarm.at)[:19]}Z  {t(f'diode.event.{alarm.what}', what=alarm.sequence or '')}")
    if dead:
        raise SystemExit(Unavailable.exit)


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


class _Teller:
    """Events as talk on standard error."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def __call__(self, slug: str, what: str) -> None:
        self._talk.say(f"diode.event.{slug}", what=what)


@contextmanager
def until_stopped() -> Iterator[Event]:
    """An event that the first signal to stop sets; what was begun is put in order, and the run ends well."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
