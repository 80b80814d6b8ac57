"""The veto by Cedar policies, with the package cedarpy (Apache-2.0), where it is installed beside Casemate.

Cedar's own semantics, and nothing added: a request passes where a `permit` applies, no `forbid` does, and no policy
failed. The gate asks only about what it has permitted itself, so a `permit` here grants nothing. Cedar passes over a
policy whose evaluation fails, also over a `forbid`; here any failure refuses. Policies are validated against the
house's entity model before the first question, and read once: another text counts with the next start.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import cedarpy

from casemate.errors import Misconfigured
from casemate.identity import Session
from casemate.labels import Label
from casemate.policy import Action, Refuse, Target
from casemate.policy.veto import Asked, asked, schema

__all__ = ["CedarVeto"]

_SETTING = "cedar.folder"


class CedarVeto:
    """Policies by the names of their files; all of them are one set."""

    def __init__(self, policies: Mapping[str, str]) -> None:
        """Raises Misconfigured where there is none, one cannot be read, or one does not fit the entity model."""
        self._schema = cedarpy.Schema.from_str(schema())
        for name, text in sorted(policies.items()):
            _valid(name, text, self._schema)
        self._policies = cedarpy.PolicySet.from_str("\n".join(policies[name] for name in sorted(policies)))
        if not len(self._policies):
            raise Misconfigured(setting=_SETTING, why="no policy stands in it, so that everything would be refused")

    def refuses(self, session: Session, acting: Label, action: Action, target: Target) -> Refuse | None:
        """Rule `cedar`, with the ids of the policies that forbid it; "" where none permits it, or one failed."""
        facts = asked(session, acting, action, target)
        if facts is None:
            return None
        try:
            found = cedarpy.is_authorized(_request(facts), self._policies, _entities(facts), self._schema)
            failed = bool(found.diagnostics.errors)
            if found.allowed and not failed:
                return None
            told = found.diagnostics.id_annotations_by_reason
            ids = sorted(told.get(id) or id for id in found.diagnostics.reasons) if not found.allowed else []
        except Exception:  # noqa: BLE001 - whatever prevents an answer is a no
            failed, ids = True, []
        why = ", ".join(ids) or ("failed" if failed else "none permits it")
        return Refuse("cedar", {"policy": why})


def _valid(name: str, text: str, entity_model: Any) -> None:
    found = cedarpy.validate_policies(text, entity_model)
    if not found.validation_passed:
        ids = found.id_annotations_by_policy_id
        why = "; ".join(f"{ids.get(each.policy_id) or each.policy_id}: {each.error}" for each in found.errors)
        raise Misconfigured(setting=_SETTING, why=f"{name}: {why}")


def _request(facts: Asked) -> dict[str, Any]:
    ranges = {name: asdict(getattr(facts, name)) for name in ("floor", "ceiling", "acting")}
    return {
        "principal": {"type": "Casemate::Principal", "id": facts.principal},
        "action": {"type": "Casemate::Action", "id": facts.action},
        "resource": {"type": "Casemate::Request", "id": "this"},
        "context": {"session": facts.session, **ranges},
    }


def _entities(facts: Asked) -> str:
    him = {"name": facts.name, "roles": facts.roles, "clearance": asdict(facts.clearance)}
    entities = [
        {"uid": {"type": "Casemate::Principal", "id": facts.principal}, "attrs": him, "parents": []},
        {
            "uid": {"type": "Casemate::Request", "id": "this"},
            "attrs": {"owner": facts.owner, "mine": facts.mine},
            "parents": [],
        },
    ]
    return json.dumps(entities)
