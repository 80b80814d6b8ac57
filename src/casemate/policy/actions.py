"""Every action of the house and the roles that may do it. What stands not here is refused."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTIONS", "Rule"]

ANYONE = frozenset({"user", "officer", "auditor", "operator", "releaser", "service"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`roles`: any one of them suffices. `others`: the roles that may do it to what belongs to somebody else."""

    roles: frozenset[str]
    others: frozenset[str] = frozenset()


def _by(*roles: str, others: tuple[str, ...] = ()) -> Rule:
    return Rule(frozenset(roles), frozenset(others))


ACTIONS: dict[str, Rule] = {
    "answer.ask": _by("user"),
    "answer.prove": _by("user", "auditor", others=("auditor",)),
    "answer.keep": _by("user"),
    "answer.list": _by("user"),
    "model.list": _by("user", "operator"),
    "document.add": _by("user"),
    "document.list": _by("user"),
    "document.read": _by("user"),
    "document.settle": _by("service"),
    "knowledge.search": _by("user", "service"),
    "key.issue": _by("user", "officer", "auditor", "operator", "releaser"),
    "key.list": _by("user", "officer", "auditor", "operator", "releaser", others=("officer",)),
    "key.revoke": _by("user", "officer", "auditor", "operator", "releaser", others=("officer",)),
    "session.open": Rule(ANYONE),
    "session.close": Rule(ANYONE),
    "session.read": Rule(ANYONE),
    "principal.list": _by("officer"),
    "principal.add": _by("officer"),
    "principal.grant": _by("officer"),
    "ledger.read": Rule(ANYONE, others=frozenset({"auditor"})),
    "ledger.verify": _by("auditor", "operator", "officer"),
    "ledger.open": _by("auditor"),
    "ledger.reconcile": _by("service"),
    "ledger.checkpoint": _by("service"),
    "region.read": Rule(ANYONE),
    "region.configure": _by("officer"),
    "region.health": Rule(ANYONE),
}
