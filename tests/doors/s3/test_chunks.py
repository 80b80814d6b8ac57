"""aws-chunked: any split of the bytes gives the same body, and any changed byte gives none that differs."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.doors.s3.chunks import LINE, TRAILERS, Chunks
from casemate.errors import BadInput, Unauthenticated
from tests.doors.s3.signing import a_chain, crc32, framed, plain_chunks

PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=5)
TOLD = {"x-amz-checksum-crc32c": "sOO8/Q=="}


def decoded(data: bytes, cuts: list[int], signed: bool, trailed: bool) -> tuple[bytes, dict[str, str]]:
    """What a decoder makes of the bytes, cut anywhere."""
    chunks = Chunks(a_chain()[3] if signed else None, trailed, "wrong")
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    body = b"".join(piece for start, end in itertools.pairwise(places) for piece in chunks.feed(data[start:end]))
    chunks.end()
    assert chunks.size == len(body)
    return body, chunks.trailers


@given(PIECES, st.lists(st.integers(0, 1 << 20), max_size=12), st.booleans(), st.booleans())
def test_any_split_gives_the_same(pieces: list[bytes], cuts: list[int], signed: bool, trailed: bool) -> None:
    signer, stamp, scope, _ = a_chain()
    told = TOLD if trailed else None
    data = framed(signer, stamp, scope, "5" * 64, pieces, told) if signed else plain_chunks(pieces, told or {})
    assert decoded(data, cuts, signed, trailed) == (b"".join(pieces), told or {})
    assert decoded(data, list(range(len(data))), signed, trailed)[0] == b"".join(pieces)


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=3), st.booleans(), st.integers(0, 1 << 32))
def test_any_changed_byte_of_a_signed_body_is_refused(pieces: list[bytes], trailed: bool, seed: int) -> None:
    """Every byte is tried, each with a few others in its place. A size may be written in capitals: it says the same."""
    signer, stamp, scope, _ = a_chain()
    data = framed(signer, stamp, scope, "5" * 64, pieces, TOLD if trailed else None)
    body, rng = b"".join(pieces), random.Random(seed)
    for place in range(len(data)):
        other = bytearray(data)
        other[place] = rng.choice([b for b in range(256) if b != data[place]])
        try:
            found = decoded(bytes(other), [], True, trailed)
        except (BadInput, Unauthenticated):
            continue
        assert found == (body, TOLD if trailed else {}), place


@given(PIECES, st.booleans(), st.data())
def test_a_body_that_ends_early_or_goes_on_is_refused(pieces: list[bytes], signed: bool, data: st.DataObject) -> None:
    signer, stamp, scope, _ = a_chain()
    whole = framed(signer, stamp, scope, "5" * 64, pieces, TOLD) if signed else plain_chunks(pieces, TOLD)
    with pytest.raises((BadInput, Unauthenticated)):
        decoded(whole[: data.draw(st.integers(0, len(whole) - 1))], [], signed, True)
    with pytest.raises(BadInput):
        decoded(whole + data.draw(st.binary(min_size=1, max_size=5)), [], signed, True)


@given(PIECES, PIECES)
def test_chunks_cannot_be_left_out_moved_or_taken_from_elsewhere(ours: list[bytes], others: list[bytes]) -> None:
    signer, stamp, scope, _ = a_chain()
    whole = framed(signer, stamp, scope, "5" * 64, ours, None)
    foreign = framed(signer, stamp, scope, "6" * 64, others, None)
    with pytest.raises(Unauthenticated):
        decoded(foreign, [], True, False)
    first = foreign[: foreign.index(b"\r\n") + 2 + (len(others[0]) + 2 if others else 0)]
    with pytest.raises((BadInput, Unauthenticated)):
        decoded(first + whole, [], True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"0\r\n",
        b"x\r\n",
        b"-1\r\n\r\n",
        b"0x1\r\na\r\n0\r\n\r\n",
        b"1\na\n0\n\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1\r\na0\r\n\r\n",
        b"1 \r\na\r\n0\r\n\r\n",
        b"1;chunk-signature=" + b"0" * 64 + b"\r\na\r\n0\r\n\r\n",
        b"1;chunk-extension\r\na\r\n0\r\n\r\n",
        b"1" * 13 + b"\r\n",
        b"0" * (LINE + 1),
        b"0\r\nno colon\r\n\r\n",
        b"0\r\nx-amz-trailer-signature:" + b"0" * 64 + b"\r\n\r\n",
        b"0\r\na:1\r\na:2\r\n\r\n",
        b"0\r\n" + b"".join(b"a%d:1\r\n" % n for n in range(TRAILERS + 1)) + b"\r\n",
    ],
)
def test_what_is_no_framing_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        decoded(data, [], False, True)


def test_a_trailer_that_nobody_signed_or_announced() -> None:
    signer, stamp, scope, _ = a_chain()
    bare = framed(signer, stamp, scope, "5" * 64, [b"a"], None)
    with pytest.raises(Unauthenticated):
        decoded(bare, [], True, True)
    unsigned = bare[:-2] + b"x-amz-checksum-crc32:" + crc32(b"a").encode() + b"\r\n\r\n"
    with pytest.raises(Unauthenticated):
        decoded(unsigned, [], True, True)
    with pytest.raises(BadInput):
        decoded(unsigned, [], True, False)


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_any_bytes_are_a_body_or_a_clear_error(data: bytes, signed: bool, trailed: bool) -> None:
    try:
        decoded(data, [3, 7], signed, trailed)
    except (BadInput, Unauthenticated):
        return
    assert not signed
