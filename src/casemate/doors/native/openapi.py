"""OpenAPI 3.1 of the native API, generated from the route table and msgspec's JSON Schema."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate import __version__
from casemate.doors.frame import Call, Reply, Route
from casemate.policy import Action

__all__ = ["QUERIES", "document", "routes"]

QUERIES: dict[str, tuple[str, ...]] = {
    "POST /api/documents": ("name", "base", "label", "marks", "need", "replaces", "attributes"),
    "GET /api/documents": ("only",),
    "GET /api/search": ("q", "base"),
    "GET /api/buckets/{name}/objects": ("prefix", "delimiter", "after", "limit"),
    "GET /api/datasets/{name}/files": ("after", "limit"),
    "GET /api/jobs": ("queue", "state", "open", "parent", "owner", "after", "limit"),
    "GET /api/work": ("kind", "open", "after", "limit"),
    "GET /api/jobs/{id}": ("wait", "version"),
    "GET /api/jobs/{id}/logs": ("stream", "at", "most", "wait"),
    "PUT /api/packages/{name}": ("list",),
    "GET /api/mission-runs/{id}/compare": ("with",),
    "GET /api/mission-runs/{id}/tables/{name}": ("format",),
    "GET /api/lineage/{object*}": ("way",),
    "GET /api/lineage.svg/{object*}": ("way",),
    "GET /api/ledger": ("limit",),
    "GET /api/ledger/logs/{log}": ("from", "to", "profile"),
    "GET /api/usage": ("from", "to", "format"),
}
"""What these operations read from the query; each is a text and may be left out."""

RAW = frozenset(
    {
        "POST /api/documents",
        "PUT /api/packages/{name}",
        "PUT /api/environments/{name}",
        "PUT /api/transfer/channels/{name}/bundles",
    }
)
"""What takes a file as the body."""


def routes(table: list[Route]) -> list[Route]:
    """The route that serves the document."""
    return [Route("GET", "/api/openapi.json", "native", Action("health", "region"), _Served(table).serve, public=True)]


def document(table: list[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    types = [t for route in table for t in (route.takes, route.gives) if t is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = dict(zip(map(str, types), schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in table:
        paths.setdefault(route.path.replace("*}", "}"), {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Casemate", "version": __version__},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    said = (route.handler.__doc__ or route.action.name).strip().splitlines()[0]
    told: dict[str, Any] = {
        "summary": said,
        "x-casemate-action": route.action.name,
        "responses": {"200": {"description": said}, "default": {"description": "A problem (RFC 9457)."}},
    }
    names = [part[1:-1].removesuffix("*") for part in route.path.split("/") if part.startswith("{")]
    operation = f"{route.method} {route.path}"
    parameters = [_parameter("path", name) for name in names]
    parameters += [_parameter("query", name) for name in QUERIES.get(operation, ())]
    if not route.public:
        parameters.append(_parameter("header", "Casemate-Acting-Label"))
        parameters.append(_parameter("header", "Casemate-Acting-Needs"))
    if parameters:
        told["parameters"] = parameters
    if route.takes is not None:
        content = {"application/json": {"schema": schemas[str(route.takes)]}}
        told["requestBody"] = {"required": True, "content": content}
    elif operation in RAW:
        told["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    if route.gives is not None:
        told["responses"]["200"]["content"] = {"application/json": {"schema": schemas[str(route.gives)]}}
    return told


def _parameter(place: str, name: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}


class _Served:
    """The document, made when it is first asked for."""

    def __init__(self, table: list[Route]) -> None:
        self._table = table
        self._body = b""

    async def serve(self, call: Call) -> Reply:
        """This document."""
        del call
        self._body = self._body or msgspec.json.encode(document(self._table))
        return Reply(self._body)
