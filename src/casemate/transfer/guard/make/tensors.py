"""safetensors: its header, read strictly and written anew. The numbers themselves cross as they are.

    8 bytes length (little endian) | header of JSON | data

The tensors fill the data in order, without a gap, an overlap or a byte beyond (github.com/huggingface/safetensors,
README, "Format"). Of the free text in `__metadata__` the word `format` alone crosses.
"""

from __future__ import annotations

import json
import struct
from math import prod
from typing import Any

from casemate.transfer.guard.make.records import Integral, loaded
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.verdict import held

__all__ = ["tensors"]

_BITS = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
    "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8,
}  # fmt: skip
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:")
_FRAMEWORKS = ("pt", "np", "tf", "flax", "jax", "mlx", "paddle")
_TENSORS = 100_000


def tensors(raw: bytes, rest: int, profile: Profile) -> bytes:
    """The file with its header written anew. `rest`: bytes of data beyond `raw`. Raises Refused."""
    if len(raw) < 8:
        raise held("guard-structure", "cut short")
    (size,) = struct.unpack_from("<Q", raw)
    if size > profile.header:
        raise held("guard-size", f"{profile.header:,} bytes of header")
    if size > len(raw) - 8:
        raise held("guard-structure", "cut short")
    head = raw[8 : 8 + size]
    if not head.startswith(b"{"):
        raise held("guard-structure", "header")
    said = loaded(head, profile)
    metadata = said.pop("__metadata__", {})
    if len(said) > _TENSORS:
        raise held("guard-count", f"{_TENSORS:,} tensors")
    listed = sorted(
        (_tensor(name, value) for name, value in said.items()), key=lambda each: (each[2], each[3], each[0])
    )
    end = 0
    for _, _, first, last, size_of, _ in listed:
        if first != end or last - first != size_of:
            raise held("guard-structure", "offsets")
        end = last
    total = len(raw) - 8 - size + rest
    if end > total:
        raise held("guard-structure", "cut short")
    if end < total:
        raise held("guard-trailing", "after its tensors")
    return _header(metadata, listed) + raw[8 + size :]


def _tensor(name: str, value: Any) -> tuple[str, str, int, int, int, list[int]]:
    if not 0 < len(name) <= 512 or not set(name) <= _NAME:
        raise held("guard-name", "tensor")
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise held("guard-structure", "tensor")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS or not isinstance(shape, list) or not isinstance(offsets, list):
        raise held("guard-structure", "tensor")
    if len(shape) > 8 or len(offsets) != 2:
        raise held("guard-structure", "tensor")
    sides, (first, last) = [_count(each) for each in shape], [_count(each) for each in offsets]
    return name, dtype, first, last, _BITS[dtype] * prod(sides), sides


def _count(said: Any) -> int:
    """A number of bytes or of a side; numbers come as they were written."""
    if not isinstance(said, Integral) or len(said) > 15 or not said.isdecimal():
        raise held("guard-structure", "number")
    return int(said)


def _header(metadata: Any, listed: list[tuple[str, str, int, int, int, list[int]]]) -> bytes:
    framework = metadata.get("format") if isinstance(metadata, dict) else None
    if metadata and not isinstance(metadata, dict):
        raise held("guard-structure", "metadata")
    made: dict[str, Any] = {"__metadata__": {"format": framework}} if framework in _FRAMEWORKS else {}
    for name, dtype, first, last, _, sides in listed:
        made[name] = {"dtype": dtype, "shape": sides, "data_offsets": [first, last]}
    text = json.dumps(made, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text
