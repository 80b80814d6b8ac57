"""Buckets as people manage them: made, dropped and looked into. Objects come and go through the S3 wire."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from casemate.buckets import Bucket, Seen
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import BadInput
from casemate.labels import Label
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes", "told_bucket", "told_object"]

MOST = 1000


class BucketRequest(msgspec.Struct, frozen=True):
    """`ceiling` as a marking or canonical text; "" is the region's. The floor is the acting label."""

    name: str
    ceiling: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """Bucket routes."""
    sees, told = Action("list", "bucket"), dict[str, Any]
    make, drop, looks = Action("make", "bucket"), Action("drop", "bucket"), Action("list", "object")
    at = "/api/buckets"
    return [
        Route("GET", at, "native", sees, partial(_every, rooms), gives=list[dict[str, Any]]),
        Route("POST", at, "native", make, partial(_make, rooms), takes=BucketRequest, gives=told, texts=_said),
        Route("DELETE", f"{at}/{{name}}", "native", drop, partial(_drop, rooms), gives=told),
        Route("GET", f"{at}/{{name}}/objects", "native", looks, partial(_objects, rooms), gives=told),
    ]


def _said(request: BucketRequest) -> tuple[str, ...]:
    return (request.name,)


def told_bucket(call: Call, bucket: Bucket) -> dict[str, Any]:
    """A bucket with its own mark and its ceiling's."""
    policies = call.flow.gate.vault.region.policies
    return {
        "name": bucket.name,
        "at": bucket.at,
        "dropped": bucket.dropped,
        "ceiling": bucket.ceiling.text,
        "ceiling_mark": policies.portion(bucket.ceiling),
        **marked(call.flow, bucket.floor),
    }


def told_object(call: Call, seen: Seen) -> dict[str, Any]:
    """An object with its portion mark; `others`: those of the same key of which none is above the other."""
    policies = call.flow.gate.vault.region.policies
    return {
        "key": seen.key,
        "size": seen.size,
        "etag": seen.etag,
        "media": seen.media,
        "at": seen.at,
        "others": [policies.portion(label) for label in seen.others],
        **marked(call.flow, seen.label),
    }


async def _every(rooms: Rooms, call: Call) -> Reply:
    """The visible buckets, by name."""
    return reply(call.flow, [told_bucket(call, bucket) for bucket in await rooms.buckets.every(call.flow)])


async def _make(rooms: Rooms, call: Call) -> Reply:
    """A new bucket; its floor is the acting label."""
    region = call.flow.gate.vault.region
    ceiling: Label | None = region.reach(call.body.ceiling) if call.body.ceiling else None
    bucket = await rooms.buckets.make(call.flow, call.body.name, None, ceiling)
    return reply(call.flow, told_bucket(call, bucket), 201, bucket=bucket.name)


async def _drop(rooms: Rooms, call: Call) -> Reply:
    """Remove a bucket that is empty as far as the acting label sees, at its floor."""
    await rooms.buckets.drop(call.flow, call.path["name"])
    return reply(call.flow, {"name": call.path["name"]})


async def _objects(rooms: Rooms, call: Call) -> Reply:
    """A page of the objects in it: `prefix`, `delimiter`, `after` and `limit`, as S3 has them."""
    asked = call.query
    text = asked.get("limit", "100")
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise BadInput(what=say("buckets.limit", call.flow.session.language, most=MOST))
    page = await rooms.buckets.listed(
        call.flow,
        call.path["name"],
        asked.get("prefix", ""),
        asked.get("delimiter", ""),
        asked.get("after", ""),
        int(text),
    )
    objects = [told_object(call, seen) for seen in page.objects]
    return reply(call.flow, {"objects": objects, "prefixes": page.prefixes, "after": page.next or ""})
