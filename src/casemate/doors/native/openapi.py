"""OpenAPI 3.1 of the native API, generated from the route table and msgspec's JSON Schema."""

from __future__ import annotations

from typing import Any

import msgspec

from casemate import __version__
from casemate.doors.frame import Call, Reply, Route
from casemate.policy import Action

__all__ = ["document", "routes"]


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
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
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
    if names:
        told["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if route.takes is not None:
        told["requestBody"] = {"content": {"application/json": {"schema": schemas[str(route.takes)]}}}
    if route.gives is not None:
        told["responses"]["200"]["content"] = {"application/json": {"schema": schemas[str(route.gives)]}}
    return told


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
