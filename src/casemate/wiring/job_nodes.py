"""Whose the nodes of the clusters are, as the settings say it."""

from __future__ import annotations

from casemate.errors import MarkingError, Misconfigured
from casemate.jobs.nodes import Listed, Nodes
from casemate.labels import Label
from casemate.settings.jobs import JobSettings
from casemate.wiring.house import House

__all__ = ["nodes_of"]


def nodes_of(house: House, told: JobSettings) -> Nodes:
    """Raises Misconfigured where a marking cannot be read, or a node's engine runs nothing of its label."""
    listed: list[Listed] = []
    for name, node in told.nodes.items():
        setting = f"jobs.nodes.{name}.label"
        label, of = _label(house, setting, node.label), told.engines[node.engine].labels
        if label not in [_label(house, f"jobs.engines.{node.engine}.labels.{text}", text) for text in of]:
            raise Misconfigured(setting=setting, why=f"jobs.engines.{node.engine}.labels has no such label")
        listed.append(Listed(node.engine, name, label))
    return Nodes(house.gate, tuple(listed))


def _label(house: House, setting: str, text: str) -> Label:
    try:
        return house.gate.vault.region.reach(text)
    except MarkingError as error:
        raise Misconfigured(setting=setting, why=str(error.facts.get("why", ""))) from None
