"""`casemate diode push` and `fetch`: all of a channel over a network that goes both ways, by a fixed timetable.

The price is printed before anything is asked of the other side; without an accreditor's entry nothing is asked at all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from casemate.cli.bundle_region import CHANNELS, found
from casemate.cli.command import option, verb
from casemate.cli.diode import until_stopped
from casemate.cli.failure import failed
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import iso
from casemate.errors import Refused
from casemate.transfer.timetable import Timetable

__all__ = ["fetch_", "push_"]

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
CHANNEL = click.argument("channel")
DROP = click.argument("drop", type=FOLDER, metavar="DROP")
EACH = 60.0


@verb("diode.push", CHANNEL, DROP, option("--once", is_flag=True))
def push_(talk: Talk, channel: str, drop: Path, once: bool) -> None:
    from casemate.wiring.diode_fetch import push

    with until_stopped() as stop:
        while True:
            acting, laid = found(talk, channel)["label"], 0
            for each in talk.client().get("/api/transfer/bundles", acting).data:
                if (each["channel"], each["side"], each["verdict"]) == (channel, "sent", "sent"):
                    laid += push(drop, f"{each['sequence']:012}.cmb", _file(talk, each["id"], acting))
            if laid or once:
                talk.data({"laid": laid})
                talk.say("diode.laid", count=laid, drop=drop)
            if once or stop.wait(EACH):
                return


@verb(
    "diode.fetch",
    CHANNEL,
    DROP,
    option("--inbox", type=FOLDER, required=True, metavar="FOLDER"),
    option("--memory", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="FOLDER"),
    option("--slots", type=click.IntRange(0), default=0),
)
def fetch_(talk: Talk, channel: str, drop: Path, inbox: Path, memory: Path, slots: int) -> None:
    from casemate.wiring.diode_fetch import fetch

    one = found(talk, channel)
    said = _fetching(talk, channel, one["label"])
    if said is None:
        raise failed(Refused(rule="fetch-accreditation"))
    table = _timetable(said)
    talk.out(
        t("diode.residual", bits=f"{table.bits_per_day:.1f}", accreditor=said["accreditor"], at=iso(said["at"])[:10])
    )
    talk.out(t("diode.timetable", every=table.every, step=table.step, window=table.window, resolution=table.resolution))

    def allowed() -> Timetable | None:
        now = _fetching(talk, channel, one["label"])
        return _timetable(now) if now is not None else None

    with until_stopped() as stop:
        done = fetch(drop, table, memory, inbox, allowed, lambda what: talk.say(f"diode.fetch.{what}"), stop, slots)
    talk.data({"slots": done, "bits_per_day": table.bits_per_day, "accreditor": said["accreditor"]})


def _fetching(talk: Talk, channel: str, acting: str) -> dict[str, Any] | None:
    """The accreditor's entry; None where there is none."""
    answer = talk.client().get(f"{CHANNELS}/{quote(channel, safe='')}", acting)
    return dict(answer.data["fetching"]) if answer.data["fetching"] else None


def _timetable(said: dict[str, Any]) -> Timetable:
    return msgspec.convert(said["timetable"], Timetable)


def _file(talk: Talk, id: str, acting: str) -> Callable[[Callable[[bytes], None]], object]:
    """What gives a bundle's file, piece by piece."""
    return lambda take: talk.client().into(f"/api/transfer/bundles/{quote(id, safe='')}/file", take, acting)
