"""ListObjects and ListObjectsV2: keys and common prefixes of what is visible, and nothing of what is not."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import quote

from casemate.buckets import Buckets, Listing, Seen
from casemate.doors.frame import Call, Reply
from casemate.doors.s3.said import iso, quoted
from casemate.doors.s3.xml import Node, written
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["encoder", "first", "limited", "listed"]

MOST = 1000
Encode = Callable[[str], str]


async def first(buckets: Buckets, call: Call) -> Reply:
    """ListObjects, the first version: the next page begins after a key."""
    query = call.query
    encode, limit, marker = encoder(call), limited(call, "max-keys"), query.get("marker", "")
    found = await _page(buckets, call, marker, limit)
    more: list[Node] = [("NextMarker", encode(found.next))] if found.next is not None and query.get("delimiter") else []
    nodes = [*_head(call, limit, found, encode), ("Marker", encode(marker)), *more, *_body(call, found, encode, True)]
    return Reply(written("ListBucketResult", nodes), "application/xml", facts={"objects": len(found.objects)})


async def listed(buckets: Buckets, call: Call) -> Reply:
    """ListObjectsV2: the next page begins where an opaque token says."""
    query = call.query
    if query["list-type"] != "2":
        raise _wrong(call, "list-type")
    encode, limit = encoder(call), limited(call, "max-keys")
    token, start = query.get("continuation-token"), query.get("start-after", "")
    after = start if token is None else _opened(call, token)
    found = await _page(buckets, call, after, limit)
    nodes: list[Node] = [*_head(call, limit, found, encode)]
    nodes.append(("KeyCount", len(found.objects) + len(found.prefixes)))
    if token is not None:
        nodes.append(("ContinuationToken", token))
    if found.next is not None:
        nodes.append(("NextContinuationToken", _sealed(found.next)))
    if start:
        nodes.append(("StartAfter", encode(start)))
    nodes += _body(call, found, encode, query.get("fetch-owner") == "true")
    return Reply(written("ListBucketResult", nodes), "application/xml", facts={"objects": len(found.objects)})


async def _page(buckets: Buckets, call: Call, after: str, limit: int) -> Listing:
    bucket, query = call.path["bucket"], call.query
    if not limit:
        await buckets.located(call.flow, bucket)
        return Listing()
    return await buckets.listed(call.flow, bucket, query.get("prefix", ""), query.get("delimiter", ""), after, limit)


def _head(call: Call, limit: int, found: Listing, encode: Encode) -> list[Node]:
    query = call.query
    nodes: list[Node] = [("Name", call.path["bucket"]), ("Prefix", encode(query.get("prefix", "")))]
    if query.get("delimiter"):
        nodes.append(("Delimiter", encode(query["delimiter"])))
    if "encoding-type" in query:
        nodes.append(("EncodingType", "url"))
    return [*nodes, ("MaxKeys", limit), ("IsTruncated", "false" if found.next is None else "true")]


def _body(call: Call, found: Listing, encode: Encode, owner: bool) -> list[Node]:
    principal = call.flow.session.principal
    owned: list[Node] = [("Owner", [("ID", principal.id), ("DisplayName", principal.name)])] if owner else []
    return [
        *(("Contents", [*_object(one, encode), *owned]) for one in found.objects),
        *(("CommonPrefixes", [("Prefix", encode(prefix))]) for prefix in found.prefixes),
    ]


def _object(one: Seen, encode: Encode) -> list[Node]:
    return [
        ("Key", encode(one.key)),
        ("LastModified", iso(one.at)),
        ("ETag", quoted(one.etag)),
        ("Size", one.size),
        ("StorageClass", "STANDARD"),
    ]


def encoder(call: Call) -> Encode:
    """How names are written: as they are, or as in a URL. Raises BadInput."""
    asked = call.query.get("encoding-type")
    if asked not in (None, "url"):
        raise _wrong(call, "encoding-type")
    return _url if asked else str


def _url(text: str) -> str:
    return quote(text, safe="/-_.~")


def limited(call: Call, name: str) -> int:
    """How many at most: what is asked, and 1000 where more is. Raises BadInput."""
    asked = call.query.get(name) or str(MOST)
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise _wrong(call, name)
    return min(int(asked), MOST)


def _sealed(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def _opened(call: Call, token: str) -> str:
    try:
        return base64.b64decode(token, b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise _wrong(call, "continuation-token") from None


def _wrong(call: Call, name: str) -> BadInput:
    return BadInput(what=say("s3.listing", call.flow.session.language, name=name), code="InvalidArgument")
