"""Every action of the house and the roles that may do it. What stands not here is refused."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ACTIONS", "Rule"]

ANYONE = frozenset({"user", "officer", "auditor", "operator", "releaser", "service"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`roles`: any one of them suffices. `others`: the roles that may do it to what belongs to somebody else.

    `integrity`: the highest level of the policy `integrity` at which it may be done; None where any will do.
    """

    roles: frozenset[str]
    others: frozenset[str] = frozenset()
    integrity: int | None = None


VERIFIED = 0  # what changes the region is done on verified grounds alone: no level of distrust


def _by(*roles: str, others: tuple[str, ...] = (), integrity: int | None = None) -> Rule:
    return Rule(frozenset(roles), frozenset(others), integrity)


ACTIONS: dict[str, Rule] = {
    "answer.ask": _by("user"),
    "answer.prove": _by("user", "auditor", others=("auditor",)),
    "proof.make": _by("auditor", "service"),
    "proof.list": _by("officer", "auditor"),
    "answer.keep": _by("user"),
    "answer.list": _by("user"),
    "response.read": _by("user"),
    "text.embed": _by("user"),
    "file.add": _by("user"),
    "file.list": _by("user"),
    "file.read": _by("user"),
    "file.remove": _by("user"),
    "batch.add": _by("user"),
    "batch.list": _by("user"),
    "batch.read": _by("user"),
    "batch.run": _by("service"),
    "store.scrub": _by("operator", "service"),
    "store.read": _by("user", "operator", "service"),
    "store.quarantine": _by("operator", "auditor"),
    "bucket.list": _by("user"),
    "bucket.make": _by("user"),
    "bucket.drop": _by("user"),
    "bucket.tend": _by("service"),
    "object.list": _by("user"),
    "object.read": _by("user"),
    "object.put": _by("user"),
    "object.remove": _by("user"),
    "label.lint": Rule(ANYONE),
    "model.list": _by("user", "operator"),
    "model.show": _by("user", "officer", "auditor", "operator"),
    "model.why": _by("user", "operator"),
    "model.register": _by("operator", integrity=VERIFIED),
    "model.verify": _by("officer", "operator"),
    "model.retire": _by("officer", "operator", integrity=VERIFIED),
    "model.accredit": _by("officer", integrity=VERIFIED),
    "model.bind": _by("service"),
    "model.customise": _by("user", "operator"),
    "guardrail.add": _by("user", "officer", integrity=VERIFIED),
    "guardrail.read": _by("user", "officer"),
    "guardrail.change": _by("user", "officer", integrity=VERIFIED),
    "guardrail.apply": _by("user"),
    "document.add": _by("user"),
    "document.list": _by("user"),
    "document.read": _by("user"),
    "document.settle": _by("service"),
    "document.remove": _by("user"),
    "document.relabel": _by("user"),
    "document.describe": _by("user"),
    "document.review": _by("user"),
    "knowledge.reembed": _by("user"),
    "source.list": _by("user"),
    "source.add": _by("user"),
    "source.remove": _by("user"),
    "source.poll": _by("service"),
    "knowledge.search": _by("user", "service"),
    "knowledge.list": _by("user"),
    "knowledge.read": _by("user"),
    "knowledge.add": _by("user"),
    "knowledge.change": _by("user"),
    "knowledge.remove": _by("user"),
    "knowledge.fill": _by("user"),
    "knowledge.empty": _by("user"),
    "key.issue": _by("user", "officer", "auditor", "operator", "releaser", integrity=VERIFIED),
    "key.list": _by("user", "officer", "auditor", "operator", "releaser", others=("officer",)),
    "class-key.list": _by("officer", "auditor", "operator"),
    "class-key.rotate": _by("officer", "operator"),
    "class-key.lock": _by("officer", "operator"),
    "class-key.destroy": _by("officer", integrity=VERIFIED),
    "key.revoke": _by("user", "officer", "auditor", "operator", "releaser", others=("officer",)),
    "release.request": _by("user"),
    "release.list": _by("user", "releaser"),
    "release.show": _by("user", "releaser"),
    "release.approve": _by("releaser"),
    "release.refuse": _by("user", "releaser"),
    "release.carry": _by("user", "releaser"),
    "release.keys": _by("officer", "auditor", "releaser"),
    "release.offer": _by("releaser", integrity=VERIFIED),
    "release.register": _by("officer", integrity=VERIFIED),
    "release.revoke": _by("officer", "releaser"),
    "policy.try": _by("user", "officer", "auditor"),
    "session.open": Rule(ANYONE),
    "session.close": Rule(ANYONE),
    "session.read": Rule(ANYONE),
    "principal.list": _by("officer"),
    "principal.add": _by("officer", integrity=VERIFIED),
    "principal.grant": _by("officer", integrity=VERIFIED),
    "project.list": _by("user", "officer", "auditor", "operator"),
    "project.add": _by("officer", "operator", integrity=VERIFIED),
    "quota.read": _by("officer", "auditor", "operator", "service"),
    "quota.set": _by("officer", "operator", integrity=VERIFIED),
    "usage.read": _by("user", "officer", "auditor", "operator", "service", others=("officer", "auditor", "operator")),
    "usage.keep": _by("service"),
    "usage.recount": _by("auditor"),
    "metrics.read": _by("auditor", "operator"),
    "lineage.read": _by("user", "officer"),
    "spill.report": _by("officer"),
    "spill.list": _by("officer"),
    "spill.contain": _by("officer", integrity=VERIFIED),
    "spill.lift": _by("officer", integrity=VERIFIED),
    "spill.hold": _by("service"),
    "ledger.read": Rule(ANYONE, others=frozenset({"auditor"})),
    "ledger.verify": _by("auditor", "operator", "officer"),
    "ledger.open": _by("auditor"),
    "ledger.redact": _by("officer", integrity=VERIFIED),
    "ledger.witness": _by("auditor", "officer"),
    "ledger.reconcile": _by("service"),
    "ledger.checkpoint": _by("service"),
    "backup.read": _by("operator"),
    "backup.run": _by("operator", "service"),
    "backup.drill": _by("operator", "service"),
    "dataset.add": _by("operator"),
    "dataset.list": _by("user", "operator"),
    "dataset.read": _by("user"),
    "dataset.verify": _by("user", "operator"),
    "dataset.digest": _by("operator", "service"),
    "dataset.remove": _by("operator"),
    "job.submit": _by("user"),
    "job.list": _by("user", "operator"),
    "job.read": _by("user"),
    "job.cancel": _by("user", "operator", others=("operator",)),
    "job.retry": _by("user"),
    "job.tend": _by("service"),
    "job-queue.list": _by("user", "operator"),
    "job-queue.make": _by("user", "operator"),
    "job-queue.drop": _by("user", "operator"),
    "job-definition.list": _by("user"),
    "job-definition.add": _by("user"),
    "job-definition.retire": _by("user"),
    "region.read": Rule(ANYONE),
    "region.configure": _by("officer", integrity=VERIFIED),
    "region.health": Rule(ANYONE),
}
