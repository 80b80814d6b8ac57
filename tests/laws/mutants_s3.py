"""Mutants of the S3 wire: one line of the source broken, named after the leak, with the test that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested

WIRE, IDENTITY = "casemate.doors.s3", "casemate.identity"


def _test(file: str, name: str) -> Tested:
    return Tested(f"tests/{file}.py::{name}")


SIGNED, LABELS, CHUNKS = "doors/s3/test_signed", "doors/s3/test_labels", "doors/s3/test_chunks"
PARTS = "doors/s3/test_uploads"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "s3-label-unsigned",
        "whoever is on the way says at which label an object lies",
        Edit(f"{IDENTITY}.sigv4_s3:shown", "if loose - ({_CONTENT} if found.seconds else set()) or", "if"),
        _test(SIGNED, "test_what_was_altered_is_denied"),
    ),
    (
        "s3-link-for-ever",
        "a link is good when its time is over",
        Edit(f"{IDENTITY}.sigv4_s3:verify", "age > found.seconds", "False"),
        _test(SIGNED, "test_a_link_runs_out"),
    ),
    (
        "s3-chunk-unverified",
        "a chunk is changed on the way",
        Edit(
            f"{IDENTITY}.sigv4_chunks:Chain._next",
            "not hmac.compare_digest(made.encode(), signature.encode())",
            "False",
        ),
        _test(CHUNKS, "test_any_changed_byte_of_a_signed_body_is_refused"),
    ),
    (
        "s3-trailer-unsigned",
        "a checksum behind the body is anybody's",
        Edit(f"{WIRE}.chunks:Chunks._trailer", "and self._trailed and not self._verified", "and False"),
        _test(CHUNKS, "test_a_trailer_that_nobody_signed_or_announced"),
    ),
    (
        "s3-early-end",
        "half of a body is kept as a whole one",
        Edit(f"{WIRE}.chunks:Chunks.end", 'self._state != "over" or self._line', "False"),
        _test(CHUNKS, "test_a_body_that_ends_early_or_goes_on_is_refused"),
    ),
    (
        "s3-body-not-held",
        "a body is another than the one that was signed",
        Edit(f"{WIRE}.checksums:Checks.judge", "self._payload.hexdigest() != self._signed", "False"),
        _test(SIGNED, "test_what_was_altered_is_denied"),
    ),
    (
        "s3-label-passed-over",
        "an object lies below the label that was stated",
        Edit(f"{WIRE}.acting:writing", 'request.headers.get(LABEL, "")', '""'),
        _test(LABELS, "test_a_key_at_two_labels"),
    ),
    (
        "s3-part-at-the-floor",
        "a part lies below the label at which its upload began",
        Edit(f"{WIRE}.acting:upload", 'opened(request.query.get("uploadId", ""))[0]', '""'),
        _test(PARTS, "test_every_part_acts_where_the_upload_began"),
    ),
    (
        "s3-part-of-anything",
        "a part is put into the upload of another key",
        Edit(f"{WIRE}.uploads:_own", "if (upload.bucket, upload.key) !=", "if False and () !="),
        _test(PARTS, "test_what_is_no_part"),
    ),
    (
        "s3-text-unread",
        "a text is kept below its own mark",
        Edit("casemate.buckets.edges:look", "if may_hold(each):", "if False:"),
        _test(LABELS, "test_a_text_with_a_mark_above_is_not_kept_below"),
    ),
    (
        "s3-controls-part-a-mark",
        "a control byte between its letters hides a mark",
        Edit("casemate.buckets.edges:look", "(_plain(piece), _plain(piece.translate(_LINES)))", "(piece,)"),
        _test(LABELS, "test_a_text_with_a_mark_above_is_not_kept_below"),
    ),
    (
        "s3-seam-unread",
        "two parts bear a mark together that neither bears",
        Edit("casemate.buckets.uploads:complete", "await look(flow, seam)", "pass"),
        _test(PARTS, "test_a_mark_that_a_seam_of_parts_cuts_keeps_the_object_out"),
    ),
    (
        "s3-note-unread",
        "what is said of an object bears a mark above it",
        Edit(
            f"{WIRE}.said:looked_at",
            "[key, new.media, *headers, *new.metadata.values(), *new.tags, *new.tags.values()]",
            "[]",
        ),
        _test(LABELS, "test_what_is_said_of_an_object_is_looked_at_too"),
    ),
    (
        "unsigned-claimed",
        "a browser's page is shown as a bucket, and a bucket's object as a page",
        Edit("casemate.doors.s3.credential:claims", "authorization.startswith(_SCHEME) and", "True or"),
        Tested("tests/console/test_beside_s3.py::test_the_pages_themselves_are_there"),
    ),
)
