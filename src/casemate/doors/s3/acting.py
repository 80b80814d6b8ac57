"""Where a request acts: a read as the frame has it, a write exactly at the label of what it writes.

The label of an object stands in `x-amz-meta-casemate-label`; that of an upload in parts is part of its id, so that each
part acts where the upload began; a bucket acts at its floor. What says nothing acts at the session's floor.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from casemate.doors.frame import Request
from casemate.doors.s3.xml import read
from casemate.errors import Absent, BadInput
from casemate.labels import Label
from casemate.words import language_of, say

__all__ = ["ACTING", "CEILING", "FLOOR", "LABEL", "bucket", "opened", "range_of", "sealed", "upload", "writing"]

ACTING = "casemate-acting-label"
LABEL = "x-amz-meta-casemate-label"
FLOOR, CEILING = "casemate-floor", "casemate-ceiling"
_META = "x-amz-meta-"


def writing(request: Request, path: dict[str, str]) -> str:
    """The label of what is written or removed."""
    del path
    return _one(request, request.headers.get(LABEL, ""))


def bucket(request: Request, path: dict[str, str]) -> str:
    """The floor of the bucket that is made or removed."""
    del path
    language = language_of(request.headers.get("accept-language", ""))
    return _one(request, range_of(request.headers, request.body, language)[0])


def upload(request: Request, path: dict[str, str]) -> str:
    """The label that stands in an upload's id."""
    del path
    return _one(request, opened(request.query.get("uploadId", ""))[0])


def _one(request: Request, said: str) -> str:
    asked = request.headers.get(ACTING) or request.query.get("acting", "")
    if said and asked and said.strip() != asked.strip():
        raise BadInput(what=say("s3.two-labels"), code="InvalidArgument")
    return said or asked


def range_of(headers: Mapping[str, str], body: bytes, language: str) -> tuple[str, str]:
    """Floor and ceiling of a new bucket, from its headers or its tags. Raises BadInput."""
    floor, ceiling = headers.get(_META + FLOOR, ""), headers.get(_META + CEILING, "")
    tags: dict[str, str] = {}
    if body.strip():
        root = read(body, "CreateBucketConfiguration", language)
        tags = {tag.one("Key"): tag.one("Value") for each in root.all("Tags") for tag in each.all("Tag")}
    return floor or tags.get(FLOOR, ""), ceiling or tags.get(CEILING, "")


def sealed(label: Label, id: str) -> str:
    """An upload's id as a client sees it."""
    return f"{base64.urlsafe_b64encode(label.text.encode()).decode().rstrip('=')}.{id}"


def opened(text: str) -> tuple[str, str]:
    """Label and id of an upload. What cannot be one is absent, as one that never was."""
    coded, dot, id = text.partition(".")
    try:
        label = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        label = ""
    if not (label and dot and id) or len(text) > 4000:
        raise Absent(kind="bucket.upload", id=text[:200])
    return label, id
