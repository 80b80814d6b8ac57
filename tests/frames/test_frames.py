"""Frames: whole, bounded, or refused."""

from __future__ import annotations

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.frames import FrameError, decode, encode, read, receive, send, write

VALUES = st.recursive(st.none() | st.integers(-(2**60), 2**60) | st.text() | st.binary(), st.lists, max_leaves=8)


@given(st.lists(VALUES, max_size=4))
def test_what_is_sent_is_received(values: list[object]) -> None:
    pipe = io.BytesIO()
    for value in values:
        send(pipe, value)
    pipe.seek(0)
    assert [receive(pipe, object) for _ in values] == values
    assert receive(pipe, object) is None


@given(st.integers(1, 12))
def test_a_frame_that_stops_in_the_middle_is_none(cut: int) -> None:
    raw = encode("twelve bytes")
    pipe = io.BytesIO(raw[:cut])
    with pytest.raises(FrameError):
        receive(pipe, str)


def test_a_frame_beyond_its_bound_is_refused_before_it_is_read() -> None:
    with pytest.raises(FrameError, match="the bound is 4"):
        receive(io.BytesIO(encode("too long")), str, bound=4)


def test_another_type_is_refused() -> None:
    with pytest.raises(FrameError):
        decode(b"\xc1", str)


def test_streams_carry_the_same_frames() -> None:
    async def talk() -> None:
        got: list[object] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while (message := await read(reader, str)) is not None:
                got.append(message)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await write(writer, "one")
        await write(writer, "two")
        writer.close()
        await writer.wait_closed()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if len(got) == 2:
                break
        server.close()
        assert got == ["one", "two"]

    asyncio.run(talk())


def test_a_stream_that_stops_in_the_middle_is_no_end() -> None:
    async def talk() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(encode("cut")[:3])
        reader.feed_eof()
        with pytest.raises(FrameError):
            await read(reader, str)

    asyncio.run(talk())
