"""A body on its way in: framing taken off, and held to everything that its head said of it.

Pieces go on as they come. What is wrong is known at the end, and raised there instead of the end: whoever takes the
pieces keeps nothing of a body that did not end.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

from casemate.doors.frame import Request
from casemate.doors.s3.checksums import Checks
from casemate.doors.s3.chunks import Chunks
from casemate.errors import BadInput, TooLarge
from casemate.identity.sigv4_chunks import Chain
from casemate.identity.sigv4_s3 import UNSIGNED
from casemate.words import language_of, say

__all__ = ["LARGEST", "incoming"]

LARGEST = 5 << 30  # bytes of a body, as in S3
_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_TRAILED = "-TRAILER"
_UNSIGNED_TRAILED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_DIGEST = re.compile("[0-9a-f]{64}")


async def incoming(request: Request, pieces: AsyncIterator[bytes], chain: Callable[[], Chain]) -> AsyncIterator[bytes]:
    """The bytes of the body itself. Raises BadInput, TooLarge, Unauthenticated."""
    headers, language = request.headers, language_of(request.headers.get("accept-language", ""))
    payload = headers.get("x-amz-content-sha256", UNSIGNED)
    if not payload.startswith("STREAMING-"):
        if payload != UNSIGNED and not _DIGEST.fullmatch(payload):
            raise BadInput(what=say("s3.payload", language), code="InvalidArgument")
        checks = Checks(headers, "", "" if payload == UNSIGNED else payload, language)
        async for piece in pieces:
            checks.update(piece)
            yield piece
        checks.judge({})
        return
    if payload not in (_SIGNED, _SIGNED + _TRAILED, _UNSIGNED_TRAILED):
        raise BadInput(what=say("s3.not-here", language), code="NotImplemented")
    trailed = payload.endswith(_TRAILED)
    size = _announced(headers.get("x-amz-decoded-content-length", ""), language)
    checks = Checks(headers, headers.get("x-amz-trailer", "") if trailed else "", "", language)
    wrong = say("s3.framing", language)
    chunks = Chunks(None if payload == _UNSIGNED_TRAILED else chain(), trailed, wrong)
    async for sent in pieces:
        for piece in chunks.feed(sent):
            if chunks.size > size:
                raise BadInput(what=wrong, code="IncompleteBody")
            checks.update(piece)
            yield piece
    chunks.end()
    if chunks.size != size:
        raise BadInput(what=wrong, code="IncompleteBody")
    checks.judge(chunks.trailers)


def _announced(text: str, language: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadInput(what=say("s3.length", language), code="MissingContentLength")
    if len(text) > 15 or int(text) > LARGEST:
        raise TooLarge(what=say("frame.body", language), limit=LARGEST)
    return int(text)
