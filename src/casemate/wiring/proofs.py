"""A saved proof or tally, checked by nothing but a public key; and the questions of a file.

It asks no region: whoever holds the file and the key can say whether that key signed it, on any machine.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from casemate.assistants import Proof, Tally, stands
from casemate.engines.key_store_signer import public_key
from casemate.errors import BadInput
from casemate.wiring.folder import Folder

__all__ = ["Checked", "checked", "questions_of"]

_MOST = 1 << 26


@dataclass(frozen=True, slots=True)
class Checked:
    """What a saved file says, and whether it stands. `good`: what was compared was equal."""

    kind: str
    region: str
    at: int
    key_id: str
    stands: bool
    good: bool


def checked(file: Path, folder: Folder, public: str) -> Checked:
    """The verdict, by the public key given (hex) or by the folder's own. Raises BadInput."""
    found = _read(file)
    try:
        key = bytes.fromhex(public) if public else public_key(folder.keys)
    except (OSError, ValueError):
        raise BadInput(what="There is no key: give the region's public key in hexadecimal digits.") from None
    right = stands(found.body(), found.signature, found.key_id, key)
    if isinstance(found, Tally):
        return Checked("tally", found.region, found.at, found.key_id, right, found.good)
    return Checked("proof", found.region, found.at, found.key_id, right, found.equal)


def questions_of(file: Path) -> list[str]:
    """One question a line; in a .toml the `text` of each `[[question]]`. Raises BadInput."""
    try:
        text = file.read_bytes()[:_MOST].decode()
        if file.suffix != ".toml":
            return [line.strip() for line in text.splitlines() if line.strip()]
        listed = tomllib.loads(text).get("question", [])
        return [str(each["text"]) for each in listed]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(what=f"{file.name} holds no questions: {error}"[:300]) from None


def _read(file: Path) -> Proof | Tally:
    """A file as `prove --save` wrote it, or what it holds alone. Raises BadInput."""
    try:
        told: Any = msgspec.json.decode(file.read_bytes())
        told = told.get("data", told)
        inner = told.get("tally", told)
        return msgspec.convert(inner, Tally) if "worlds" in inner else msgspec.convert(inner, Proof)
    except (OSError, AttributeError, TypeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(what=f"{file.name} is no saved proof: {error}"[:300]) from None
