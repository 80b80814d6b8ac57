"""`casemate up`: the region runs until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from casemate.cli.command import verb
from casemate.cli.failure import Failed
from casemate.cli.passphrase import passphrase
from casemate.cli.talk import Talk
from casemate.cli.tongue import t

if TYPE_CHECKING:
    from casemate.wiring import Addresses, Died

__all__ = ["run", "up"]

TOKEN_DAYS = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@verb("up")
def up(talk: Talk) -> None:
    talk.region()
    asyncio.run(run(talk, lambda addresses: _ready(talk, addresses)))


async def run(talk: Talk, ready: Callable[[Addresses], None], stop: asyncio.Event | None = None) -> None:
    """Supervise the region of this folder until a signal, or until `stop`. `ready` talks to it, in a thread.

    What `ready` raises ends the region too, and is raised here.
    """
    from casemate.wiring import supervise

    ends = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    told: list[asyncio.Future[None]] = []

    def called(addresses: Addresses) -> None:
        telling = asyncio.ensure_future(asyncio.to_thread(ready, addresses))
        telling.add_done_callback(lambda done: ends.set() if done.exception() is not None else None)
        told.append(telling)

    for name in SIGNALS:
        loop.add_signal_handler(name, ends.set)
    try:
        await supervise(talk.region(), called, lambda died: _died(talk, died), ends, passphrase)
    finally:
        for name in SIGNALS:
            loop.remove_signal_handler(name)
    for telling in told:
        await telling
    talk.say("up.stopped")


def _ready(talk: Talk, addresses: Addresses) -> None:
    """Where it answers, and how its owner signs in: with a key of today, from the floor to his clearance."""
    client = talk.client()
    told = {"console": addresses.console, "wires": addresses.wires, "token": "", "expires": 0}
    label = marking = ""
    try:
        session = client.get("/api/session")
        floor = session.data["floor"]["label"]
        issued = client.post("/api/keys", {"floor": floor, "days": TOKEN_DAYS, "name": t("up.key_name")})
        told |= {"token": issued.data["secret"], "expires": issued.data["key"]["expires"]}
        label, marking = issued.label, issued.marking
    except Failed as failure:
        print(t("up.no_token", detail=failure.problem.detail), file=sys.stderr)
    finally:
        client.close()
    talk.data(told, label, marking)
    talk.say("up.ready", folder=talk.folder)
    talk.out(t("up.console", url=told["console"]))
    if told["token"]:
        talk.out(t("up.token", token=told["token"]))
    if told["wires"] != told["console"]:
        talk.out(t("up.wires", url=told["wires"]))
    talk.say("up.stop")


def _died(talk: Talk, died: Died) -> None:
    with contextlib.suppress(OSError):
        if died.why:
            talk.say("up.cannot", role=died.role, why=died.why)
        else:
            talk.say("up.died", role=died.role, code=died.code)
