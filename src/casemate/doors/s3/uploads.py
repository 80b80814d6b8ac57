"""Uploads in parts. An upload's id bears its label, so that every part of it acts where it was begun."""

from __future__ import annotations

import itertools

from casemate.buckets import Buckets, changed, judged
from casemate.doors.frame import Call, Reply
from casemate.doors.s3.acting import LABEL, opened, sealed
from casemate.doors.s3.conditions import condition, stretch
from casemate.doors.s3.listing import encoder, limited
from casemate.doors.s3.looking import looking
from casemate.doors.s3.objects import length, source
from casemate.doors.s3.said import iso, looked_at, new_object, quoted
from casemate.doors.s3.xml import Node, read, written
from casemate.errors import Absent, BadInput
from casemate.words import say

__all__ = ["abort", "begin", "complete", "copied", "every", "part", "parts"]

MEDIA = "application/xml"
PARTS = 10_000


async def begin(buckets: Buckets, call: Call) -> Reply:
    """CreateMultipartUpload: where it acts now is where the object will lie."""
    flow, path = call.flow, call.path
    new = new_object(call)
    await flow.inspect(looked_at(path["key"], new))
    id = sealed(flow.acting, await buckets.begin(flow, path["bucket"], path["key"], new))
    nodes: list[Node] = [("Bucket", path["bucket"]), ("Key", path["key"]), ("UploadId", id)]
    headers = [(LABEL, flow.acting.text)]
    if "x-amz-checksum-algorithm" in call.headers:
        headers.append(("x-amz-checksum-algorithm", call.headers["x-amz-checksum-algorithm"]))
    return Reply(written("InitiateMultipartUploadResult", nodes), MEDIA, headers=tuple(headers), facts={"upload": id})


async def part(buckets: Buckets, call: Call) -> Reply:
    """UploadPart."""
    length(call)
    id, number = await _own(buckets, call), _number(call)
    etag = await buckets.part(call.flow, id, number, looking(call))
    return Reply(b"", MEDIA, headers=(("ETag", quoted(etag)),), facts={"upload": id, "part": number})


async def copied(buckets: Buckets, call: Call) -> Reply:
    """UploadPartCopy: of an object, or of a range of it."""
    flow, language = call.flow, call.flow.session.language
    id, number = await _own(buckets, call), _number(call)
    seen = await buckets.seen(flow, *source(call))
    when = condition(call.headers, language, "x-amz-copy-source-")
    judged(when, seen)
    if when.if_modified is not None and not changed(when, seen):
        raise BadInput(what=say("s3.condition", language, header="x-amz-copy-source-if"), code="PreconditionFailed")
    start, stop = stretch(call.headers.get("x-amz-copy-source-range", ""), seen.size, language)
    etag = await buckets.part(flow, id, number, buckets.read(flow, seen, start, stop), seen)
    nodes: list[Node] = [("LastModified", iso(call.gate.vault.clock.now())), ("ETag", quoted(etag))]
    return Reply(written("CopyPartResult", nodes), MEDIA, facts={"upload": id, "part": number})


async def complete(buckets: Buckets, call: Call) -> Reply:
    """CompleteMultipartUpload."""
    language = call.flow.session.language
    id = await _own(buckets, call)
    root = read(call.raw, "CompleteMultipartUpload", language)
    listed = [(each.one("PartNumber"), each.one("ETag").strip('"')) for each in root.all("Part")]
    if not listed or len(listed) > PARTS or not all(_numeral(number) for number, _ in listed):
        raise BadInput(what=say("s3.part-order", language), code="MalformedXML")
    wanted = [(int(number), etag) for number, etag in listed]
    if any(one[0] >= other[0] for one, other in itertools.pairwise(wanted)):
        raise BadInput(what=say("s3.part-order", language), code="InvalidPartOrder")
    made = await buckets.complete(call.flow, id, wanted, condition(call.headers, language))
    nodes: list[Node] = [
        ("Location", f"/{made.bucket}/{made.key}"),
        ("Bucket", made.bucket),
        ("Key", made.key),
        ("ETag", quoted(made.etag)),
    ]
    facts = {"bucket": made.bucket, "key": made.key, "bytes": made.size, "parts": len(wanted)}
    return Reply(
        written("CompleteMultipartUploadResult", nodes), MEDIA, headers=((LABEL, made.label.text),), facts=facts
    )


