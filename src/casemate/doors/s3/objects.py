"""Objects: put, got, looked at, removed, copied.

A write or removal acts at the object's label, and everything about it is decided there. What is read whole goes out
under one entry that is durable first; what is longer is a stream between a BEGIN and an END.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from casemate.buckets import Buckets, NewObject, Seen, changed, judged
from casemate.doors.frame import Call, Reply, Stream
from casemate.doors.s3.acting import LABEL
from casemate.doors.s3.conditions import condition, part, span
from casemate.doors.s3.looking import looking
from casemate.doors.s3.problem import named
from casemate.doors.s3.said import bounded, iso, looked_at, new_object, quoted, told
from casemate.doors.s3.xml import read, written
from casemate.errors import BadInput, CasemateError
from casemate.objects import Ref
from casemate.words import problem, say

__all__ = ["copy", "get", "head", "length", "put", "remove", "remove_many", "source"]

WHOLE = 256 << 10  # bytes that are answered in one go
MANY = 1000


async def put(buckets: Buckets, call: Call) -> Reply:
    """PutObject."""
    flow, path = call.flow, call.path
    new, when = new_object(call), condition(call.headers, call.flow.session.language)
    length(call)
    await flow.inspect(looked_at(path["key"], new))
    seen = await buckets.put(flow, path["bucket"], path["key"], looking(call), new, when)
    return Reply(b"", "application/xml", headers=_made(seen), facts=_facts(seen))


def length(call: Call) -> None:
    """A body must say how long it is. Raises BadInput."""
    if "content-length" not in call.headers and "x-amz-decoded-content-length" not in call.headers:
        raise BadInput(what=say("s3.length", call.flow.session.language), code="MissingContentLength")


async def get(buckets: Buckets, call: Call) -> Reply | Stream:
    """GetObject: whole, a range, or a part."""
    seen, start, stop, headers, media, status = await _found(buckets, call)
    if status == 304:
        return Reply(b"", media, status, headers)
    call.flow.use(Ref("bucket.object", f"{seen.bucket}/{seen.key}", seen.class_id))
    pieces, facts = buckets.read(call.flow, seen, start, stop), _facts(seen)
    if stop - start <= WHOLE:
        body = b"".join([piece async for piece in pieces])
        return Reply(body, media, status, headers, facts=facts, secret=True)
    await call.flow.begin(f"{seen.bucket}/{seen.key}".encode(), facts)
    return Stream(pieces, media, status, headers, facts={"bytes": stop - start}, secret=True, length=stop - start)


async def head(buckets: Buckets, call: Call) -> Reply:
    """HeadObject: what GetObject would say."""
    seen, start, stop, headers, media, status = await _found(buckets, call)
    if status != 304:
        headers = (*headers, ("Content-Length", str(stop - start)))
    return Reply(b"", media, status, headers, facts=_facts(seen))


async def _found(buckets: Buckets, call: Call) -> tuple[Seen, int, int, tuple[tuple[str, str], ...], str, int]:
    """The object, from where to where, and what is said of it."""
    language, query = call.flow.session.language, call.query
    _no_version(query.get("versionId", ""), language)
    seen = await buckets.seen(call.flow, call.path["bucket"], call.path["key"])
    when = condition(call.headers, language)
    judged(when, seen, reading=True)
    wanted = None
    if "partNumber" in query:
        wanted = part(query["partNumber"], seen, language)
    elif "range" in call.headers and call.headers.get("if-range", quoted(seen.etag)) == quoted(seen.etag):
        wanted = span(call.headers["range"], seen.size, language)
    start, stop = wanted or (0, seen.size)
    checksums = call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
    status = 304 if not changed(when, seen) else 206 if wanted is not None else 200
    media, headers = told(seen, query, checksums and status == 200)
    if wanted is not None:
        headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{seen.size}"))
    return seen, start, stop, tuple(headers), media, status


def _no_version(version: str, language: str) -> None:
    if version not in ("", "null"):
        raise BadInput(what=say("s3.not-here", language), code="NotImplemented")


async def remove(buckets: Buckets, call: Call) -> Reply:
    """DeleteObject: whether there was one is not told, as in S3."""
    _no_version(call.query.get("versionId", ""), call.flow.session.language)
    when = condition(call.headers, call.flow.session.language)
    await buckets.remove(call.flow, call.path["bucket"], call.path["key"], when)
    return Reply(b"", "application/xml", 204, facts={"bucket": call.path["bucket"], "key": call.path["key"]})


async def remove_many(buckets: Buckets, call: Call) -> Reply:
    """DeleteObjects: each by itself; what is refused is named, and the rest goes."""
    flow, language = call.flow, call.flow.session.language
    root = read(call.raw, "Delete", language)
    asked = [(each.exactly("Key"), each.one("ETag").strip('"'), each.one("VersionId")) for each in root.all("Object")]
    if not 0 < len(asked) <= MANY or not all(key for key, _, _ in asked):
        raise BadInput(what=say("s3.keys", language), code="MalformedXML")
    quiet = root.one("Quiet") == "true"
    await buckets.located(flow, call.path["bucket"])
    nodes = []
    for key, etag, version in asked:
        try:
            _no_version(version, language)
            await buckets.remove(
                flow, call.path["bucket"], key, condition({"if-match": etag} if etag else {}, language)
            )
        except CasemateError as error:
            said = problem(error, language)
            message = f"{said.detail} {said.remedy}".strip()
            nodes.append(("Error", [("Key", key), ("Code", named(said, error)[0]), ("Message", message)]))
        else:
            nodes += [] if quiet else [("Deleted", [("Key", key)])]
    return Reply(written("DeleteResult", nodes), "application/xml", facts={"objects": len(asked)})


async def copy(buckets: Buckets, call: Call) -> Reply:
    """CopyObject: read where the request acts, and kept there."""
    flow, headers, language = call.flow, call.headers, call.flow.session.language
    bounded(call)
    at = source(call)
    seen = await buckets.seen(flow, *at)
    when = condition(headers, language, "x-amz-copy-source-")
    judged(when, seen)
    if when.if_modified is not None and not changed(when, seen):
        raise BadInput(what=say("s3.condition", language, header="x-amz-copy-source-if"), code="PreconditionFailed")
    said = new_object(call)
    replaces = headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
    tags = said.tags if headers.get("x-amz-tagging-directive", "COPY").upper() == "REPLACE" else seen.tags
    kept = said if replaces else NewObject(seen.media, seen.headers, seen.metadata)
    new = NewObject(kept.media, kept.headers, kept.metadata, tags)
    await flow.inspect(looked_at(call.path["key"], new))
    made = await buckets.copy(flow, at, (call.path["bucket"], call.path["key"]), new, condition(headers, language))
    nodes = [("LastModified", iso(made.at)), ("ETag", quoted(made.etag))]
    return Reply(written("CopyObjectResult", nodes), "application/xml", headers=_made(made)[1:], facts=_facts(made))


def source(call: Call) -> tuple[str, str]:
    """Bucket and key of `x-amz-copy-source`. Raises BadInput."""
    text, _, version = call.headers["x-amz-copy-source"].partition("?")
    try:
        bucket, slash, key = unquote_to_bytes(text).decode("utf-8").removeprefix("/").partition("/")
    except UnicodeDecodeError:
        bucket = key = slash = ""
    if not (bucket and slash and key) or version not in ("", "versionId=null"):
        raise BadInput(what=say("s3.copy-source", call.flow.session.language), code="InvalidArgument")
    return bucket, key


def _made(seen: Seen) -> tuple[tuple[str, str], ...]:
    return (("ETag", quoted(seen.etag)), (LABEL, seen.label.text), ("x-amz-server-side-encryption", "AES256"))


def _facts(seen: Seen) -> dict[str, str | int]:
    return {"bucket": seen.bucket, "key": seen.key, "bytes": seen.size, "label": seen.label.text}
