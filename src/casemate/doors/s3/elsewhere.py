"""What S3 has and this wire has not: told as such, so that nobody takes an object for its own access list."""

from __future__ import annotations

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.frame.route import Method
from casemate.errors import BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

_BUCKET = (
    "abac|accelerate|acl|analytics|cors|encryption|intelligent-tiering|inventory|lifecycle|logging|metadataConfiguration"
    "|metadataTable|metrics|notification|object-lock|ownershipControls|policy|policyStatus|publicAccessBlock"
    "|replication|requestPayment|session|tagging|versions|website"
)
_OBJECT = "acl|annotation|attributes|legal-hold|renameObject|restore|retention|select|torrent"
_READ, _WRITE = Action("list", "object"), Action("put", "object")


def routes(plane: str) -> list[Route]:
    """One for each method: any of these fields in the query makes the request such an operation."""
    bucket, key = f"/{{bucket}}?{_BUCKET}", f"/{{bucket}}/{{key*}}?{_OBJECT}"
    return [
        _route("GET", bucket, plane, _READ),
        _route("PUT", bucket, plane, _WRITE),
        _route("DELETE", bucket, plane, _WRITE),
        _route("PUT", "/{bucket}?versioning", plane, _WRITE),
        _route("POST", "/{bucket}", plane, _WRITE),
        _route("GET", key, plane, _READ),
        _route("PUT", key, plane, _WRITE),
        _route("POST", key, plane, _WRITE),
        _route("DELETE", key, plane, _WRITE),
    ]


def _route(method: Method, path: str, plane: str, action: Action) -> Route:
    return Route(method, path, plane, action, _not_here, apart=True)


async def _not_here(call: Call) -> Reply:
    raise BadInput(what=say("s3.not-here", call.flow.session.language), code="NotImplemented")