async def abort(buckets: Buckets, call: Call) -> Reply:
    """AbortMultipartUpload."""
    id = await _own(buckets, call)
    await buckets.abort(call.flow, id)
    return Reply(b"", MEDIA, 204, facts={"upload": id})


async def parts(buckets: Buckets, call: Call) -> Reply:
    """ListParts."""
    id, limit = await _own(buckets, call), limited(call, "max-parts")
    marker = call.query.get("part-number-marker", "") or "0"
    if not _numeral(marker):
        raise BadInput(
            what=say("s3.listing", call.flow.session.language, name="part-number-marker"), code="InvalidArgument"
        )
    found = [one for one in await buckets.parts(call.flow, id) if one.number > int(marker)]
    shown = found[:limit]
    nodes: list[Node] = [
        ("Bucket", call.path["bucket"]),
        ("Key", encoder(call)(call.path["key"])),
        ("UploadId", call.query["uploadId"]),
        ("PartNumberMarker", int(marker)),
        ("MaxParts", limit),
        ("IsTruncated", "true" if len(found) > len(shown) else "false"),
        ("StorageClass", "STANDARD"),
    ]
    if shown:
        nodes.append(("NextPartNumberMarker", shown[-1].number))
    for one in shown:
        told: list[Node] = [("PartNumber", one.number), ("LastModified", iso(one.at)), ("ETag", quoted(one.etag))]
        nodes.append(("Part", [*told, ("Size", one.size)]))
    return Reply(written("ListPartsResult", nodes), MEDIA)


async def every(buckets: Buckets, call: Call) -> Reply:
    """ListMultipartUploads: those of the visible world, by key and time; common prefixes are not made."""
    flow, query, encode = call.flow, call.query, encoder(call)
    bucket, prefix, limit = call.path["bucket"], query.get("prefix", ""), limited(call, "max-uploads")
    await buckets.located(flow, bucket)
    after = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    found = [(one, sealed(one.label, one.id)) for one in await buckets.uploads(flow, bucket)]
    wanted = sorted((one.key, id, one.at) for one, id in found if one.key.startswith(prefix))
    wanted = [each for each in wanted if each[:2] > after and (after[1] or each[0] > after[0] or not after[0])]
    shown = wanted[:limit]
    last: list[Node] = [("NextKeyMarker", encode(shown[-1][0])), ("NextUploadIdMarker", shown[-1][1])] if shown else []
    nodes: list[Node] = [
        ("Bucket", bucket),
        ("KeyMarker", encode(after[0])),
        ("UploadIdMarker", after[1]),
        *(last if len(wanted) > len(shown) else []),
        *([("EncodingType", "url")] if "encoding-type" in query else []),
        ("Prefix", encode(prefix)),
        ("MaxUploads", limit),
        ("IsTruncated", "true" if len(wanted) > len(shown) else "false"),
    ]
    for key, id, at in shown:
        told: list[Node] = [
            ("Key", encode(key)),
            ("UploadId", id),
            ("StorageClass", "STANDARD"),
            ("Initiated", iso(at)),
        ]
        nodes.append(("Upload", told))
    return Reply(written("ListMultipartUploadsResult", nodes), MEDIA)


async def _own(buckets: Buckets, call: Call) -> str:
    """The room's own id of the upload, which is one of this bucket and key. Raises Absent."""
    id = opened(call.query["uploadId"])[1]
    upload = await buckets.upload(call.flow, id)
    if (upload.bucket, upload.key) != (call.path["bucket"], call.path["key"]):
        raise Absent(kind="bucket.upload", id=id)
    return id


def _number(call: Call) -> int:
    text = call.query["partNumber"]
    if not _numeral(text) or not 0 < int(text) <= PARTS:
        raise BadInput(what=say("s3.part", call.flow.session.language), code="InvalidArgument")
    return int(text)


def _numeral(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
