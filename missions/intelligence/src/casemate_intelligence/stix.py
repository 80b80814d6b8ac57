"""STIX 2.1, both ways: a bundle's objects as entities of FollowTheMoney, and a view as a bundle (OASIS, 2021-06-10).

What has no like in FollowTheMoney is carried as the nearest schema, and its STIX type stands among its keywords.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casemate.errors import BadInput
from casemate_intelligence.label import Scheme
from casemate_intelligence.view import Entity, Shown, View

__all__ = ["Foreign", "bundle_of", "entities_of"]

NAMESPACE = uuid.UUID("6c8d2a0e-6f0b-5d0e-9a57-5f2f3b1c7e11")
"""Of the identifiers that are made here: the same view gives the same bundle."""
WHEN = "1970-01-01T00:00:00.000Z"
"""A run reads no clock: its result is a function of its inputs. STIX asks for an instant."""
_SCHEMATA = {
    "threat-actor": "LegalEntity",
    "intrusion-set": "Organization",
    "campaign": "Event",
    "location": "Address",
    "malware": "Thing",
    "tool": "Thing",
    "report": "Document",
}
_CLASSES = {"individual": "Person", "organization": "Organization", "group": "Organization", "class": "LegalEntity"}
_RELATED = "UnknownLink"


@dataclass(frozen=True, slots=True)
class Foreign:
    """One object of a bundle as an entity: `stix` its own id, `marks` the names of its markings."""

    id: str
    schema: str
    values: Mapping[str, list[str]]
    stix: str
    marks: tuple[str, ...]


def entities_of(bundle: Any) -> Iterator[Foreign]:
    """Identities, actors, locations, reports, malware and relationships. Raises BadInput for what is no bundle."""
    if not isinstance(bundle, dict) or bundle.get("type") != "bundle" or not isinstance(bundle.get("objects"), list):
        raise BadInput(what="A STIX input is a bundle with objects.")
    objects = [one for one in bundle["objects"] if isinstance(one, dict) and isinstance(one.get("id"), str)]
    names = {one["id"]: str(one.get("name", "")) for one in objects if one.get("type") == "marking-definition"}
    for one in objects:
        marks = one.get("object_marking_refs", [])
        # a marking that the bundle does not hold is one that nobody knows: the desk refuses its name
        shown = tuple(names.get(mark, str(mark)) for mark in marks) if isinstance(marks, list) else ("",)
        if one.get("type") == "relationship":
            values = {
                "subject": [str(one.get("source_ref"))],
                "object": [str(one.get("target_ref"))],
                "role": [str(one.get("relationship_type", ""))],
                "startDate": [str(one["start_time"])[:10]] if "start_time" in one else [],
            }
            yield Foreign(one["id"], _RELATED, values, one["id"], shown)
        elif one.get("type") == "identity" or one.get("type") in _SCHEMATA:
            yield Foreign(one["id"], _schema(one), _values(one), one["id"], shown)


def bundle_of(view: View, scheme: Scheme) -> dict[str, Any]:
    """Entities as identities, locations and reports, edges as relationships, each with its label's marking."""
    every: list[Shown] = [*view.entities.values(), *view.edges]
    marks = {
        text: f"marking-definition--{_uuid('mark', text)}"
        for text in sorted({scheme.write(one.label) for one in every})
    }
    made: list[dict[str, Any]] = [
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": each,
            "created": WHEN,
            "definition_type": "statement",
            "definition": {"statement": text},
            "name": text,
        }
        for text, each in marks.items()
    ]
    ids = {one.id: _stix_id(one) for one in view.entities.values()}
    named = {one: sorted({ids[edge.target] for edge in view.edges if edge.source == one}) for one in ids}
    made += [
        {**_shape(one, named[one.id]), **_common(ids[one.id], marks[scheme.write(one.label)])}
        for one in view.entities.values()
    ]
    for edge in view.edges:
        shape = {
            "type": "relationship",
            "relationship_type": edge.schema.lower(),
            "source_ref": ids[edge.source],
            "target_ref": ids[edge.target],
        }
        common = _common(f"relationship--{_uuid('edge', edge.id)}", marks[scheme.write(edge.label)])
        made.append({**shape, **common})
    return {
        "type": "bundle",
        "id": f"bundle--{_uuid('bundle', *sorted(str(one['id']) for one in made))}",
        "objects": made,
    }


def _schema(one: Mapping[str, Any]) -> str:
    if one["type"] == "identity":
        return _CLASSES.get(str(one.get("identity_class")), "LegalEntity")
    found = _SCHEMATA[str(one["type"])]
    return "Organization" if found == "Thing" else found


def _values(one: Mapping[str, Any]) -> dict[str, list[str]]:
    schema, name = _schema(one), str(one.get("name", one["id"]))
    if schema == "Address":
        points = {key: [str(one[key])] for key in ("latitude", "longitude") if key in one}
        return {"full": [name], **points, "country": [str(one["country"])] if "country" in one else []}
    values = {"title" if schema == "Document" else "name": [name], "keywords": [f"stix:{one['type']}"]}
    aliases = [str(each) for each in one.get("aliases", []) if isinstance(each, str)]
    return {**values, **({"alias": aliases} if aliases else {}), "description": [str(one.get("description", ""))]}


def _shape(one: Entity, named: list[str]) -> dict[str, Any]:
    points = [one.values("latitude"), one.values("longitude")]
    if one.schema == "Address":
        placed = {"latitude": float(points[0][0]), "longitude": float(points[1][0])} if all(points) else {}
        # STIX asks a location for a region, a country or a point
        return {"type": "location", "name": one.name, **(placed or {"region": "unknown"})}
    if one.schema == "Document":
        # a report refers to something; one that names nothing refers to itself
        return {"type": "report", "name": one.name, "published": WHEN, "object_refs": named or [_stix_id(one)]}
    kind = "individual" if one.schema == "Person" else "organization"
    return {"type": "identity", "name": one.name, "identity_class": kind}


def _stix_id(one: Entity) -> str:
    kind = {"Address": "location", "Document": "report"}.get(one.schema, "identity")
    return f"{kind}--{_uuid('entity', one.id)}"


def _common(id: str, mark: str) -> dict[str, Any]:
    return {"spec_version": "2.1", "id": id, "created": WHEN, "modified": WHEN, "object_marking_refs": [mark]}


def _uuid(*parts: str) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, "\x1f".join(parts))
