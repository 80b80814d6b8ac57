"""Labels on the wire: a write acts at the label of what it writes, a read sees what its acting label dominates.

What a caller is told of an object above him is, byte for byte, what he is told of one that never was.
"""

from __future__ import annotations

import re

import pytest

from tests.doors.s3.signing import Caller, error, marked, texts
from tests.doors.wired import HIGH, OPEN, SECRET, Got

LABEL = "x_amz_meta_casemate_label"


def same(got: Got) -> tuple[int, bytes, list[tuple[str, str]]]:
    """A response without what is drawn for each: its entry, and when an object was made."""
    body = re.sub(rb"ent_[a-z0-9]+|\d{4}-\d\d-\d\dT[\d:.]+Z", b"-", got.body)
    return got.status, body, [(n, v) for n, v in got.headers.items() if not v.startswith("ent_")]


@pytest.fixture
def low(caller: Caller) -> Caller:
    return Caller(caller.region, OPEN, OPEN)


def test_a_key_at_two_labels(caller: Caller, bucket: str, low: Caller) -> None:
    """The highest visible one is read; below, the other is all there is; removing uncovers it again."""
    path, secret = f"/{bucket}/plan", caller.region.label(SECRET).text
    caller.ask("PUT", path, b"low")
    put = marked(caller.ask("PUT", path, b"high, and longer", **{LABEL: SECRET}))
    assert (put.headers["casemate-label"], put.headers["x-amz-meta-casemate-label"]) == (secret, secret)
    got = caller.ask("GET", path)
    assert (got.body, got.headers["x-amz-meta-casemate-label"]) == (b"high, and longer", secret)
    assert caller.ask("GET", path, casemate_acting_label=OPEN).body == b"low"
    assert low.ask("GET", path).body == b"low"
    assert texts(low.ask("GET", f"/{bucket}"), "Contents/Size") == ["3"]
    assert texts(caller.ask("GET", f"/{bucket}"), "Contents/Size") == ["16"]
    assert caller.ask("DELETE", path, casemate_acting_label=secret).status == 204
    assert caller.ask("GET", path).body == b"low"


def test_what_lies_above_is_as_if_it_never_were(caller: Caller, bucket: str, low: Caller) -> None:
    caller.ask("PUT", f"/{bucket}/above", b"secret", **{LABEL: SECRET, "x_amz_tagging": "a=b"})
    for method, query in (("GET", {}), ("HEAD", {}), ("GET", {"tagging": ""}), ("GET", {"partNumber": "1"})):
        hidden = same(low.ask(method, f"/{bucket}/above", query=query))
        never = same(low.ask(method, f"/{bucket}/never", query=query))
        assert hidden[0] == 404
        assert hidden[1].replace(b"above", b"never") == never[1]
        assert hidden[2] == never[2]
    copied = [same(low.ask("PUT", f"/{bucket}/c", x_amz_copy_source=f"/{bucket}/{k}")) for k in ("above", "never")]
    assert copied[0][1].replace(b"above", b"never") == copied[1][1]
    assert texts(low.ask("GET", f"/{bucket}"), "Contents/Key") == []
    assert same(low.ask("DELETE", f"/{bucket}/above"))[0] == 204
    assert low.ask("PUT", f"/{bucket}/above", b"mine", if_none_match="*").status == 200
    assert low.ask("DELETE", f"/{bucket}/above").status == 204
    assert caller.ask("GET", f"/{bucket}/above").body == b"secret"


def test_a_bucket_above_is_none(caller: Caller, low: Caller) -> None:
    """Its name may be taken below all the same: whoever is there does not know."""
    assert caller.ask("PUT", "/hidden-bucket", x_amz_meta_casemate_floor=SECRET).status == 200
    assert "hidden-bucket" not in texts(low.ask("GET", "/"), "Buckets/Bucket/Name")
    for method, query in (("GET", {}), ("GET", {"location": ""}), ("GET", {"uploads": ""})):
        hidden, never = (low.ask(method, f"/{name}", query=query) for name in ("hidden-bucket", "never--bucket"))
        assert error(hidden) == (404, "NoSuchBucket")
        assert same(hidden)[1].replace(b"hidden-", b"never--") == same(never)[1]
    assert low.ask("PUT", "/hidden-bucket").status == 200
    assert low.ask("PUT", "/hidden-bucket/k", b"low").status == 200


