"""A rule pack of a publisher: `pack.json` names it, its version and the digest of each rule, `pack.sig` signs that.

    {"form": 1, "name": "lantern", "version": "2026.11.1", "publisher": "...", "rules": {"night.yml": "SHA-256", ...}}

`pack.sig` is the Ed25519 signature over the bytes of pack.json: 64 bytes, as `openssl pkeyutl -sign -rawin` writes
them, or in hex. A pack is all or nothing: a rule that is changed, missing or beside the list refuses it. What vouches
for the publisher is the key that whoever runs the mission names; one that came with the pack would vouch for nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MANIFEST, SIGNATURE = "pack.json", "pack.sig"
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,79}")


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a publisher signs. `rules`: SHA-256 in hex by the place of each file in the pack."""

    form: Literal[1]
    name: str
    version: str
    rules: dict[str, str]
    publisher: str = ""


def parted(sources: Sequence[tuple[str, bytes]]) -> tuple[list[tuple[str, bytes]], dict[str, bytes]]:
    """The rules, and what stands beside them: manifest and signature, by name; their folder is what places are below.

    Raises:
        ValueError: there are two packs in one input.
    """
    rules, beside = list[tuple[str, bytes]](), dict[str, bytes]()
    folder = ""
    for path, raw in sources:
        place, _, name = path.rpartition("/")
        if name not in (MANIFEST, SIGNATURE):
            rules.append((path, raw))
        elif name in beside:
            raise ValueError(f"two files {name}: a signed pack stands alone")
        else:
            beside[name], folder = raw, f"{place}/" if place else ""
    if MANIFEST in beside and folder:
        rules = [(path.removeprefix(folder), raw) for path, raw in rules]
    return rules, beside


def manifest_of(rules: Sequence[tuple[str, bytes]], beside: Mapping[str, bytes], key: str) -> Manifest | None:
    """What the publisher of these rules says of them; None where they are no pack and no key is asked for.

    Raises:
        ValueError: `key` (hex) has not signed them, or they are not what is signed.
    """
    raw = beside.get(MANIFEST)
    if raw is None:
        if key or SIGNATURE in beside:
            raise ValueError(f"the rules are not signed: there is no {MANIFEST} beside them")
        return None
    if key:
        _held(raw, beside.get(SIGNATURE), key)
    try:
        said = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise ValueError(f"{MANIFEST} is no manifest of a pack: {fault}"[:200]) from None
    if not all(_NAMED.fullmatch(word) for word in (said.name, said.version)) or len(said.publisher) > 200:
        raise ValueError(f"{MANIFEST}: a name and a version have letters, digits, spaces and '._+-', at most 80")
    found = {path: hashlib.sha256(each).hexdigest() for path, each in rules}
    differ = sorted(path for path in {*found, *said.rules} if found.get(path) != said.rules.get(path))
    if differ:
        raise ValueError(f"{len(differ)} rules are not as {MANIFEST} says, the first is {differ[0]}"[:300])
    return said


def _held(raw: bytes, signature: bytes | None, key: str) -> None:
    if signature is None:
        raise ValueError(f"the rules are not signed: there is no {SIGNATURE} beside {MANIFEST}")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        signed = signature if len(signature) == 64 else bytes.fromhex(signature.decode("ascii").strip())
    except (ValueError, UnicodeDecodeError):
        raise ValueError(f"the key or {SIGNATURE} is not what Ed25519 has: 32 bytes in hex, 64 bytes") from None
    try:
        public.verify(signed, raw)
    except InvalidSignature:
        raise ValueError(f"{SIGNATURE} is no signature over {MANIFEST} by the key {key[:16].lower()}") from None
