"""A flow carried to another process of the region: sealed, so that the socket between them carries only names of bytes.

The answer process gets the session, the acting label, the floor and the BEGIN of a flow that the gate of a data process
has opened, and what the caller brought. Whoever cannot seal for this region cannot make one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.identity import Principal, Session
from casemate.labels import Label
from casemate.policy import Action

__all__ = ["pack", "unpack"]

T = TypeVar("T")
AAD = b"casemate flow"


class Who(msgspec.Struct, frozen=True):
    """A session, as text."""

    session: str
    principal: str
    name: str
    clearance: str
    roles: tuple[str, ...]
    floor: str
    ceiling: str
    language: str
    on_behalf_of: str


class Carried(msgspec.Struct, frozen=True):
    """Everything that makes a flow, as text."""

    session: Who
    asker: Who
    verb: str
    kind: str
    acting: str
    domain: str
    raised: str
    begun: str
    value: msgspec.Raw


def pack(flow: Flow, value: Any) -> bytes:
    """The flow and what the caller brought, sealed."""
    carried = Carried(
        session=_who(flow.session),
        asker=_who(flow.asker),
        verb=flow.action.verb,
        kind=flow.action.kind,
        acting=flow.acting.text,
        domain=flow.domain.text,
        raised=flow.floor.text,
        begun=flow.begun,
        value=msgspec.Raw(msgspec.msgpack.encode(value)),
    )
    return flow.gate.vault.sealer.seal("", "carry", msgspec.msgpack.encode(carried), AAD)


def _who(s: Session) -> Who:
    p = s.principal
    roles = tuple(sorted(p.roles))
    return Who(s.id, p.id, p.name, p.clearance.text, roles, s.floor.text, s.ceiling.text, s.language, s.on_behalf_of)


def _session(parse: Callable[[str], Label], who: Who) -> Session:
    principal = Principal(who.principal, who.name, parse(who.clearance), frozenset(who.roles))
    return Session(who.session, principal, parse(who.floor), parse(who.ceiling), who.language, who.on_behalf_of)


def unpack(gate: Gate, sealed: bytes, type: type[T]) -> tuple[Flow, T]:
    """The flow as it was, at this process's gate. Raises Damaged."""
    c = msgspec.msgpack.decode(gate.vault.sealer.open("", "carry", sealed, AAD), type=Carried)
    parse = gate.vault.region.policies.parse
    flow = Flow(gate, _session(parse, c.session), Action(c.verb, c.kind), parse(c.acting))
    flow.floor, flow.begun = parse(c.raised), c.begun
    flow.domain, flow.asker = parse(c.domain), _session(parse, c.asker)
    return flow, msgspec.msgpack.decode(c.value, type=type)
