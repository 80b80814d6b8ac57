"""A datagram: every byte of it is proven, and nothing that is not ours raises anything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import BadInput
from casemate.transfer.diode import MESSAGES, OVERHEAD, Reader, Sessions, Writer, encoded, new_session
from casemate.transfer.diode.datagram import BLOCK, MESSAGE
from casemate.transfer.diode.session import LATEST, SENDERS

LINK = bytes(32)
SYMBOL = 64
SESSION = new_session(b"low1", 1, bytes(8))


def written(block: int = 3, size: int = 100, session: bytes = SESSION, place: int = 0) -> bytes:
    packet = place.to_bytes(4, "big") + bytes(range(64))
    [datagram] = Writer(LINK, session).write([(Writer.middle(block, size), packet)])
    return datagram


def reader() -> Reader:
    return Reader(LINK, SYMBOL, Sessions())


def test_what_was_written_is_read() -> None:
    packets = encoded(bytes(100), SYMBOL, 3)
    writer = Writer(LINK, SESSION)
    found = [reader().read(each) for each in writer.write((Writer.middle(7, 100), packet) for packet in packets)]
    assert [piece and (piece.session, piece.number, piece.block, piece.size, piece.packet) for piece in found] == [
        (SESSION, number, 7, 100, packet) for number, packet in enumerate(packets)
    ]


def test_row_06_every_byte_of_a_datagram_is_proven() -> None:
    """Each position is changed; before and after its session was heard."""
    datagram = written()
    assert len(datagram) == SYMBOL + OVERHEAD
    fresh, used = reader(), reader()
    assert used.read(datagram) is not None
    for position in range(len(datagram)):
        for flip in (1, 0x80):
            wrong = datagram[:position] + bytes([datagram[position] ^ flip]) + datagram[position + 1 :]
            assert fresh.read(wrong) is None, position
            assert used.read(wrong) is None, position
    assert fresh.sessions.known() == ()
    assert fresh.read(datagram) is not None


def test_the_memory_for_strangers_is_bounded() -> None:
    found = reader()
    for number in range(100):
        wrong = bytearray(written(session=new_session(b"low1", number + 1, bytes(8))))
        wrong[-1] ^= 1
        assert found.read(bytes(wrong)) is None
    assert len(found._ready) <= 8
    assert found.dropped["forged"] == 100


@pytest.mark.parametrize(
    ("block", "size", "place"),
    [
        (0, 0, 0),
        (0, BLOCK + 1, 0),
        (MESSAGES, MESSAGE + 1, 0),
        (0, 100, 0x00FFFFFF),
        (0, 100, 0x01000000),
    ],
)
def test_what_is_proven_and_beyond_the_bounds_is_dropped(block: int, size: int, place: int) -> None:
    found = reader()
    assert found.read(written(block, size, place=place)) is None
    assert found.dropped["bounds"] == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=SYMBOL + OVERHEAD + 20), st.binary(min_size=SYMBOL + OVERHEAD, max_size=SYMBOL + OVERHEAD))
def test_row_07_no_bytes_raise_anything(short: bytes, whole: bytes) -> None:
    found = reader()
    for given_ in (short, whole, b"CMD1" + whole[4:], b"CMD1" + SESSION + whole[20:]):
        assert found.read(given_) is None
        assert found.read(memoryview(given_)) is None
    assert sum(found.dropped.values()) == 8


def test_the_latest_sessions_of_each_sender_count_and_older_ones_do_not() -> None:
    runs = [new_session(b"low1", number, bytes(8)) for number in range(1, 8)]
    sessions = Sessions(runs)
    assert sessions.known() == tuple(runs[-LATEST:])
    assert [sessions.judge(run) for run in runs] == ["replayed"] * 3 + ["known"] * LATEST
    assert sessions.judge(new_session(b"low1", 7, b"another.")) == "replayed"
    assert not sessions.admit(runs[0])
    assert sessions.latest(runs[-1])
    assert not sessions.latest(runs[-2])
    assert not sessions.latest(new_session(b"low2", 1, bytes(8)))
    full = Sessions(new_session(number.to_bytes(4, "big"), 1, bytes(8)) for number in range(SENDERS))
    assert full.judge(new_session(b"more", 1, bytes(8))) == "senders"


@pytest.mark.parametrize(
    ("sender", "generation", "drawn"), [(b"abc", 1, 8), (b"abcd", 0, 8), (b"abcd", 2**32, 8), (b"abcd", 1, 7)]
)
def test_a_session_has_its_form(sender: bytes, generation: int, drawn: int) -> None:
    with pytest.raises(BadInput):
        new_session(sender, generation, bytes(drawn))
