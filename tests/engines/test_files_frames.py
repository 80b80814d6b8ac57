"""A blob in frames: whoever changes their order, number, place or bytes is found out."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.engines import files_frames
from casemate.engines.files_frames import FRAME, SLACK, Opener, seal, sealed_size
from casemate.engines.key_store import KeyStore
from casemate.errors import Damaged

SIZES = (0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 7)
HEAD = 16
LENGTH = struct.Struct("<I")


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return KeyStore(tmp_path_factory.mktemp("keys"))


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def sealed(sealer: KeyStore, data: bytes, name: str = "n", class_id: str = "c") -> bytes:
    return b"".join(seal(sealer, class_id, name, data))


def read(sealer: KeyStore, raw: bytes, name: str = "n", class_id: str = "c") -> bytes:
    return b"".join(Opener(sealer, class_id, name, io.BytesIO(raw)).pieces())


def into(sealer: KeyStore, raw: bytes, name: str = "n", class_id: str = "c") -> bytes:
    opener = Opener(sealer, class_id, name, io.BytesIO(raw))
    return bytes(opener.whole(lambda size: memoryview(bytearray(size)), len(raw)))


WAYS: list[Callable[..., bytes]] = [read, into]


def cut(raw: bytes) -> tuple[bytes, list[bytes]]:
    """The head and the frames, each with its length before it."""
    frames, at = [], HEAD
    while at < len(raw):
        stop = at + LENGTH.size + LENGTH.unpack_from(raw, at)[0]
        frames.append(raw[at:stop])
        at = stop
    return raw[:HEAD], frames


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", SIZES)
def test_every_size_comes_back(sealer: KeyStore, size: int, way: Callable[..., bytes]) -> None:
    raw = sealed(sealer, content(size))
    assert way(sealer, raw) == content(size)
    assert len(cut(raw)[1]) == max(1, -(-size // FRAME))
    assert size < len(raw) <= sealed_size(size)


def test_no_piece_is_larger_than_a_frame(sealer: KeyStore) -> None:
    opener = Opener(sealer, "c", "n", io.BytesIO(sealed(sealer, content(2 * FRAME + 5))))
    assert [len(piece) for piece in opener.pieces()] == [FRAME, FRAME, 5]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("reordered", [1, 0, 2]),
        ("the last one first", [2, 0, 1]),
        ("doubled", [0, 0, 2]),
        ("one doubled at the end", [0, 1, 2, 2]),
        ("the last one missing", [0, 1]),
        ("one in the middle missing", [0, 2]),
        ("none", []),
    ],
)
def test_frames_stand_in_their_order_and_number(
    sealer: KeyStore, name: str, order: list[int], way: Callable[..., bytes]
) -> None:
    """Mutant: no place, or no mark of the last one, in what a frame is bound to."""
    head, frames = cut(sealed(sealer, content(3 * FRAME)))
    with pytest.raises(Damaged):
        way(sealer, head + b"".join(frames[at] for at in order))


@pytest.mark.parametrize("way", WAYS)
def test_a_shorter_blob_cannot_be_made_by_changing_the_head_too(sealer: KeyStore, way: Callable[..., bytes]) -> None:
    """Mutant: the size is not bound to the frames: two frames and a head that says so would open."""
    head, frames = cut(sealed(sealer, content(3 * FRAME)))
    for size in (2 * FRAME, 2 * FRAME - 1, 0):
        with pytest.raises(Damaged):
            way(sealer, head[:8] + struct.pack("<Q", size) + b"".join(frames[: max(1, size // FRAME)]))


@pytest.mark.parametrize("way", WAYS)
def test_frames_of_another_blob_or_class_do_not_open(sealer: KeyStore, way: Callable[..., bytes]) -> None:
    """Mutant: the name is not bound to the frames. Same sizes, same places: only the name or the class differs."""
    raw = sealed(sealer, content(2 * FRAME))
    head, frames = cut(raw)
    for name, class_id in (("other", "c"), ("n", "other")):
        with pytest.raises(Damaged):
            way(sealer, raw, name, class_id)
        _, others = cut(sealed(sealer, content(2 * FRAME), name, class_id))
        for mixed in ([frames[0], others[1]], [others[0], frames[1]]):
            with pytest.raises(Damaged):
                way(sealer, head + b"".join(mixed))


@pytest.mark.parametrize("way", WAYS)
def test_a_head_that_promises_more_than_lies_there_takes_no_memory(
    sealer: KeyStore, way: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = sealed(sealer, b"content")
    huge = raw[:8] + struct.pack("<Q", 1 << 60) + raw[HEAD:]
    with pytest.raises(Damaged):
        way(sealer, huge)
    opener = Opener(sealer, "c", "n", io.BytesIO(huge))
    with pytest.raises(Damaged):
        opener.whole(lambda size: pytest.fail("asked for memory"), len(huge))


@pytest.mark.parametrize("way", WAYS)
def test_what_was_sealed_whole_is_none_of_these(sealer: KeyStore, way: Callable[..., bytes]) -> None:
    for raw in (sealer.seal("c", "blob", b"content", b"n"), b"", b"CMBLOB\x00\x01", b"CMBLOB\x00\x02" + bytes(8)):
        with pytest.raises(Damaged):
            way(sealer, raw)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), size=st.sampled_from((0, 5, FRAME + 9)))
def test_any_change_is_damage(sealer: KeyStore, data: st.DataObject, size: int) -> None:
    whole = sealed(sealer, content(size))
    raw = bytearray(whole)
    match data.draw(st.sampled_from(("flip", "cut", "add", "drop"))):
        case "flip":
            at = data.draw(st.one_of(st.integers(0, min(60, len(raw) - 1)), st.integers(0, len(raw) - 1)))
            raw[at] ^= data.draw(st.integers(1, 255))
        case "cut":
            del raw[data.draw(st.integers(0, len(raw) - 1)) :]
        case "add":
            raw += data.draw(st.binary(min_size=1, max_size=40))
        case _:
            del raw[data.draw(st.integers(0, len(raw) - 1))]
    for way in WAYS:
        with pytest.raises(Damaged):
            way(sealer, bytes(raw))


def test_a_sealer_that_gives_back_another_size_is_damage(sealer: KeyStore) -> None:
    class Odd:
        def seal(self, class_id: str, purpose: str, plaintext: memoryview, aad: bytes) -> bytes:
            return b"x" * (len(plaintext) + 1)

        def open(self, class_id: str, purpose: str, raw: memoryview, aad: bytes) -> bytes:
            return b"x" * len(raw)

    with pytest.raises(Damaged):
        read(Odd(), sealed(Odd(), b"content"))  # type: ignore[arg-type]


def test_a_frame_that_claims_to_be_long_is_not_read(sealer: KeyStore) -> None:
    head, frames = cut(sealed(sealer, content(10)))
    for told in (10, 10 + SLACK + 1, 0xFFFFFFFF):
        with pytest.raises(Damaged):
            read(sealer, head + LENGTH.pack(told) + frames[0][4:] + bytes(SLACK))
    assert files_frames.SLACK < FRAME


def test_a_disk_that_fails_in_the_middle_is_damage(sealer: KeyStore) -> None:
    class Failing(io.BytesIO):
        def readinto(self, into: memoryview) -> int:  # type: ignore[override]
            if self.tell() > FRAME:
                raise OSError(5, "no")
            return super().readinto(into)

    pieces = Opener(sealer, "c", "n", Failing(sealed(sealer, content(2 * FRAME)))).pieces()
    assert len(next(pieces)) == FRAME
    with pytest.raises(Damaged):
        next(pieces)


def test_a_frame_is_bound_to_the_head_its_place_the_last_one_and_the_name() -> None:
    """Each by itself, though one would often do for another: mutants that leave out any of the four."""

    bound: list[bytes] = []

    class Noting:
        def seal(self, class_id: str, purpose: str, plaintext: memoryview, aad: bytes) -> bytes:
            bound.append(aad)
            return bytes(plaintext)

    size = 2 * FRAME + 5
    list(seal(Noting(), "c", "name", content(size)))  # type: ignore[arg-type]
    head = struct.pack("<8sQ", b"CMBLOB\x00\x01", size)
    assert bound == [head + struct.pack("<QB", at, at == 2) + b"name" for at in range(3)]
