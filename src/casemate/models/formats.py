"""What a file of a model is, by its content alone: its name is never believed, and nothing of it is run or unpacked.

Accepted are safetensors, GGUF, ONNX, JSON and plain text. A pickle, or an archive that can hold one, is refused
whatever it is called. Each look is bounded: heads are read, never whole weights. Pure over a `Bytes`.
"""

from __future__ import annotations

import json
import pickletools
import struct
from typing import Any, Literal, Protocol

__all__ = ["Bytes", "Format", "NotAModel", "Pickle", "recognised"]

Format = Literal["safetensors", "gguf", "onnx", "json", "text"]

WINDOW = 64 << 10  # bytes in which a pickle has to show itself
HEADER = 32 << 20  # bytes of a safetensors header; the format itself allows 100 MB
TENSORS = 200_000
KEYS = 1 << 16
TEXT = 16 << 20  # bytes of a JSON or text file
FIELDS = 4096  # top-level fields of an ONNX file that are walked
_SIZES = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\x93NUMPY")
_ONNX = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Fields of ModelProto and their wire types (onnx.proto3, and 26: configuration of IR version 11)."""


class Bytes(Protocol):
    """A file of known size that is read where somebody asks."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def at(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from there."""
        ...


class NotAModel(Exception):
    """The file is nothing that is accepted. `format` is what it began like, "" for nothing known."""

    def __init__(self, format: str = "", why: str = "") -> None:
        super().__init__(why)
        self.format = format
        self.why = why


class Pickle(NotAModel):
    """The file can run what it holds."""


def recognised(file: Bytes) -> Format:
    """What the file is. Raises Pickle, or NotAModel."""
    head = file.at(0, WINDOW)
    if head.startswith(_ARCHIVES) or _pickled(head):
        raise Pickle
    if head.startswith(b"GGUF"):
        _gguf(file)
        return "gguf"
    if head[8:9] == b"{" and len(head) > 9:
        _safetensors(file)
        return "safetensors"
    if head[:1] == b"\x80":
        raise Pickle
    if head[:1] == b"\x08" and file.size > 2:
        _onnx(file)
        return "onnx"
    return _words(file)


def _pickled(head: bytes) -> bool:
    """Whether these bytes are read as a pickle to its end. Opcodes are named, none is followed."""
    try:
        for opcode, _, _ in pickletools.genops(head):
            if opcode.name == "STOP":
                return True
    except Exception:  # noqa: BLE001 - whatever the walk trips over, it was no pickle to its end
        return False
    return False  # pragma: no cover - genops ends with STOP or raises


# ---- GGUF (ggml's docs/gguf.md) -----------------------------------------------------------------------------------


def _gguf(file: Bytes) -> None:
    head = file.at(0, 24)
    if len(head) < 24:
        raise NotAModel("gguf", "the header is cut off")
    version, tensors, keys = struct.unpack_from("<IQQ", head, 4)
    if version not in (2, 3):
        raise NotAModel("gguf", "the version is none of 2 and 3")
    if tensors > TENSORS or keys > KEYS:
        raise NotAModel("gguf", "it counts more than a model has")
    # A key has at least a length, a type and a value of one byte; a tensor a length, dimensions, a type and an offset.
    if 24 + keys * 13 + tensors * 24 > file.size:
        raise NotAModel("gguf", "it counts more than the file can hold")


# ---- safetensors (huggingface/safetensors, "Format") --------------------------------------------------------------


def _safetensors(file: Bytes) -> None:
    (length,) = struct.unpack("<Q", file.at(0, 8))
    if length > HEADER or 8 + length > file.size:
        raise NotAModel("safetensors", "the header is longer than it may be")
    try:
        header = json.loads(file.at(8, length).decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NotAModel("safetensors", "the header is not JSON, or says something twice") from None
    if not isinstance(header, dict):  # pragma: no cover - it begins with a brace
        raise NotAModel("safetensors", "the header is no object")
    told = header.pop("__metadata__", {})
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise NotAModel("safetensors", "its metadata are not texts")
    if len(header) > TENSORS:
        raise NotAModel("safetensors", "it has too many tensors")
    end = 0
    for begins, ends in sorted(_extent(tensor) for tensor in header.values()):
        if begins != end:
            raise NotAModel("safetensors", "its tensors overlap or leave holes")
        end = ends
    if 8 + length + end != file.size:
        raise NotAModel("safetensors", "its tensors are not the rest of the file")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _extent(tensor: Any) -> tuple[int, int]:
    """Where a tensor's bytes lie, if that is as many as its shape and type need."""
    bad = NotAModel("safetensors", "a tensor's type, shape or place cannot be")
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise bad
    shape, place = tensor["shape"], tensor["data_offsets"]
    bits = _SIZES.get(tensor["dtype"]) if isinstance(tensor["dtype"], str) else None
    if bits is None or not _counts(shape, 32) or not _counts(place, 2) or len(place) != 2:
        raise bad
    for size in shape:
        bits *= size
        if bits > 1 << 60:
            raise bad
    if bits % 8 or place[1] - place[0] != bits // 8:
        raise bad
    return place[0], place[1]


def _counts(value: Any, most: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(type(each) is int and 0 <= each <= 1 << 56 for each in value)
    )


# ---- ONNX (onnx.proto3, ModelProto) -------------------------------------------------------------------------------


def _onnx(file: Bytes) -> None:
    """The top-level fields are walked; what they hold is skipped. A model has a graph and says its operator sets."""
    place, seen = 0, set()
    for _ in range(FIELDS):
        if place >= file.size:
            break
        key, place = _varint(file, place)
        field, wire = key >> 3, key & 7
        if _ONNX.get(field) != wire:
            raise NotAModel("onnx", "a field is none of a model's")
        value, place = _varint(file, place)
        if wire == 2:
            place += value
        elif field == 1 and not 1 <= value <= 64:
            raise NotAModel("onnx", "the version cannot be")
        if place > file.size:
            raise NotAModel("onnx", "a field is longer than the file")
        seen.add(field)
    if place < file.size or not {1, 7, 8} <= seen:
        raise NotAModel("onnx", "it has no graph, no operator sets, or too many fields")


def _varint(file: Bytes, place: int) -> tuple[int, int]:
    value = 0
    for number, byte in enumerate(file.at(place, 10)):
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value, place + number + 1
    raise NotAModel("onnx", "a number has no end")


# ---- words --------------------------------------------------------------------------------------------------------


def _words(file: Bytes) -> Format:
    if file.size > TEXT:
        raise NotAModel
    raw = file.at(0, TEXT)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise NotAModel from None
    if any(ord(letter) < 32 and letter not in "\t\n\r\f" for letter in text):
        raise NotAModel
    if text[:1] not in ("{", "["):
        return "text"
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return "text"
    return "json"
