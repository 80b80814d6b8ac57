"""`casemate job shell`: a terminal in a job's sandbox. A visitor may leave it, and come back.

Ctrl-] and then d leaves; Ctrl-] twice is one for the job. Where the line breaks (the region starts anew) it is opened
again, from the place up to which everything was shown.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from casemate.cli.client import Client
from casemate.cli.command import option, verb
from casemate.cli.duplex import Duplex
from casemate.cli.failure import Failed
from casemate.cli.job_follow import at, exit_of, how, settled, why
from casemate.cli.job_spec import WORKED, asked_to_work
from casemate.cli.screen import Steered, raw, size, titled
from casemate.cli.talk import Talk, harmless

__all__ = ["shell"]

COMMAND = ("/bin/sh", "-c", "command -v bash >/dev/null && exec bash -i; exec sh -i")
LEAVE, INTERRUPT = 0x1D, 0x03  # Ctrl-], Ctrl-C
EARLY = 64 << 10
PATIENCE = 60.0
"""Seconds for which a line that broke is opened again."""
AGAIN = 0.5
END = b"\x04"
AWAY = ("conflict", "unavailable", "not-running")
"""What is told while a job is about to begin, or a region about to be there again."""


@verb(
    "job.shell",
    click.argument("words", nargs=-1, metavar="[-- COMMAND...]"),
    *WORKED,
    option("--detach", "detached", is_flag=True),
    option("--attach", "attached", default="", metavar="ID"),
)
def shell(talk: Talk, words: tuple[str, ...], detached: bool, attached: str, label: str, **told: Any) -> None:
    client = talk.client()
    if attached:
        job = client.get(at(attached), acting=label).data
        acting = str(job["label"])
    else:
        body = asked_to_work(words or COMMAND, told, "shell")
        body["spec"].setdefault("env", {}).setdefault("TERM", os.environ.get("TERM") or "dumb")
        made = client.post("/api/jobs", body, acting=label)
        job, acting = made.data, made.label
        talk.say("job.submitted", id=job["id"])
        if detached:
            talk.answer(made)
            talk.out(job["id"])
            return
    visit = Visit(talk, client, str(job["id"]), acting)
    left = visit.run(str(job["marking"]))
    if left:
        talk.data(client.get(at(job["id"]), acting=acting).data, acting, job["marking"])
        talk.say("job.shell_left", id=job["id"])
        return
    done = settled(client, str(job["id"]), acting)
    talk.data({**done, "text": visit.text}, acting, done["marking"])
    if done["state"] != "SUCCEEDED":
        talk.say("job.ended", id=done["id"], how=how(done), reason=why(done["reason"]))
    raise SystemExit(exit_of(done))


class Visit:
    """One person at one job's terminal. `text`: what was shown, where it goes into a document."""

    def __init__(self, talk: Talk, client: Client, id: str, acting: str) -> None:
        self._talk, self._client, self._id, self._acting = talk, client, id, acting
        self._line: Duplex | None = None
        self._steered = Steered()
        self._place = 0
        self._rest = b""
        self._early = b""  # what was typed before there was a line
        self._left = self._taken = False
        self._over = threading.Event()
        self._kept: list[bytes] = []

    @property
    def text(self) -> str:
        return harmless(b"".join(self._kept).decode("utf-8", "replace"))

    def run(self, marking: str) -> bool:
        """Until the job has ended, or its visitor has left: then True."""
        self._talk.marked(marking)
        stream = sys.stdin.fileno()
        with titled("" if self._talk.json else marking), raw(stream), self._watched():
            threading.Thread(target=self._types, args=(stream,), daemon=True).start()
            while self._opened() and not self._left:
                self._shows()
                if self._left or self._taken:
                    break
        self._over.set()
        if self._taken:
            self._talk.say("job.shell_taken")
        return self._left or self._taken

    def _opened(self) -> bool:
        """A line, as soon as there is one; False where the job has ended."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                line = Duplex(self._client, f"{at(self._id)}/terminal", self._acting)
                line.say(_frame(b"a", self._place.to_bytes(8, "big")) + self._window() + self._early)
                self._line, self._early = line, b""
                return True
            except Failed as error:
                if error.problem.slug not in AWAY or (time.monotonic() > until and error.problem.slug != AWAY[0]):
                    raise
            try:
                if not self._client.get(at(self._id), acting=self._acting).data["open"]:
                    return False
            except Failed as error:
                if error.problem.slug not in AWAY or time.monotonic() > until:
                    raise
            if self._left:
                return True
            time.sleep(AGAIN)

    def _shows(self) -> None:
        """What the job shows, until the line ends."""
        line = self._line
        assert line is not None
        self._rest = b""
        while not self._left and (part := line.hear()):
            self._rest += part
            while len(self._rest) >= 3 and len(self._rest) >= 3 + int.from_bytes(self._rest[1:3], "big"):
                end = 3 + int.from_bytes(self._rest[1:3], "big")
                self._said(self._rest[:1], self._rest[3:end])
                self._rest = self._rest[end:]
        self._line = None
        line.close()

    def _said(self, kind: bytes, said: bytes) -> None:
        if kind == b"@":
            self._place = int.from_bytes(said, "big")
        elif kind == b"t":
            self._taken = True
        elif kind == b"o":
            self._place += len(said)
            if self._talk.json:
                self._kept.append(said)
                return
            sys.stdout.buffer.write(self._steered.shown(said))
            sys.stdout.buffer.flush()

    def _types(self, stream: int) -> None:
        """What is typed, to whichever line is open."""
        asked = False
        while not self._over.is_set():
            if not select.select([stream], [], [], AGAIN)[0]:
                continue
            data = os.read(stream, 4096)
            if not data:
                self._say(_frame(b"i", END))  # what came from a file has ended
                return
            kept = bytearray()
            for byte in data if os.isatty(stream) else b"":
                if (asked and byte in b"dD") or (self._line is None and byte == INTERRUPT):
                    self._left = True
                    line = self._line
                    if line is not None:
                        line.hang_up()
                    return
                if not asked and byte == LEAVE:
                    asked = True
                    continue
                if asked and byte != LEAVE:
                    kept.append(LEAVE)
                asked = False
                kept.append(byte)
            self._say(_frame(b"i", bytes(kept) if os.isatty(stream) else data))

    def _say(self, frame: bytes) -> None:
        line = self._line
        if line is not None and len(frame) > 3:
            line.say(frame)
        elif len(frame) > 3 and len(self._early) < EARLY:
            self._early += frame

    def _window(self) -> bytes:
        return _frame(b"w", struct.pack(">HH", *size()))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """The job's terminal has the size of ours, also when that changes."""
        former = signal.signal(signal.SIGWINCH, lambda *_: self._say(self._window()))
        try:
            yield
        finally:
            signal.signal(signal.SIGWINCH, former)


def _frame(kind: bytes, said: bytes) -> bytes:
    return kind + len(said).to_bytes(2, "big") + said
