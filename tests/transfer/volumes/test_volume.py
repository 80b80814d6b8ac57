"""A head is what its bytes say and within its bounds, or it is refused; sizes are padded and tell no more."""

from __future__ import annotations

import hashlib
import random
import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casemate.crypto import KeySigner, generate
from casemate.errors import BadInput, Damaged, TooLarge
from casemate.transfer.volumes.volume import (
    DIGEST,
    FRAMES,
    HEAD,
    LEAST_FRAME,
    MAGIC,
    MOST_FRAME,
    STRIPE,
    Carried,
    Head,
    Layout,
    counted,
    exact_size,
    head_size,
    padded,
    parse_head,
    planned,
    root_of,
    said_size,
)

CARRIED = Carried(bytes(range(16)), "UNCLASSIFIED//FOUO")
SMALL = Layout(2, 3, LEAST_FRAME, 1)


def head(layout: Layout = SMALL, number: int = 2, carried: Carried = CARRIED) -> Head:
    pages = random.Random(1).randbytes(layout.pages * DIGEST)
    roots = [random.Random(i).randbytes(DIGEST) for i in range(layout.n)]
    roots[number - 1] = root_of(pages)
    return Head(layout, carried, number, tuple(roots), pages)


@given(st.integers(1, 255), st.integers(0, 254), st.integers(0, 1 << 45), st.text(min_size=1, max_size=40), st.data())
def test_a_head_comes_back_as_it_was(k: int, m: int, size: int, banner: str, data: st.DataObject) -> None:
    m = min(m, 255 - k)
    try:
        layout, carried = counted(size, k + m, m), Carried(bytes(16), banner)
    except (TooLarge, BadInput):
        return
    one = head(layout, data.draw(st.integers(1, layout.n)), carried)
    raw = one.packed()
    assert len(raw) == one.size <= HEAD
    assert parse_head(raw) == one
    assert one.name == f"{one.set_name}-{one.number:03}of{layout.n:03}.cmv"


@pytest.mark.parametrize("profile", ["ed25519", "hybrid", "cnsa2"])
def test_a_signed_head_is_of_the_same_set_and_only_with_its_signature(profile: str) -> None:
    one = head()
    signed = one.signed(KeySigner(generate(profile)))  # type: ignore[arg-type]
    assert signed.digest == one.digest
    assert parse_head(signed.packed()) == signed
    assert len(signed.packed()) == signed.size
    other = replace(signed, signature=signed.signature[:-1] + bytes([signed.signature[-1] ^ 1]))
    with pytest.raises(Damaged):
        parse_head(other.packed())


def test_every_changed_byte_of_a_head_is_refused() -> None:
    raw = head().signed(KeySigner(generate())).packed()
    for at in range(len(raw)):
        changed = bytearray(raw)
        changed[at] ^= 1 << at % 8
        with pytest.raises(Damaged):
            parse_head(bytes(changed))


def resealed(raw: bytes, at: int, new: bytes) -> bytes:
    """A head in which somebody changed bytes on purpose, and made its own digest right again."""
    said = raw[:at] + new + raw[at + len(new) : -DIGEST]
    return said + hashlib.sha512(said).digest()


def test_row_18_numbers_beyond_their_bounds_are_refused_however_they_are_sealed() -> None:
    raw = head().packed()
    for at, form, values in (
        (8, "<I", (0, 1, HEAD + 1, (1 << 32) - 1)),
        (44, "<H", (0, 4, 65535)),  # number
        (46, "<H", (0, 4, 65535)),  # k
        (48, "<H", (0, 1, 65535)),  # n
        (50, "<I", (0, 1, LEAST_FRAME - 1, MOST_FRAME * 2, (1 << 32) - 1)),
        (54, "<Q", (0, FRAMES + 1, (1 << 64) - 1)),
        (62, "<Q", (0, 1, (1 << 64) - 1)),  # total
        (70, "<H", (0, 201, 65535)),  # banner
    ):
        for value in values:
            with pytest.raises(Damaged):
                parse_head(resealed(raw, at, struct.pack(form, value)))
    for at, new in ((12, b"\1"), (28, b"\xff"), (72, b"\xff"), (72, b"\n"), (96, b"\1")):  # set, id, banner, a root
        with pytest.raises(Damaged):
            parse_head(resealed(raw, at, new))


def test_pages_that_are_not_those_of_the_root_are_refused() -> None:
    one = head()
    with pytest.raises(Damaged):
        parse_head(replace(one, pages=bytes(len(one.pages))).packed())


