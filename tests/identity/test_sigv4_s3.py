"""S3's Signature Version 4: Amazon's published examples, botocore's signer, and everything that differs by a byte.

The examples are those of the S3 API reference, "Signature calculations: examples" and "Query parameters", and of
"Transferring payload in multiple chunks", with and without trailing headers.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import Expired, Skewed, Unauthenticated
from casemate.identity import SignedHead
from casemate.identity.sigv4_s3 import LONGEST_SECONDS, Shown, chain, presigned, shown, signature, verify

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = hashlib.sha256(b"").hexdigest()
WELCOME = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
AT = datetime(2013, 5, 24, tzinfo=UTC).timestamp()
NOW = int(AT * 1_000_000)
STAMP = "20130524T000000Z"
HOST = ("host", "examplebucket.s3.amazonaws.com")
Headers = tuple[tuple[str, str], ...]


def example(method: str, path: str, query: str, headers: Headers, made: str, payload: str = EMPTY) -> SignedHead:
    """A request of the examples: the headers named, and the two that all of them bear."""
    told = (*headers, ("x-amz-content-sha256", payload), ("x-amz-date", STAMP))
    names = ";".join(sorted(name for name, _ in told))
    scope = f"{KEY}/20130524/us-east-1/s3/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={names},Signature={made}"
    return SignedHead(KEY, method, path, query, told, authorization)


EXAMPLES = {
    "a range of an object": example(
        "GET",
        "/test.txt",
        "",
        (HOST, ("range", "bytes=0-9")),
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    "an object": example(
        "PUT",
        "/test$file.text",
        "",
        (("date", "Fri, 24 May 2013 00:00:00 GMT"), HOST, ("x-amz-storage-class", "REDUCED_REDUNDANCY")),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        WELCOME,
    ),
    "a lifecycle": example(
        "GET", "/", "lifecycle", (HOST,), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    ),
    "a list": example(
        "GET", "/", "max-keys=2&prefix=J", (HOST,), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    ),
}


@pytest.mark.parametrize("request_", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_of_the_documentation(request_: SignedHead) -> None:
    verify(request_, shown(request_), SECRET, NOW)


LINK = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def link(query: str = LINK, path: str = "/test.txt", method: str = "GET", more: Headers = ()) -> SignedHead:
    return SignedHead(KEY, method, path, query, (HOST, *more), "")


def check(request: SignedHead, now: int = NOW, secret: str = SECRET) -> None:
    verify(request, shown(request), secret, now)


def test_the_link_of_the_documentation() -> None:
    assert presigned(LINK)
    assert not presigned("prefix=X-Amz-Credential")
    check(link())
    check(link(), NOW + 86_400_000_000)
    with pytest.raises(Expired):
        check(link(), NOW + 86_401_000_000)
    with pytest.raises(Skewed):
        check(link(), NOW - 301_000_000)


@pytest.mark.parametrize(
    "altered",
    [
        link(path="/test.txT"),
        link(method="PUT"),
        link(LINK.replace("86400", "86401")),
        link(LINK.replace("86400", "0")),
        link(LINK.replace("86400", str(LONGEST_SECONDS + 1))),
        link(LINK.replace("86400", "-1")),
        link(LINK.replace("20130524T000000Z", "20130524T000001Z")),
        link(LINK.replace("&X-Amz-SignedHeaders=host", "&X-Amz-SignedHeaders=")),
        link(LINK.replace("SHA256&", "SHA1&")),
        link(LINK.replace("%2Fs3%2F", "%2Fbedrock%2F")),
        link(LINK + "&X-Amz-Expires=86400"),
        link(LINK + "&prefix=x"),
        link(LINK[:-1] + "5"),
        link(LINK.partition("&X-Amz-Signature")[0]),
        link(more=(("x-amz-meta-casemate-label", "us:SECRET"),)),
        link(more=(("casemate-acting-label", "us:SECRET"),)),
    ],
)
def test_an_altered_link_is_nobodys(altered: SignedHead) -> None:
    with pytest.raises(Unauthenticated):
        check(altered)


def chunked(decoded: str, made: str, more: Headers, payload: str) -> Shown:
    """The head of an example whose body comes in chunks, verified."""
    told: Headers = (
        ("host", "s3.amazonaws.com"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", decoded),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        *more,
    )
    request = example("PUT", "/examplebucket/chunkObject.txt", "", told, made, payload)
    found = shown(request)
    verify(request, found, SECRET, NOW)
    return found


def digests() -> tuple[str, str, str]:
    return tuple(hashlib.sha256(b"a" * size).hexdigest() for size in (65_536, 1024, 0))  # type: ignore[return-value]


def test_the_chunks_of_the_documentation() -> None:
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    found = chunked("66560", seed, (("content-length", "66824"),), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    made = chain(found, SECRET)
    assert SECRET not in repr(made)
    for digest, one in zip(
        digests(),
        (
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
        ),
        strict=True,
    ):
        made.chunk(digest, one)
    with pytest.raises(Unauthenticated):
        made.chunk(digests()[2], "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9")


def test_the_trailing_checksum_of_the_documentation() -> None:
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    found = chunked("66560", seed, (("x-amz-trailer", "x-amz-checksum-crc32c"),), f"{STREAM}-TRAILER")
    made = chain(found, SECRET)
    for digest, one in zip(
        digests(),
        (
            "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
            "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
            "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
        ),
        strict=True,
    ):
        made.chunk(digest, one)
    trailer = hashlib.sha256(b"x-amz-checksum-crc32c:sOO8/Q==\n").hexdigest()
    made.trailer(trailer, "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435")


STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"

# Keys of objects are anything; a query has what a listing may ask.
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=12)
QUERY = st.dictionaries(st.sampled_from(["prefix", "delimiter", "list-type", "acl"]), TEXT | st.just(""), max_size=3)


def signed(method: str, key: str, query: dict[str, str], body: bytes, seconds: int = 0) -> SignedHead:
    """A request that botocore has signed, in its header or, for so many seconds, in its query."""
    from urllib.parse import quote, urlsplit

    path = "/bucket/" + quote(key, safe="/~")
    asked = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query.items())
    request = AWSRequest(
        method, f"http://region.test:8480{path}?{asked}", {"host": "region.test:8480"}, b"" if seconds else body
    )
    moment = datetime.fromtimestamp(AT, UTC).replace(tzinfo=None)
    request.context["signing"] = {"disableDoubleEncoding": True}
    with patch("botocore.auth.get_current_datetime", return_value=moment):
        if seconds:
            S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", "gov-1", expires=seconds).add_auth(request)
        else:
            S3SigV4Auth(Credentials(KEY, SECRET), "s3", "gov-1").add_auth(request)
    told = {name.lower(): str(value) for name, value in request.headers.items()}
    parts = urlsplit(request.url)
    return SignedHead(KEY, method, path, parts.query, tuple(told.items()), told.get("authorization", ""))


@given(st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]), TEXT, QUERY, st.binary(max_size=20), st.sampled_from([0, 60]))
def test_what_botocore_signs_is_believed(
    method: str, key: str, query: dict[str, str], body: bytes, seconds: int
) -> None:
    request = signed(method, key, query, body, seconds)
    check(request)
    assert shown(request).auth.key_id == KEY
    assert SECRET not in repr(request)
    with pytest.raises(Unauthenticated):
        check(request, secret=SECRET + "x")
    with pytest.raises(Unauthenticated):
        check(replace(request, query=request.query + "&x-id=GetObject"))
    with pytest.raises(Unauthenticated):
        check(replace(request, raw_path=request.raw_path + "x"))


def test_a_path_counts_as_it_is_meant() -> None:
    """A client that encodes more or less than another signs the same path."""
    request = signed("GET", "a+b/(c) d", {}, b"")
    check(replace(request, raw_path="/bucket/a%2Bb/%28c%29%20d"))
    check(replace(request, raw_path="/%62ucket/a+b/(c)%20d"))
    with pytest.raises(Unauthenticated):
        check(replace(request, raw_path="/bucket/a%20b/%28c%29%20d"))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_head_of_another_time(seconds: int) -> None:
    with pytest.raises(Skewed):
        check(EXAMPLES["a list"], NOW + seconds * 1_000_000)


def test_a_head_without_the_digest_of_its_body() -> None:
    request = EXAMPLES["a list"]
    bare = tuple(pair for pair in request.headers if pair[0] != "x-amz-content-sha256")
    with pytest.raises(Unauthenticated):
        shown(replace(request, headers=bare))
    other = tuple((name, WELCOME if name == "x-amz-content-sha256" else value) for name, value in request.headers)
    with pytest.raises(Unauthenticated):
        check(replace(request, headers=other))
    both = replace(request, query=LINK)
    with pytest.raises(Unauthenticated):
        shown(both)


@given(st.text(max_size=60))
def test_any_other_text_is_nobodys(text: str) -> None:
    for request in (SignedHead("", "GET", "/", "", (), text or "x"), SignedHead("", "GET", "/", text, (), "")):
        with pytest.raises(Unauthenticated):
            shown(request)


def test_the_signature_is_of_one_day_and_region() -> None:
    request = EXAMPLES["a list"]
    found = shown(request)
    for name, value in (("date", "20130525"), ("region", "eu-west-1")):
        other = replace(found, auth=replace(found.auth, **{name: value}))
        assert signature(request, other, SECRET) != found.auth.signature
