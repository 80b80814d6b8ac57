"""An ONNX file, written with nothing but the protobuf wire format.

It knows the few messages that an encoder's graph needs (model, graph, node, attribute, tensor) and writes them in a
fixed order, so the same graph is the same bytes everywhere. It must never read a model, and never guess a shape.

Source: onnx/onnx.proto (ONNX IR version 10) and the protobuf encoding (varint, 32-bit and length-delimited fields).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Graph"]

IR_VERSION: Final = 10
OPSET: Final = 21
_TYPES: Final = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}

Attribute = int | float | str | Sequence[int]


def _varint(value: int) -> bytes:
    """A protobuf varint; a negative number is its 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _single(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _message(field: int, value: bytes | str) -> bytes:
    body = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: the value in the field of its type, and that type's number (field 20)."""
    head = _message(1, name)
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, 2)
    if isinstance(value, float):
        return head + _single(2, value) + _number(20, 1)
    if isinstance(value, str):
        return head + _message(4, value) + _number(20, 3)
    return head + b"".join(_number(8, item) for item in value) + _number(20, 7)


def _tensor(name: str, array: NDArray[Any]) -> bytes:
    """TensorProto with raw little-endian data."""
    dims = b"".join(_number(1, size) for size in array.shape)
    data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return dims + _number(2, _TYPES[array.dtype.name]) + _message(8, name) + _message(9, data)


def _value(name: str, kind: str, shape: Sequence[int | str]) -> bytes:
    """ValueInfoProto: a name, an element type and dimensions, each a number or a named unknown."""
    dims = (_number(1, size) if isinstance(size, int) else _message(2, size) for size in shape)
    tensor = _number(1, _TYPES[kind]) + _message(2, b"".join(_message(1, dim) for dim in dims))
    return _message(1, name) + _message(2, _message(1, tensor))


class Graph:
    """A graph under construction: each call adds a node and returns the name of its output."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._tensors: dict[str, bytes] = {}
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []

    def input(self, name: str, kind: str, *shape: int | str) -> str:
        """Declare what the caller gives."""
        self._inputs.append(_value(name, kind, shape))
        return name

    def output(self, name: str, kind: str, *shape: int | str) -> None:
        """Declare what the caller gets; `name` is a node's output."""
        self._outputs.append(_value(name, kind, shape))

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """A named tensor of the file. The same name again must be the same tensor."""
        tensor = _tensor(name, array)
        if self._tensors.setdefault(name, tensor) != tensor:
            raise ValueError(f"two tensors named {name}")
        return name

    def node(self, op: str, *inputs: str, name: str = "", **attributes: Attribute) -> str:
        """A node with one output."""
        return next(self.nodes(op, *inputs, count=1, name=name, **attributes))

    def nodes(self, op: str, *inputs: str, count: int, name: str = "", **attributes: Attribute) -> Iterator[str]:
        """A node with `count` outputs, in their order."""
        stem = name or f"{op}_{len(self._nodes)}"
        outputs = [stem] if count == 1 else [f"{stem}.{index}" for index in range(count)]
        self._nodes.append(
            b"".join(_message(1, one) for one in inputs)
            + b"".join(_message(2, one) for one in outputs)
            + _message(3, stem)
            + _message(4, op)
            + b"".join(_message(5, _attribute(key, value)) for key, value in sorted(attributes.items()))
        )
        return iter(outputs)

    def model(self, producer: str, notes: dict[str, str]) -> bytes:
        """ModelProto: the whole file."""
        graph = (
            b"".join(_message(1, node) for node in self._nodes)
            + _message(2, self._name)
            + b"".join(_message(5, tensor) for tensor in self._tensors.values())
            + b"".join(_message(11, value) for value in self._inputs)
            + b"".join(_message(12, value) for value in self._outputs)
        )
        standard = _message(8, _message(1, "") + _number(2, OPSET))
        properties = (_message(14, _message(1, key) + _message(2, value)) for key, value in sorted(notes.items()))
        return _number(1, IR_VERSION) + _message(2, producer) + _message(7, graph) + standard + b"".join(properties)