def test_two_labels_of_which_none_is_above_the_other(caller: Caller, bucket: str) -> None:
    """The reader of both is told which they are; a reader of one sees no trouble."""
    region = caller.region
    everybody = Caller(region, OPEN, HIGH)
    one, two = "us:SECRET//REL TO USA, FRA", "us:SECRET//REL TO USA, GBR"
    path = f"/{bucket}/k"
    for label in (one, two):
        put = everybody.ask("PUT", path, label.encode(), **{LABEL: label})
        assert put.status == 200, put.body
    refused = everybody.ask("GET", path)
    assert error(refused) == (409, "AmbiguousLabel")
    for label in (one, two):
        assert region.label(label).text.encode() in refused.body
        got = everybody.ask("GET", path, casemate_acting_label=region.label(label).text)
        assert got.body == label.encode()
    assert texts(everybody.ask("GET", f"/{bucket}"), "Contents/Key") == ["k"]
    assert b"SECRET" not in caller.ask("GET", path, casemate_acting_label=OPEN).body


def test_a_write_outside_of_the_range_or_of_the_key(caller: Caller) -> None:
    caller.ask("PUT", "/narrow", x_amz_meta_casemate_ceiling=OPEN)
    above = caller.ask("PUT", "/narrow/k", b"", **{LABEL: SECRET})
    assert error(above) == (403, "AccessDenied")
    assert b"<Rule>bucket-range</Rule>" in above.body
    beyond = caller.ask("PUT", "/narrow/k", b"", **{LABEL: HIGH})
    assert b"<Rule>acting-label</Rule>" in beyond.body
    assert error(caller.ask("PUT", "/narrow/k", b"", **{LABEL: "BANANA"})) == (400, "InvalidArgument")
    both = caller.ask("PUT", "/narrow/k", b"", casemate_acting_label=OPEN, **{LABEL: SECRET})
    assert error(both) == (400, "InvalidArgument")


def test_what_is_below_is_not_removed_from_above(caller: Caller, bucket: str) -> None:
    caller.ask("PUT", f"/{bucket}/k", b"low")
    refused = caller.ask("DELETE", f"/{bucket}/k", casemate_acting_label=SECRET)
    assert error(refused) == (403, "AccessDenied")
    assert b"<Rule>no-write-down</Rule>" in refused.body
    assert caller.ask("GET", f"/{bucket}/k").body == b"low"


MARKED = [
    b"SECRET//NOFORN\n\nThe plan.\n",
    b"words\n" * 20_000 + b"(S//NF) The plan.\n",
    b"\x00SECRET\x01//NOFORN\n\nThe plan.\n",
    b"words\n" * 20_000 + b"(\x02S\x03/\x04/\x05N\x06F) The plan.\n",
    b"\xff\xfe" + "Une école.\n(S//NF) The plan.\n".encode("utf-16-le"),
    "Une école\x1e.\n(S//NF) The plan.\n".encode(),
]
BINARY = b"\x7fELF\x02\x01\xfe\xff\x00\n"


@pytest.mark.parametrize("body", MARKED)
def test_a_text_with_a_mark_above_is_not_kept_below(caller: Caller, bucket: str, low: Caller, body: bytes) -> None:
    refused = low.ask("PUT", f"/{bucket}/k", body)
    assert error(refused) == (403, "AccessDenied")
    assert b"<Rule>mark-above</Rule>" in refused.body
    assert error(low.ask("GET", f"/{bucket}/k")) == (404, "NoSuchKey")
    assert caller.ask("PUT", f"/{bucket}/k", body, **{LABEL: SECRET}).status == 200
    assert caller.ask("PUT", f"/{bucket}/binary", BINARY + body).status == 200


@pytest.mark.parametrize("more", [{"x_amz_meta_note": "(S//NF) plan"}, {"x_amz_tagging": "note=(S//NF)%20plan"}])
def test_what_is_said_of_an_object_is_looked_at_too(low: Caller, bucket: str, more: dict[str, str]) -> None:
    assert b"<Rule>mark-above</Rule>" in low.ask("PUT", f"/{bucket}/k", b"", **more).body
    assert b"<Rule>mark-above</Rule>" in low.ask("PUT", f"/{bucket}/(S//NF) plan", b"").body
