"""Buckets: made, dropped, listed, found, and where they say that they are."""

from __future__ import annotations

from casemate.buckets import Bucket, Buckets
from casemate.doors.frame import Call, Reply
from casemate.doors.s3.acting import range_of
from casemate.doors.s3.credential import region
from casemate.doors.s3.said import bounded, iso
from casemate.doors.s3.xml import Node, written
from casemate.errors import BadInput, Conflict
from casemate.words import say

__all__ = ["drop", "every", "found", "location", "make", "versioning"]

MEDIA = "application/xml"
MOST = 10_000


async def every(buckets: Buckets, call: Call) -> Reply:
    """ListBuckets: those that the acting label sees; `prefix`, `max-buckets`, `continuation-token`."""
    query, principal = call.query, call.flow.session.principal
    asked = query.get("max-buckets", str(MOST))
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10 and 0 < int(asked) <= MOST):
        raise BadInput(what=say("s3.listing", call.flow.session.language, name="max-buckets"), code="InvalidArgument")
    prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
    names = [one for one in await buckets.every(call.flow) if one.name.startswith(prefix) and one.name > after]
    shown, more = names[: int(asked)], len(names) > int(asked)
    owner: list[Node] = [("ID", principal.id), ("DisplayName", principal.name)]
    told: list[Node] = [("Bucket", [("Name", one.name), ("CreationDate", iso(one.at))]) for one in shown]
    nodes: list[Node] = [
        ("Owner", owner),
        ("Buckets", told),
    ]
    if more:
        nodes.append(("ContinuationToken", shown[-1].name))
    if prefix:
        nodes.append(("Prefix", prefix))
    return Reply(written("ListAllMyBucketsResult", nodes), MEDIA)


async def make(buckets: Buckets, call: Call) -> Reply:
    """CreateBucket. A LocationConstraint is passed over: there is one place."""
    flow, language = call.flow, call.flow.session.language
    bounded(call)
    labels = call.gate.vault.region
    floor, ceiling = range_of(call.headers, call.raw, language)
    name = call.path["bucket"]
    try:
        made = await buckets.make(
            flow, name, labels.label(floor) if floor else None, labels.reach(ceiling) if ceiling else None
        )
    except Conflict:
        there = await buckets.located(flow, name)
        raise BadInput(what=say("s3.there", language, name=there.name), code="BucketAlreadyOwnedByYou") from None
    return Reply(b"", MEDIA, headers=(("Location", f"/{name}"), *_shown(made)), facts={"bucket": name})


async def drop(buckets: Buckets, call: Call) -> Reply:
    """DeleteBucket, where it lies and where nothing is seen in it."""
    await buckets.drop(call.flow, call.path["bucket"])
    return Reply(b"", MEDIA, 204, facts={"bucket": call.path["bucket"]})


async def found(buckets: Buckets, call: Call) -> Reply:
    """HeadBucket."""
    bucket = await buckets.located(call.flow, call.path["bucket"])
    headers = (("x-amz-bucket-region", region(call.headers, call.query)), *_shown(bucket))
    return Reply(b"", MEDIA, headers=headers)


def _shown(bucket: Bucket) -> tuple[tuple[str, str], ...]:
    return (("x-amz-meta-casemate-floor", bucket.floor.text), ("x-amz-meta-casemate-ceiling", bucket.ceiling.text))


async def location(buckets: Buckets, call: Call) -> Reply:
    """GetBucketLocation: the region that the caller signs for."""
    await buckets.located(call.flow, call.path["bucket"])
    where = region(call.headers, call.query)
    text = "" if where == "us-east-1" else where
    body = written("LocationConstraint", ()).removesuffix(b"</LocationConstraint>")
    return Reply(body + text.encode("ascii", "ignore") + b"</LocationConstraint>", MEDIA)


async def versioning(buckets: Buckets, call: Call) -> Reply:
    """GetBucketVersioning: there is none, and that is an empty document."""
    await buckets.located(call.flow, call.path["bucket"])
    return Reply(written("VersioningConfiguration", ()), MEDIA)
