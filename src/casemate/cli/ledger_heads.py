"""Heads that were kept elsewhere, as files hold them: plain ones, and those that a witness has signed.

A plain head is worth what the place is worth in which it was kept. What a witness signed can lie anywhere, once its
signature is checked under a key that came by another way (`--witness`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from casemate.cli.failure import failed
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.crypto import key_id
from casemate.errors import BadInput
from casemate.ledger import Cosignature, Head, verify_cosignature

__all__ = ["heads_in", "key_in", "remembered"]


def heads_in(file: Path) -> list[Head]:
    """Heads as `ledger heads` and `witness cosign` print them: one per line, or the document of --json."""
    return [each.head if isinstance(each, Cosignature) else each for each in _read(file)]


def remembered(talk: Talk, files: Sequence[Path], witnesses: Sequence[Path], own: bytes) -> list[Head]:
    """The heads of these files, every signature checked for which a witness's key is given.

    `own`: the public key of the region whose logs they must be of; b"" where it is not known. Raises BadInput for a
    signature that is not that witness's, and where a key is given and what it should have signed is not there.
    """
    keys = {key_id(public): public for public in map(key_in, witnesses)}
    found: list[Head] = []
    met: set[str] = set()
    for file in files:
        for each in _read(file):
            if isinstance(each, Head):
                found.append(each)
                continue
            if own and each.of != key_id(own):
                raise failed(BadInput(what=t("ledger.of_another", file=file, key=each.of)))
            if each.by not in keys:
                talk.say("ledger.unchecked", file=file, key=each.by)
            elif not own or not verify_cosignature(each, own, keys[each.by]):
                raise failed(BadInput(what=t("ledger.not_signed", file=file, key=each.by)))
            met.add(each.by)
            found.append(each.head)
    for missing in sorted(keys.keys() - met):
        raise failed(BadInput(what=t("ledger.signed_nothing", key=missing)))
    return found


def key_in(file: Path) -> bytes:
    """A public key: hexadecimal digits alone, or what `ledger witness key` printed."""
    try:
        text = file.read_text(encoding="utf-8").strip()
        if text.startswith("{"):
            found = msgspec.json.decode(text)
            text = found.get("data", found)["public"]
        return bytes.fromhex(text)
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError):
        raise failed(BadInput(what=t("ledger.no_key", file=file))) from None


def _read(file: Path) -> list[Head | Cosignature]:
    """Every head of a file, with who signed it where somebody did."""
    try:
        raw = file.read_bytes()
        if raw.lstrip().startswith(b'{"schema"'):
            data = msgspec.json.decode(raw)["data"]
            if isinstance(data, dict):
                data = data["cosignatures"] if "cosignatures" in data else [data["cosignature"]]
            return [_one(each) for each in data]
        return [_one(msgspec.json.decode(line)) for line in raw.splitlines() if line.strip()]
    except (OSError, KeyError, TypeError, msgspec.DecodeError, msgspec.ValidationError) as error:
        raise failed(BadInput(what=t("ledger.no_head", file=file, why=error))) from None


def _one(said: Any) -> Head | Cosignature:
    signed = isinstance(said, dict) and "by" in said
    return msgspec.convert(said, Cosignature) if signed else msgspec.convert(said, Head)
