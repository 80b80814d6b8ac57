"""A safetensors file as named arrays, and how floats become eight-bit integers.

A safetensors file is an 8-byte little-endian length, that many bytes of JSON and the raw tensors: no code in it, and
no library needed to read it. Every quantity here is one rounded IEEE operation per element, so the result is the same
bytes on every processor.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from casemate.errors import Damaged

__all__ = ["LIMIT", "Floats", "quantise", "read"]

Floats = NDArray[np.float32]

LIMIT: Final = 90
"""The largest absolute value of a quantised weight or activation. Processors without VNNI multiply 8-bit integers in
pairs and saturate the sum at 32767: activations in 0..180 and weights in -90..90 give at most 2 * 180 * 90 = 32400, so
the integers of a product are exact on every processor. With 127 a vector would depend on the processor's age."""


def read(data: bytes) -> dict[str, Floats]:
    """Every float32 tensor of a safetensors file, by name; Damaged where the file is not one."""
    try:
        (size,) = struct.unpack_from("<Q", data)
        header: dict[str, Any] = json.loads(data[8 : 8 + size])
        return {name: _tensor(data, 8 + size, entry) for name, entry in header.items() if entry.get("dtype") == "F32"}
    except (struct.error, ValueError, KeyError, AttributeError, TypeError) as error:
        raise Damaged(what=f"safetensors: {error}") from None


def _tensor(data: bytes, start: int, entry: Mapping[str, Any]) -> Floats:
    first, last = entry["data_offsets"]
    flat = np.frombuffer(data, dtype="<f4", count=(last - first) // 4, offset=start + first)
    return flat.reshape(entry["shape"]).astype(np.float32, copy=False)


def quantise(weight: Floats, axis: int, limit: int = LIMIT) -> tuple[NDArray[np.int8], Floats]:
    """Integers in -limit..limit and one scale per slice: `weight` is about integers * scales.

    `axis` is the one that a scale spans: 0 gives a scale for each column, 1 for each row.
    """
    peak = np.abs(weight).max(axis=axis, keepdims=True)
    scale = np.where(peak > 0, peak / np.float32(limit), np.float32(1)).astype(np.float32)
    integers = np.clip(np.rint(weight / scale), -limit, limit).astype(np.int8)
    return integers, scale
