"""A sender's run: 128 bits that name it, the key that is its own, and the memory that refuses a run of long ago.

    session   sender (4 bytes)   generation (u32, big-endian)   random (8 bytes)

A sender keeps its four bytes and counts its generations: each start is a new one. A receiver remembers the latest few
of each sender, so that datagrams which overtook each other at a restart still count; whatever else is not newer than
the latest is a recording that somebody plays again.
"""

from __future__ import annotations

from collections.abc import Iterable

from casemate.crypto import derive, digest
from casemate.errors import BadInput

__all__ = ["LATEST", "SENDERS", "SESSION_SIZE", "Sessions", "generation_of", "key_of", "new_session", "sender_of"]

SESSION_SIZE = 16
SENDER_SIZE = 4
LATEST = 4
"""Runs of one sender whose datagrams still count."""
SENDERS = 16
"""Senders that hold the link's key; a seventeenth is refused."""


def new_session(sender: bytes, generation: int, random: bytes) -> bytes:
    """The name of a run. Raises BadInput where a part has not its size."""
    if len(sender) != SENDER_SIZE or len(random) != 8 or not 0 < generation < 2**32:
        raise BadInput(what="session")
    return sender + generation.to_bytes(4, "big") + random


def sender_of(session: bytes) -> bytes:
    return session[:SENDER_SIZE]


def generation_of(session: bytes) -> int:
    return int.from_bytes(session[SENDER_SIZE:8], "big")


def key_of(link: bytes, session: bytes) -> bytes:
    """The key of the datagrams of one run: numbers start at nought in each, and a nonce must never come twice."""
    return derive(link, b"diode datagram", session)


def gap_key_of(link: bytes) -> bytes:
    """The key of the check sign of a gap code."""
    return derive(link, b"diode gaps", digest(b"casemate diode gap code v1"))


class Sessions:
    """The latest runs of each sender, oldest first."""

    __slots__ = ("_known",)

    def __init__(self, known: Iterable[bytes] = ()) -> None:
        self._known: dict[bytes, list[bytes]] = {}
        for session in known:
            self.admit(session)

    def known(self) -> tuple[bytes, ...]:
        """What is to be remembered over a restart."""
        return tuple(session for runs in self._known.values() for session in runs)

    def latest(self, session: bytes) -> bool:
        """Whether that is the last run of its sender."""
        runs = self._known.get(sender_of(session))
        return bool(runs) and runs[-1] == session  # type: ignore[index]

    def judge(self, session: bytes) -> str:
        """`known`, `new`, or why a datagram of it does not count: `replayed`, `senders`."""
        runs = self._known.get(sender_of(session))
        if runs is None:
            return "new" if len(self._known) < SENDERS else "senders"
        if session in runs:
            return "known"
        return "new" if generation_of(session) > generation_of(runs[-1]) else "replayed"

    def admit(self, session: bytes) -> bool:
        """Take it in after its first proven datagram; whether it is new or known."""
        verdict = self.judge(session)
        if verdict == "new":
            runs = self._known.setdefault(sender_of(session), [])
            runs.append(session)
            del runs[:-LATEST]
        return verdict in ("new", "known")
