"""CycloneDX 1.6 bills of materials for models: what came with one is checked against its files, and ours is written.

A bill says nothing that is believed, and may say nothing wrong: a digest in it that is not the file's ends the import.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from casemate.clock import iso
from casemate.models.record import FileDigest, ModelRecord

__all__ = ["BadBill", "billed", "is_bill", "written"]

LONGEST = 8 << 20
MOST = 10_000
DEPTH = 8
_ALGORITHMS = {"SHA-256": 64, "SHA-384": 96}
_KIND = "machine-learning-model"
_HEX = re.compile(r"[0-9a-fA-F]*")


class BadBill(Exception):
    """The bill does not hold; the text says why."""


class _Hash(msgspec.Struct, frozen=True):
    alg: str
    content: str


class _Component(msgspec.Struct, frozen=True):
    type: str
    name: str
    hashes: tuple[_Hash, ...] = ()
    components: tuple[_Component, ...] = ()


class _Metadata(msgspec.Struct, frozen=True):
    component: _Component | None = None


class _Bill(msgspec.Struct, frozen=True, rename="camel"):
    bom_format: Literal["CycloneDX"]
    spec_version: Literal["1.5", "1.6"]
    metadata: _Metadata = _Metadata()
    components: tuple[_Component, ...] = ()


def is_bill(path: str) -> bool:
    """Whether a file is offered as a bill: by CycloneDX's own names for one, at the top of the folder."""
    return path == "bom.json" or ("/" not in path and path.endswith(".cdx.json"))


def billed(raw: bytes, files: Mapping[str, FileDigest]) -> None:
    """Raises BadBill where it is no bill of a model, or where what it says of the files is not so.

    Digests of a component that bears a file's name are that file's; those of a model are of one of the files.
    """
    if len(raw) > LONGEST:
        raise BadBill("it is too long")
    try:
        bill = msgspec.json.decode(raw, type=_Bill)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadBill("it is no CycloneDX of version 1.5 or 1.6") from None
    outer = (bill.metadata.component,) if bill.metadata.component is not None else ()
    found = _all((*outer, *bill.components))
    if not any(each.type == _KIND for each in found):
        raise BadBill("none of its components is a machine-learning-model")
    for each in found:
        _holds(each, files)


def _all(components: tuple[_Component, ...]) -> list[_Component]:
    found: list[_Component] = []
    waiting = [(each, 1) for each in components]
    while waiting:
        each, depth = waiting.pop()
        found.append(each)
        if len(found) > MOST or depth > DEPTH:
            raise BadBill("it has more components than a model needs")
        waiting.extend((inner, depth + 1) for inner in each.components)
    return found


def _holds(component: _Component, files: Mapping[str, FileDigest]) -> None:
    for each in component.hashes:
        length = _ALGORITHMS.get(each.alg)
        if length is None:
            continue  # another algorithm than ours: nothing is concluded from it
        if len(each.content) != length or not _HEX.fullmatch(each.content):
            raise BadBill("a digest cannot be one")
        field = "sha256" if each.alg == "SHA-256" else "sha384"
        named = files.get(component.name)
        if named is None and component.type != _KIND:
            raise BadBill("it has the digest of a file that is not there")
        among = [named] if named is not None else list(files.values())
        if each.content.lower() not in {getattr(file, field) for file in among}:
            raise BadBill("a digest is not the file's")


def written(record: ModelRecord) -> dict[str, Any]:
    """The bill of a model as the region knows it. The same record gives the same bill, serial number included."""
    told = record.described
    model: dict[str, Any] = {
        "type": _KIND,
        "bom-ref": record.name,
        "name": record.name,
        "supplier": {"name": told.vendor},
        "modelCard": {
            "modelParameters": {
                "inputs": [{"format": each} for each in ("text", *(("image",) if "images" in told.takes else ()))],
                "task": ", ".join(told.tasks),
            },
        },
        "properties": [
            {"name": f"casemate:{name}", "value": value} for name, value in sorted(_properties(record).items()) if value
        ],
    }
    if told.licence:
        model["licenses"] = [{"license": {"name": told.licence}}]
    if record.files:
        model["components"] = [_file(each) for each in record.files]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"casemate:model:{record.name}:{record.at}")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": iso(record.at), "component": model},
    }


def _properties(record: ModelRecord) -> dict[str, str]:
    told = record.described
    return {
        "context": str(told.context or ""),
        "formats": ", ".join(record.formats),
        "languages": ", ".join(told.languages),
        "signedBy": record.signed_by,
        "state": told.state,
    }


def _file(file: FileDigest) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": file.sha256}, {"alg": "SHA-384", "content": file.sha384}]
    return {"type": "file", "bom-ref": f"file:{file.path}", "name": file.path, "hashes": hashes}
