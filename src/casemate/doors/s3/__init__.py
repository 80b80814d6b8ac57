"""The S3 wire: buckets and objects, as boto3, the AWS command line, obstore and rclone speak it, path style.

Its paths are anybody's names at the root, so the frame knows its requests by what they show: a signature for the
service `s3`, in a header or in the query. A body is taken as it comes, never whole in memory.
"""

from __future__ import annotations

from functools import partial

from casemate.buckets import Buckets
from casemate.doors.frame import Handler, Plane, Route
from casemate.doors.frame.route import Acts, Method
from casemate.doors.s3 import acting, credential, elsewhere, holders, listing, objects, problem, tags, uploads
from casemate.doors.s3.incoming import LARGEST, incoming
from casemate.policy import Action

__all__ = ["PLANE", "routes"]

PLANE = Plane(
    "s3",
    "/",
    credential.shown_by,
    problem.tell,
    problem.event,
    numbered="x-amz-request-id",
    coded=problem.coded,
    claims=credential.claims,
    incoming=incoming,
)
FRAMING = 64 << 20  # bytes of signatures and sizes between the chunks of the largest body
COPIES = "x-amz-copy-source"

_BUCKETS, _LIST = Action("list", "bucket"), Action("list", "object")
_MAKE, _DROP = Action("make", "bucket"), Action("drop", "bucket")
_READ, _PUT, _REMOVE = Action("read", "object"), Action("put", "object"), Action("remove", "object")
_ONE, _KEY = "/{bucket}", "/{bucket}/{key*}"
_UPLOAD = f"{_KEY}?uploadId"


def routes(buckets: Buckets) -> list[Route]:
    """The operations of this wire."""
    return [
        _route("GET", "/", _BUCKETS, partial(holders.every, buckets)),
        _route("PUT", _ONE, _MAKE, partial(holders.make, buckets), acting.bucket),
        _route("DELETE", _ONE, _DROP, partial(holders.drop, buckets), acting.bucket),
        _route("HEAD", _ONE, _LIST, partial(holders.found, buckets)),
        _route("GET", _ONE, _LIST, partial(listing.first, buckets)),
        _route("GET", f"{_ONE}?list-type", _LIST, partial(listing.listed, buckets)),
        _route("GET", f"{_ONE}?location", _LIST, partial(holders.location, buckets)),
        _route("GET", f"{_ONE}?versioning", _LIST, partial(holders.versioning, buckets)),
        _route("GET", f"{_ONE}?uploads", _LIST, partial(uploads.every, buckets)),
        _route("POST", f"{_ONE}?delete", _REMOVE, partial(objects.remove_many, buckets), acting.writing),
        _streams(_KEY, partial(objects.put, buckets), acting.writing),
        _route("PUT", _KEY, _PUT, partial(objects.copy, buckets), acting.writing, COPIES),
        _route("GET", _KEY, _READ, partial(objects.get, buckets)),
        _route("HEAD", _KEY, _READ, partial(objects.head, buckets)),
        _route("DELETE", _KEY, _REMOVE, partial(objects.remove, buckets), acting.writing),
        _route("PUT", f"{_KEY}?tagging", _PUT, partial(tags.put, buckets), acting.writing),
        _route("GET", f"{_KEY}?tagging", _READ, partial(tags.get, buckets)),
        _route("DELETE", f"{_KEY}?tagging", _PUT, partial(tags.remove, buckets), acting.writing),
        _route("POST", f"{_KEY}?uploads", _PUT, partial(uploads.begin, buckets), acting.writing),
        _streams(f"{_KEY}?partNumber&uploadId", partial(uploads.part, buckets), acting.upload),
        _route("PUT", f"{_KEY}?partNumber&uploadId", _PUT, partial(uploads.copied, buckets), acting.upload, COPIES),
        _route("POST", _UPLOAD, _PUT, partial(uploads.complete, buckets), acting.upload),
        _route("DELETE", _UPLOAD, _PUT, partial(uploads.abort, buckets), acting.upload),
        _route("GET", _UPLOAD, _LIST, partial(uploads.parts, buckets), acting.upload),
        *elsewhere.routes(PLANE.name),
    ]


def _route(
    method: Method, path: str, action: Action, handler: Handler, acts: Acts | None = None, spoken: str = ""
) -> Route:
    return Route(method, path, PLANE.name, action, handler, acts=acts, spoken=spoken, apart=True)


def _streams(path: str, handler: Handler, acts: Acts) -> Route:
    return Route("PUT", path, PLANE.name, _PUT, handler, limit=LARGEST + FRAMING, streams=True, acts=acts, apart=True)
