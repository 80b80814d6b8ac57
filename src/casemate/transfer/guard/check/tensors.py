"""The header of safetensors, read again by one expression for each tensor; every offset is counted anew."""

from __future__ import annotations

import re
from typing import Final

from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.verdict import held

__all__ = ["tensors"]

_METADATA: Final = re.compile(r'"__metadata__":\{"format":"(?:pt|np|tf|flax|jax|mlx|paddle)"\}')
_TENSOR: Final = re.compile(
    r'"([A-Za-z0-9._/:-]{1,512})":\{"dtype":"([A-Z0-9_]{2,7})","shape":\[((?:0|[1-9][0-9]{0,14}|,(?! ?,))*)\],'
    r'"data_offsets":\[(0|[1-9][0-9]{0,14}),(0|[1-9][0-9]{0,14})\]\}'
)
_BYTES: Final = (
    ("BOOL U8 I8 F8_E5M2 F8_E4M3", 1),
    ("I16 U16 F16 BF16", 2),
    ("I32 U32 F32", 4),
    ("I64 U64 F64", 8),
)
_WIDTH: Final = {name: size for names, size in _BYTES for name in names.split()}
_MOST: Final = 100_000


def tensors(canonical: bytes, rest: int, profile: Profile) -> bytes:
    """The same bytes, their header written from what was read. Raises Refused."""
    size = int.from_bytes(canonical[:8], "little")
    if len(canonical) < 8 or size > profile.header or size > len(canonical) - 8 or size % 8:
        raise held("guard-structure", "length of header")
    try:
        head = canonical[8 : 8 + size].decode("ascii")
    except UnicodeDecodeError:
        raise held("guard-encoding", "ASCII") from None
    body = head.rstrip(" ")
    if len(head) - len(body) > 7 or body[:1] != "{" or body[-1:] != "}":
        raise held("guard-structure", "header")
    made, end = _listed(body[1:-1])
    if end != len(canonical) - 8 - size + rest:
        raise held("guard-trailing", "after its tensors")
    text = ("{" + made + "}").encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + canonical[8 + size :]


def _listed(body: str) -> tuple[str, int]:
    """The tensors written again, and where the last one ends."""
    at = end = 0
    made: list[str] = []
    names: set[str] = set()
    last = ""
    metadata = _METADATA.match(body)
    if metadata is not None:
        made.append(metadata[0])
        at = metadata.end()
    while at < len(body):
        if made:
            if body[at] != ",":
                raise held("guard-structure", "header")
            at += 1
        found = _TENSOR.match(body, at)
        if found is None or len(names) >= _MOST:
            raise held("guard-structure", "tensor")
        name, dtype, first, to = found[1], found[2], int(found[4]), int(found[5])
        sides = found[3].split(",") if found[3] else []
        if name in names or name == "__metadata__" or len(sides) > 8 or "" in sides or dtype not in _WIDTH:
            raise held("guard-structure", "tensor")
        length = _WIDTH[dtype]
        for side in sides:
            length *= int(side)
        if (
            first != end
            or to - first != length
            or (length == 0 and names and to == first and _empty(made[-1]) and name < last)
        ):
            raise held("guard-structure", "offsets")
        names.add(name)
        last, end, at = name, to, found.end()
        shape = ",".join(str(int(side)) for side in sides)
        made.append(f'"{name}":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{first},{to}]}}')
    return ",".join(made), end


def _empty(written: str) -> bool:
    first, _, last = written.rpartition("[")[2].rstrip("]}").partition(",")
    return first == last
