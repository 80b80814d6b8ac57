"""The tags of an object: put at its label, got from the highest that is seen."""

from __future__ import annotations

from casemate.buckets import Buckets
from casemate.doors.frame import Call, Reply
from casemate.doors.s3.said import whole_tags
from casemate.doors.s3.xml import read, written

__all__ = ["get", "put", "remove"]

MEDIA = "application/xml"


async def put(buckets: Buckets, call: Call) -> Reply:
    """PutObjectTagging."""
    language = call.flow.session.language
    root = read(call.raw, "Tagging", language)
    pairs = [(tag.exactly("Key"), tag.exactly("Value")) for each in root.all("TagSet") for tag in each.all("Tag")]
    tags = whole_tags(pairs, language)
    await call.flow.inspect([*tags, *tags.values()])
    await buckets.tag(call.flow, call.path["bucket"], call.path["key"], tags)
    return Reply(b"", MEDIA, facts={"tags": len(tags)})


async def get(buckets: Buckets, call: Call) -> Reply:
    """GetObjectTagging."""
    tags = await buckets.tags(call.flow, call.path["bucket"], call.path["key"])
    nodes = [("TagSet", [("Tag", [("Key", name), ("Value", value)]) for name, value in tags.items()])]
    return Reply(written("Tagging", nodes), MEDIA)


async def remove(buckets: Buckets, call: Call) -> Reply:
    """DeleteObjectTagging."""
    await buckets.tag(call.flow, call.path["bucket"], call.path["key"], {})
    return Reply(b"", MEDIA, 204)