@pytest.mark.parametrize("size", [0, 72, HEAD + 1, (1 << 32) - 1])
def test_row_18_a_head_of_any_size_is_not_read(size: int) -> None:
    with pytest.raises(Damaged):
        head_size(MAGIC + struct.pack("<I", size))


@given(st.binary(max_size=300), st.integers(0, 1000), st.binary(max_size=8), st.booleans())
def test_whatever_comes_is_a_head_or_damaged(raw: bytes, at: int, new: bytes, whole: bool) -> None:
    good = head().packed()
    for tried in (raw, good[:12] + raw, resealed(good, at % len(good), new) if whole else good[: at % len(good)]):
        try:
            parse_head(tried)
        except Damaged:
            pass
        else:
            assert tried == good or len(tried) == len(good)
    with suppress(Damaged):
        assert head_size(raw) <= HEAD


@given(st.integers(0, 1 << 50))
def test_a_padded_size_is_little_more_and_told_by_few_bits(size: int) -> None:
    more = padded(size)
    assert size <= more <= size * 1.13 + 1
    assert padded(more) == more
    assert (more & -more).bit_length() + 1 + more.bit_length().bit_length() >= more.bit_length()


@given(st.integers(0, 1 << 44), st.integers(1, 255), st.integers(0, 100))
@example((1 << 41) - 7, 1, 0)  # one byte more than one volume holds
@example((1 << 41) - 8, 1, 0)
def test_a_layout_holds_the_file_within_its_bounds(size: int, n: int, parity: int) -> None:
    if parity >= n:
        with pytest.raises(BadInput):
            counted(size, n, parity)
        return
    try:
        layout = counted(size, n, parity)
    except TooLarge:
        assert padded(size + 8) > (n - parity) * FRAMES * min(MOST_FRAME, STRIPE // n // 2)
        return
    assert layout.total >= size + 8
    assert layout.n * layout.frame <= STRIPE
    assert said_size(exact_size(size), layout) == size


def test_the_size_on_the_outside_is_the_padded_one() -> None:
    seen = {counted(size, 4, 1).total for size in range(30_000_000, 30_100_000, 99)}
    assert len(seen) == 1


@given(st.integers(0, 1 << 36), st.integers(10_000, 1 << 34), st.integers(0, 5))
def test_volumes_fit_their_medium_and_are_as_few_as_can_be(size: int, volume: int, parity: int) -> None:
    try:
        layout = planned(size, volume, parity, CARRIED)
    except TooLarge:
        return
    assert Head(layout, CARRIED, 1, (), b"").file_size <= volume
    if layout.k > 1:
        fewer = counted(size, layout.n - 1, parity)
        assert Head(fewer, CARRIED, 1, (), b"").file_size > volume


def test_a_file_that_255_volumes_do_not_hold() -> None:
    with pytest.raises(TooLarge):
        planned(1 << 40, 10_000, 2, CARRIED)
    with pytest.raises(TooLarge):
        counted(1 << 60, 10, 2)
    with pytest.raises(TooLarge):
        planned(1, 1 << 20, 255, CARRIED)


@pytest.mark.parametrize(
    ("id", "banner"), [(b"", "A"), (bytes(16), ""), (bytes(16), "A\nB"), (bytes(16), "A" * 201), (bytes(17), "A")]
)
def test_what_a_carrier_may_not_be_told(id: bytes, banner: str) -> None:
    with pytest.raises(BadInput):
        Carried(id, banner)


@pytest.mark.parametrize(
    ("k", "n", "frame", "frames"),
    [(0, 1, 4096, 1), (2, 1, 4096, 1), (1, 256, 4096, 1), (1, 1, 4097, 1), (1, 1, 2048, 1), (1, 1, 1 << 21, 1),
     (1, 1, 4096, 0), (1, 1, 4096, FRAMES + 1), (1, 65, 1 << 20, 1)],
)  # fmt: skip
def test_layouts_that_cannot_be(k: int, n: int, frame: int, frames: int) -> None:
    with pytest.raises(BadInput):
        Layout(k, n, frame, frames)


@pytest.mark.parametrize("told", [b"", b"\0" * 7, b"\xff" * 8, exact_size(2 * LEAST_FRAME - 7)])
def test_a_size_that_cannot_be_is_refused(told: bytes) -> None:
    with pytest.raises(Damaged):
        said_size(told, Layout(2, 3, LEAST_FRAME, 1))
