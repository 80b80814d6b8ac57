"""A view as others read it: FollowTheMoney JSON lines, GraphML, STIX. Each thing carries its portion's label."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from casemate_intelligence.label import Scheme
from casemate_intelligence.measure import Measures
from casemate_intelligence.schema import LINK
from casemate_intelligence.stix import bundle_of
from casemate_intelligence.view import Edge, Entity, Shown, View

__all__ = ["ftm", "graphml", "stix"]

GRAPHML = "http://graphml.graphdrawing.org/xmlns"
NODE = ("schema", "name", "label", "community", "betweenness", "latitude", "longitude")
EDGE = ("schema", "label", "date")


def ftm(view: View, scheme: Scheme) -> str:
    """An entity or edge a line; `labels`: of each property, so that what is written can be read again here."""
    lines = list[str]()
    shown: list[Shown] = [*view.entities.values(), *(edge for edge in view.edges if _is_own(edge))]
    for one in shown:
        properties, labels = dict[str, list[str]](), {"": one.label}
        for fact in one.facts:
            values = properties.setdefault(fact.prop, [])
            values += [] if fact.value in values else [fact.value]
            labels[fact.prop] = labels[fact.prop].join(fact.label) if fact.prop in labels else fact.label
        row = {"id": one.id, "schema": one.schema, "properties": properties}
        told = {name: scheme.write(label) for name, label in labels.items()}
        lines.append(json.dumps({**row, "labels": told}, ensure_ascii=False, sort_keys=True))
    return "".join(f"{line}\n" for line in lines)


def graphml(view: View, measures: Measures, scheme: Scheme) -> str:
    """Nodes with what was measured, edges with direction (graphml.graphdrawing.org, 1.0)."""
    ET.register_namespace("", GRAPHML)
    root = ET.Element(f"{{{GRAPHML}}}graphml")
    for at, names in (("node", NODE), ("edge", EDGE)):
        for name in names:
            kind = {"community": "int", "betweenness": "double", "latitude": "double", "longitude": "double"}.get(name)
            attributes = {"id": f"{at}_{name}", "for": at, "attr.name": name, "attr.type": kind or "string"}
            ET.SubElement(root, f"{{{GRAPHML}}}key", attributes)
    graph = ET.SubElement(root, f"{{{GRAPHML}}}graph", {"id": "view", "edgedefault": "directed"})
    for name, entity in view.entities.items():
        node = ET.SubElement(graph, f"{{{GRAPHML}}}node", {"id": name})
        told = [entity.schema, entity.name, scheme.write(entity.label), measures.community[name]]
        _data(node, "node", NODE, [*told, measures.betweenness[name], _first(entity, 5), _first(entity, 6)])
    for edge in view.edges:
        ends = {"id": edge.id, "source": edge.source, "target": edge.target}
        each = ET.SubElement(graph, f"{{{GRAPHML}}}edge", ends)
        _data(each, "edge", EDGE, [edge.schema, scheme.write(edge.label), edge.date])
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def stix(view: View, scheme: Scheme) -> str:
    """A bundle of STIX 2.1."""
    return json.dumps(bundle_of(view, scheme), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _is_own(edge: Edge) -> bool:
    """An edge that is an entity of FollowTheMoney, and no reference that its source already holds."""
    return edge.schema[:1].isupper() or edge.schema == LINK


def _first(entity: Entity, at: int) -> str:
    return (entity.values(NODE[at]) or ("",))[0]


def _data(element: ET.Element, at: str, names: tuple[str, ...], values: list[object]) -> None:
    for name, value in zip(names, values, strict=True):
        if value != "":
            said = ET.SubElement(element, f"{{{GRAPHML}}}data", {"key": f"{at}_{name}"})
            said.text = "".join(letter for letter in str(value) if letter >= " " or letter in "\t\n")
