"""A problem in S3's brackets: an XML document with a code that every client knows, and the status of that code."""

from __future__ import annotations

from urllib.parse import unquote

from casemate.doors.frame import Request, Told
from casemate.doors.s3.xml import written
from casemate.errors import CasemateError
from casemate.words import Problem

__all__ = ["coded", "event", "named", "tell"]

# What `code` in the facts of a bad request says, where its status is not 400.
_STATUS = {
    "InvalidRange": 416,
    "MissingContentLength": 411,
    "NotImplemented": 501,
    "BucketAlreadyOwnedByYou": 409,
    "NoSuchTagSet": 404,
    "PreconditionFailed": 412,
}
_ABSENT = {
    "bucket": ("NoSuchBucket", 404),
    "bucket.object": ("NoSuchKey", 404),
    "bucket.upload": ("NoSuchUpload", 404),
    "page": ("MethodNotAllowed", 405),
}
_BY_SLUG = {
    "ambiguous": ("AmbiguousLabel", 409),
    "bad-part": ("InvalidPart", 400),
    "clock-skew": ("RequestTimeTooSkewed", 403),
    "condition-failed": ("PreconditionFailed", 412),
    "expired": ("AccessDenied", 403),
    "marking": ("InvalidArgument", 400),
    "not-empty": ("BucketNotEmpty", 409),
    "quota-exceeded": ("SlowDown", 503),
    "share-full": ("InsufficientStorage", 507),
    "storage-full": ("InsufficientStorage", 507),
    "too-large": ("EntityTooLarge", 400),
    "unauthenticated": ("SignatureDoesNotMatch", 403),
}
_BY_STATUS = {
    400: ("InvalidRequest", 400),
    403: ("AccessDenied", 403),
    404: ("NoSuchKey", 404),
    409: ("OperationAborted", 409),
    503: ("ServiceUnavailable", 503),
}
_INTERNAL = ("InternalError", 500)


def named(problem: Problem, error: CasemateError | None) -> tuple[str, int]:
    """The code and the status."""
    facts = error.facts if error is not None else {}
    if "code" in facts:
        code = str(facts["code"])
        return code, _STATUS.get(code, 400)
    if problem.slug == "absent":
        return _ABSENT.get(str(facts.get("kind", "")), ("NoSuchKey", 404))
    if problem.slug == "bad-part" and "least" in facts:
        return "EntityTooSmall", 400
    return _BY_SLUG.get(problem.slug) or _BY_STATUS.get(problem.status, _INTERNAL)


def coded(error: CasemateError, problem: Problem, request: Request) -> Told:
    """The response. `RequestId` is the ledger entry; labels of an ambiguous key and the rule of a refusal are told."""
    code, status = named(problem, error)
    told = [("Code", code), ("Message", f"{problem.detail} {problem.remedy}".strip())]
    if problem.rule:
        told.append(("Rule", problem.rule))
    if "labels" in error.facts:
        told.append(("Labels", str(error.facts["labels"])))
    told += [("Resource", unquote(request.raw_path)), ("Label", problem.label), ("RequestId", problem.entry)]
    headers = (("Content-Range", f"bytes */{error.facts['size']}"),) if code == "InvalidRange" else ()
    return Told(status, "application/xml", written("Error", told, ""), headers)


def tell(problem: Problem, request: Request) -> Told:
    """The same, where the error itself is not at hand."""
    return coded(CasemateError(), problem, request)


def event(problem: Problem) -> bytes:
    """Nothing: a body whose length was promised breaks off."""
    del problem
    return b""
