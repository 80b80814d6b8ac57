"""A flow carried to another process of the region: sealed, so that the socket between them carries only names of bytes.

The answer process gets the session, the acting label, the floor and the BEGIN of a flow that the gate of a data process
has opened, and what the caller brought. Whoever cannot seal for this region cannot make one.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from casemate.access.flow import Flow
from casemate.access.gate import Gate
from casemate.identity import Principal, Session
from casemate.policy import Action

__all__ = ["pack", "unpack"]

T = TypeVar("T")
AAD = b"casemate flow"


class Carried(msgspec.Struct, frozen=True):
    """Everything that makes a flow, as text."""

    session: str
    principal: str
    name: str
    clearance: str
    roles: tuple[str, ...]
    floor: str
    ceiling: str
    language: str
    verb: str
    kind: str
    acting: str
    raised: str
    begun: str
    value: msgspec.Raw


def pack(flow: Flow, value: Any) -> bytes:
    """The flow and what the caller brought, sealed."""
    s, p = flow.session, flow.session.principal
    carried = Carried(
        session=s.id,
        principal=p.id,
        name=p.name,
        clearance=p.clearance.text,
        roles=tuple(sorted(p.roles)),
        floor=s.floor.text,
        ceiling=s.ceiling.text,
        language=s.language,
        verb=flow.action.verb,
        kind=flow.action.kind,
        acting=flow.acting.text,
        raised=flow.floor.text,
        begun=flow.begun,
        value=msgspec.Raw(msgspec.msgpack.encode(value)),
    )
    return flow.gate.vault.sealer.seal("", "carry", msgspec.msgpack.encode(carried), AAD)


def unpack(gate: Gate, sealed: bytes, type: type[T]) -> tuple[Flow, T]:
    """The flow as it was, at this process's gate. Raises Damaged."""
    c = msgspec.msgpack.decode(gate.vault.sealer.open("", "carry", sealed, AAD), type=Carried)
    parse = gate.vault.region.policies.parse
    principal = Principal(c.principal, c.name, parse(c.clearance), frozenset(c.roles))
    session = Session(c.session, principal, parse(c.floor), parse(c.ceiling), c.language)
    flow = Flow(gate, session, Action(c.verb, c.kind), parse(c.acting))
    flow.floor, flow.begun = parse(c.raised), c.begun
    return flow, msgspec.msgpack.decode(c.value, type=type)
