"""What a client says of an object in headers, and what a client is told of one in headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl

from casemate.buckets import NewObject, Seen
from casemate.clock import SECOND
from casemate.doors.frame import Call
from casemate.doors.s3.acting import LABEL
from casemate.doors.s3.checksums import ALGORITHMS, PREFIX
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["bounded", "iso", "looked_at", "new_object", "quoted", "tags_in", "told", "whole_tags"]

META = "x-amz-meta-"
MEDIA = "binary/octet-stream"
METADATA = 2 << 10
TAGS, TAG_NAME, TAG_VALUE = 10, 128, 256
_KEPT = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_CHUNKED = "aws-chunked"
# What an answer may be told to say instead, by a query that is signed like the rest.
_INSTEAD = {f"response-{name}": name for name in (*_KEPT, "content-type")}
# What would be taken for a promise that is not kept here; encryption with the region's own keys is kept always.
_ELSEWHERE = (
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-write-offset-bytes",
    "x-amz-website-redirect-location",
)
_GRANTS = "x-amz-grant-"
# What somebody has kept is a document of nobody's: in a browser it runs nothing, though it comes from our own origin.
_INERT = (("Content-Security-Policy", "default-src 'none'; sandbox"), ("X-Content-Type-Options", "nosniff"))
_OURS = ("", "private", "bucket-owner-full-control")


def new_object(call: Call) -> NewObject:
    """What the headers of a PUT, a copy or a new upload say. Raises BadInput."""
    bounded(call)
    headers, language = call.headers, call.flow.session.language
    kept = {name: headers[name] for name in _KEPT if name in headers}
    codings = [coding.strip() for coding in kept.pop("content-encoding", "").split(",")]
    coding = ", ".join(one for one in codings if one and one.lower() != _CHUNKED)
    kept |= {"content-encoding": coding} if coding else {}
    kept |= {name: headers[name] for name in _checksums(headers)}
    metadata = {
        name.removeprefix(META): value for name, value in headers.items() if name.startswith(META) and name != LABEL
    }
    if sum(len(name) + len(value) for name, value in metadata.items()) > METADATA:
        raise BadInput(what=say("s3.metadata", language), code="MetadataTooLarge")
    tags = tags_in(headers.get("x-amz-tagging", ""), language)
    return NewObject(headers.get("content-type") or MEDIA, kept, metadata, tags)


def bounded(call: Call) -> None:
    """Raises BadInput for what a client would take for a promise that is not kept here."""
    headers, language = call.headers, call.flow.session.language
    sealed = headers.get("x-amz-server-side-encryption", "AES256")
    if sealed != "AES256" or any(name in headers for name in _ELSEWHERE):
        raise BadInput(what=say("s3.not-here", language), code="NotImplemented")
    if headers.get("x-amz-acl", "") not in _OURS or any(name.startswith(_GRANTS) for name in headers):
        raise BadInput(what=say("s3.acl", language), code="AccessControlListNotSupported")


def tags_in(text: str, language: str) -> dict[str, str]:
    """Tags as a query has them. Raises BadInput."""
    try:
        return whole_tags(
            parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=TAGS), language
        )
    except ValueError:
        raise BadInput(what=say("s3.tags", language), code="InvalidTag") from None


def whole_tags(pairs: Iterable[tuple[str, str]], language: str) -> dict[str, str]:
    """Tags within their bounds. Raises BadInput."""
    told = list(pairs)
    found = dict(told)
    wrong = any(not name or len(name) > TAG_NAME or len(value) > TAG_VALUE for name, value in told)
    if wrong or len(found) != len(told) or len(told) > TAGS:
        raise BadInput(what=say("s3.tags", language), code="InvalidTag")
    return found


def looked_at(key: str, new: NewObject) -> list[str]:
    """Everything that a person wrote beside the content."""
    headers = [value for name, value in new.headers.items() if name in _KEPT]
    return [key, new.media, *headers, *new.metadata.values(), *new.tags, *new.tags.values()]


def told(seen: Seen, query: Mapping[str, str], checksums: bool = False) -> tuple[str, list[tuple[str, str]]]:
    """Media type and headers of an object that is read; `checksums` where the caller asks for them, of the whole."""
    said = {name: value for name, value in seen.headers.items() if checksums or not name.startswith(PREFIX)}
    said["content-type"] = seen.media
    said |= {_INSTEAD[name]: value for name, value in query.items() if name in _INSTEAD and value.isprintable()}
    media = said.pop("content-type")
    headers = [
        ("ETag", quoted(seen.etag)),
        ("Last-Modified", format_datetime(datetime.fromtimestamp(seen.at // SECOND, UTC), usegmt=True)),
        ("Accept-Ranges", "bytes"),
        *said.items(),
        *((META + name, value) for name, value in seen.metadata.items()),
        (LABEL, seen.label.text),
        ("x-amz-server-side-encryption", "AES256"),
        *_INERT,
    ]
    if seen.tags:
        headers.append(("x-amz-tagging-count", str(len(seen.tags))))
    if seen.parts and "partNumber" in query:
        headers.append(("x-amz-mp-parts-count", str(seen.parts)))
    return media, headers


def _checksums(headers: Mapping[str, str]) -> list[str]:
    return [PREFIX + name for name in ALGORITHMS if PREFIX + name in headers]


def quoted(etag: str) -> str:
    """An ETag as it stands in headers and documents."""
    return f'"{etag}"'


def iso(at: int) -> str:
    """Microseconds since the epoch as S3 writes them."""
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at // 1000 % 1000:03d}Z"
