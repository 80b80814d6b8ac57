"""A plane: which credentials a protocol bears, and in which brackets it tells a problem."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from casemate.access import Flow, Gate
from casemate.doors.frame.enter import Request
from casemate.errors import CasemateError
from casemate.identity import Credential, Session
from casemate.identity.sigv4_chunks import Chain
from casemate.labels import Label
from casemate.words import Problem

__all__ = ["Plane", "Told", "Whereabouts"]

Incoming = Callable[[Request, AsyncIterator[bytes], Callable[[], Chain]], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Told:
    """A problem as bytes."""

    status: int
    media: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a problem is told: what a page needs for its marking, and what was open by then."""

    gate: Gate
    label: Label
    language: str
    session: Session | None = None
    flow: Flow | None = None


@dataclass(frozen=True, slots=True)
class Plane:
    """`prefix`: paths that belong to it where no route fits. `event`: a problem inside a stream that has begun.

    `page`: a plane for people tells a problem as a page, which bears its marking like any other. `numbered`: the header
    in which clients of this protocol look for a request's number; it bears the ledger entry. `coded`: a protocol with a
    name of its own for each error is told the error too. `claims`: whether a request is this protocol's by its
    credential, wherever its path leads; then it meets this plane's routes alone, and nobody else does. `incoming`: what
    becomes of a body's pieces on their way in: framing taken off, digests and signatures verified.
    """

    name: str
    prefix: str
    credential: Callable[[Request], Credential | None]
    tell: Callable[[Problem, Request], Told]
    event: Callable[[Problem], bytes]
    page: Callable[[Problem, Request, Whereabouts], Told] | None = None
    numbered: str = ""
    coded: Callable[[CasemateError, Problem, Request], Told] | None = None
    claims: Callable[[Request], bool] | None = None
    incoming: Incoming | None = None
