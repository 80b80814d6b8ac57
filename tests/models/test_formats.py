"""What a file is, by its content: the formats, their bounds, and pickles under any name."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casemate.models.formats import NotAModel, Pickle, recognised
from tests.models.weights import gguf, onnx, safetensors


@dataclass
class Raw:
    """Bytes that count how much of them was read."""

    data: bytes
    length: int = -1
    read: int = 0

    @property
    def size(self) -> int:
        return self.length if self.length >= 0 else len(self.data)

    def at(self, offset: int, count: int) -> bytes:
        found = self.data[offset : offset + count]
        self.read += len(found)
        return found


class Evil:
    def __reduce__(self) -> Any:
        return print, ("run",)


def torch_zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Evil()))
    return made.getvalue()


def npy() -> bytes:
    made = io.BytesIO()
    np.save(made, np.array([Evil()], dtype=object), allow_pickle=True)
    return made.getvalue()


def tensors(**told: Any) -> bytes:
    return safetensors({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4], **told}})


ACCEPTED = {
    "safetensors": [
        safetensors(),
        safetensors({"__metadata__": {"format": "pt"}}, b""),
        safetensors({}, b""),
        tensors(dtype="F32", shape=[]),
        tensors(dtype="F4", shape=[8]),
    ],
    "gguf": [gguf(), gguf(2), gguf(3, 1, 1, b"." * 37)],
    "onnx": [onnx(), onnx(64)],
    "json": [b"{}", b'["a"]'],
    "text": [b"Read me.\n", b"", b"{ not JSON", b"# Title", "é".encode(), b"[" * 10_000],
}
PICKLES = {
    **{f"protocol {n}": pickle.dumps(Evil(), protocol=n) for n in (0, 2, 3, 4, 5)},
    "torch zip": torch_zip(),
    "empty zip": b"PK\x05\x06" + b"\0" * 18,
    "numpy objects": npy(),
    "torch legacy": pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + pickle.dumps(Evil(), protocol=2),
    "cut off": b"\x80\x04\x95",
    "a text that runs": b"cos\nsystem\n(S'true'\ntR.",
    "before safetensors": b"\x80\x02N." + safetensors(),
}
BROKEN = {
    "gguf": [
        gguf()[:20], gguf(1), gguf(4), gguf(3, 10**6), gguf(3, 0, 10**6), gguf(3, 1), gguf(3, 2**63, 2**63),
    ],
    "safetensors": [
        safetensors()[:-1], safetensors() + b"x", struct.pack("<Q", 1 << 40) + b"{}", safetensors(b"{]", b""),
        safetensors(b'{"a":{},"a":{}}'), safetensors({"__metadata__": 3}), safetensors({"__metadata__": {"a": 1}}),
        tensors(shape=[5]), tensors(shape=[-4]), tensors(shape=[1 << 57]), tensors(shape=[1 << 50, 1 << 50]),
        tensors(shape=[4.0]), tensors(shape=[True]), tensors(shape=[1] * 33), tensors(dtype="PY"), tensors(dtype=3),
        tensors(data_offsets=[0]), tensors(data_offsets=[4, 0]), tensors(data_offsets=[1, 5]), tensors(more=1),
        safetensors({"w": []}), safetensors(b"{" * 100_000), tensors(dtype="F4", shape=[1]),
        safetensors({n: {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]} for n in "ab"}),
    ],
    "onnx": [
        onnx()[:-1], onnx(0), onnx(65), onnx(opsets=b""), b"\x08\x08" * 5000, b"\x08" + b"\xff" * 12,
        onnx() + b"\x4a\x00", onnx() + b"\x3a\x7f", onnx() + b"\x38\x01",
    ],
    "": [b"\x00\x01\x02", b"\xff\xfe", b"a\x00b", b"\x1f\x8b\x08\x00", b"\x89HDF\r\n\x1a\n", b"x" * (17 << 20)],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "data"), [(kind, data) for kind, each in ACCEPTED.items() for data in each])
def test_what_is_accepted(kind: str, data: bytes) -> None:
    assert recognised(Raw(data)) == kind


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_a_pickle_whatever_it_is_called(name: str) -> None:
    with pytest.raises(Pickle):
        recognised(Raw(PICKLES[name]))


@pytest.mark.parametrize(("kind", "data"), [(kind, data) for kind, each in BROKEN.items() for data in each])
def test_what_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(NotAModel) as told:
        recognised(Raw(data))
    assert (told.value.format, type(told.value)) == (kind, NotAModel)


def test_too_many_tensors() -> None:
    many = b"{" + b",".join(b'"%d":{}' % n for n in range(200_001)) + b"}"
    with pytest.raises(NotAModel, match="too many"):
        recognised(Raw(safetensors(many, b"")))


def test_a_header_that_begins_like_a_pickle_is_judged_to_its_end() -> None:
    header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}).encode()
    assert recognised(Raw(safetensors(header.ljust(0x280)))) == "safetensors"


def test_weights_are_not_read() -> None:
    size = 1 << 40
    raw = safetensors({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}, b"")
    file = Raw(raw, len(raw) + size)
    assert recognised(file) == "safetensors"
    assert file.read < 1000
    graph = Raw(b"\x08\x08\x3a\x80\x80\x80\x80\x10", 8 + (1 << 32))
    with pytest.raises(NotAModel):
        recognised(graph)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.builds(
            lambda good, at, put: good[: at % (len(good) + 1)] + put + good[at % (len(good) + 1) :],
            st.sampled_from([safetensors(), gguf(), onnx(), pickle.dumps(Evil())]),
            st.integers(0, 200),
            st.binary(max_size=8),
        ),
        st.binary(max_size=80).map(lambda tail: b"GGUF" + tail),
        st.binary(max_size=80).map(lambda tail: b"\x08\x07" + tail),
        st.text(max_size=80).map(lambda text: safetensors(text.encode(errors="replace"), b"")),
    )
)
@example(b"")
def test_anything_is_judged_within_bounds(data: bytes) -> None:
    file = Raw(data)
    with contextlib.suppress(NotAModel):
        recognised(file)
    assert file.read <= 12 * len(data) + 64
