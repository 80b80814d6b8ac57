"""Manifests, heartbeats, gap codes, lengths, files of a drop directory: what was written is read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.crypto import KeySigner, SigningProfile, generate
from casemate.errors import BadInput
from casemate.transfer import diode
from casemate.transfer.diode import (
    Gaps,
    Heartbeat,
    Manifest,
    Offer,
    padded,
    ranges,
    read_gaps,
    read_message,
    write_gaps,
)
from casemate.transfer.diode.gapcode import RANGES
from casemate.transfer.diode.heartbeat import Pulse
from casemate.transfer.diode.message import LARGEST
from tests.transfer.diode.sim import HEART, KEY, OTHER, PUBLIC, Bytes, manifest_of

LOW = b"low1"
MANIFEST = Manifest(bytes(16), 3, 9, 5_000_000, bytes(64), True, "TRÈS SECRET")
BEAT = Heartbeat(bytes(range(16)), 4, 9, 1_790_000_000_000_000)


def refused(data: bytes) -> bool:
    try:
        read_message(data, PUBLIC)
    except BadInput:
        return True
    return False


@pytest.mark.parametrize("profile", ["ed25519", "cnsa2", "hybrid"])
def test_messages_are_read_as_they_were_written(profile: SigningProfile) -> None:
    signer = KeySigner(generate(profile))
    assert read_message(MANIFEST.encode(), signer.public) == MANIFEST
    data = BEAT.encode(signer)
    assert read_message(data, signer.public) == BEAT
    with pytest.raises(BadInput):
        read_message(data, KeySigner(generate(profile)).public)


def test_every_byte_of_a_heartbeat_is_signed() -> None:
    data = BEAT.encode(KeySigner(HEART))
    for position in range(len(data)):
        assert refused(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        assert refused(data[:position])


@pytest.mark.parametrize(
    "manifest",
    [
        Manifest(bytes(16), 0, 0, 1, bytes(64), False),
        Manifest(bytes(16), 1, 0, 0, bytes(64), False),
        Manifest(bytes(16), 1, 0, LARGEST + 1, bytes(64), False),
        Manifest(bytes(16), 1, diode.MESSAGES - 1, 2 << 20, bytes(64), False),
        Manifest(bytes(16), 1, 0, 1, bytes(64), False, "a\x1b[31m"),
        Manifest(bytes(16), 1, 0, 1, bytes(64), False, "a\u202eb"),
        Manifest(bytes(16), 1, 0, 1, bytes(64), False, "x" * 201),
    ],
)
def test_a_manifest_beyond_its_bounds_is_refused(manifest: Manifest) -> None:
    assert refused(manifest.encode())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3), st.integers(0, 200))
def test_row_07_no_message_raises_anything_else(data: bytes, kind: int, cut: int) -> None:
    whole = MANIFEST.encode()
    for given_ in (data, bytes([kind]) + data, whole[:cut], whole[:cut] + data):
        if given_ == whole:
            continue
        refused(given_)


# ---- gap codes -----------------------------------------------------------------------------------------------------

GAPS = st.builds(
    lambda sequence, numbers: Gaps(sequence, None if numbers is None else ranges(sorted(numbers), RANGES)),
    st.integers(1, 10**9),
    st.none() | st.sets(st.integers(0, 10**6), max_size=60),
)


@settings(max_examples=200, deadline=None)
@given(GAPS, st.sampled_from([" ", ", ", ".", " / "]))
def test_a_gap_code_is_heard_as_it_was_told(gaps: Gaps, between: str) -> None:
    code = write_gaps(KEY, LOW, gaps)
    assert read_gaps(KEY, LOW, code) == gaps
    assert read_gaps(KEY, LOW, code.replace(".", between).lower()) == gaps
    assert len(code) < 600


def test_what_was_misheard_or_is_another_links_is_refused() -> None:
    code = write_gaps(KEY, LOW, Gaps(7, ((3, 9), (12, 12))))
    assert code.startswith("7.3-9.12.")
    wrong = 0
    for place, sign in enumerate(code):
        for other in "0123456789":
            if sign.isdigit() and other != sign:
                with pytest.raises(BadInput):
                    read_gaps(KEY, LOW, code[:place] + other + code[place + 1 :])
                wrong += 1
    assert wrong > 30
    for link, sender in ((OTHER, LOW), (KEY, b"low2")):
        with pytest.raises(BadInput):
            read_gaps(link, sender, code)


@pytest.mark.parametrize(
    "code", ["", "7", "7.3", "0.3.AAA", "x.3.AAA", "7.9-3.AAA", "7.3.3.AAA", "7.ALL.NONE.AAA", "7.3.ÄÄÄ", "7." * 400]
)
def test_what_is_no_gap_code_is_refused(code: str) -> None:
    with pytest.raises(BadInput):
        read_gaps(KEY, LOW, code)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(BadInput):
        read_gaps(KEY, LOW, text)


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 3000)), st.integers(1, 30))
def test_ranges_hold_every_number_and_are_no_more_than_asked(numbers: set[int], most: int) -> None:
    exact = ranges(sorted(numbers))
    assert [number for first, last in exact for number in range(first, last + 1)] == sorted(numbers)
    few = ranges(sorted(numbers), most)
    assert len(few) <= most
    assert numbers <= {number for first, last in few for number in range(first, last + 1)}


# ---- lengths -------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1 << 44))
def test_the_wire_sees_few_lengths(length: int) -> None:
    size = padded(length)
    assert length + 8 <= size <= max(64, (length + 8) * 1.12)
    assert diode.true_length(size, length.to_bytes(8, "big")) == length
    assert padded(size - 8) == size
    if size > diode.BLOCK:
        assert size % diode.BLOCK % 32768 == 0


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=5000), st.sampled_from([512, 4096]))
def test_blocks_are_the_object_zeros_and_its_length(data: bytes, block: int) -> None:
    size = padded(len(data))
    blocks = [diode.block_of(Bytes(data).read, len(data), index, block) for index in range(-(-size // block))]
    whole = b"".join(blocks)
    assert (len(whole), whole[: len(data)], whole[-8:]) == (size, data, len(data).to_bytes(8, "big"))


def test_a_length_that_is_not_of_that_size_is_refused() -> None:
    for size, ending in ((64, (65).to_bytes(8, "big")), (128, (2).to_bytes(8, "big")), (64, b"")):
        with pytest.raises(BadInput):
            diode.true_length(size, ending)
    with pytest.raises(BadInput):
        diode.block_of(Bytes(b"short").read, 900, 0, 1 << 20)


# ---- heartbeats ----------------------------------------------------------------------------------------------------


def test_a_heartbeat_counts_once_and_only_of_the_latest_run() -> None:
    pulse = Pulse(0)
    assert pulse.heard(BEAT, 10, latest=True)
    assert not pulse.heard(BEAT, 20, latest=True)
    assert not pulse.heard(Heartbeat(BEAT.session, 99, 9, 5), 20, latest=False)
    for number in range(40):
        assert pulse.heard(Heartbeat(number.to_bytes(16, "big"), 1, 1, 1), 30, latest=True)
    assert len(pulse._count) <= 16


# ---- files of a drop directory -------------------------------------------------------------------------------------


def test_a_dropped_file_says_what_it_is_and_every_byte_of_its_head_is_proven() -> None:
    whole = Bytes(b"x" * 3000)
    manifest = manifest_of(whole, 5)
    data = b"".join(diode.dropped(KEY, LOW, Offer(manifest, whole)))
    found = diode.read_head(KEY, data)
    assert found is not None
    sender, told, at = found
    assert (sender, told, len(data) - at) == (LOW, manifest, manifest.size)
    for position in range(at):
        assert diode.read_head(KEY, data[:position]) is None
        wrong = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 : at]
        try:
            assert diode.read_head(KEY, wrong) is None
        except BadInput:
            continue
    with pytest.raises(BadInput):
        diode.read_head(OTHER, data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=1100), st.booleans())
def test_no_file_raises_anything_else(data: bytes, ours: bool) -> None:
    try:
        assert diode.read_head(KEY, b"CMO1" + data if ours else data) is None
    except BadInput:
        return
