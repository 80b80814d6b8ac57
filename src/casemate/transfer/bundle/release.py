"""The release inside a bundle: an in-toto Statement in a DSSE envelope, which says what each object is and bears.

What is signed is the payload's bytes as they lie (DSSE's PAE), never JSON that was written again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from casemate.crypto import Signer
from casemate.errors import BadInput, Damaged
from casemate.transfer.bundle.names import is_digest
from casemate.transfer.bundle.strict import LARGEST, read, shaped, spelled

__all__ = [
    "MOST_RELEASE",
    "Approval",
    "Envelope",
    "Guarded",
    "Release",
    "Stated",
    "envelope_of",
    "pae",
    "read_envelope",
    "release_digest",
]

MOST_RELEASE = 16 << 20
MOST_SIGNATURES = 12
_TYPE = "application/vnd.in-toto+json"
_STATEMENT, _PREDICATE = "https://in-toto.io/Statement/v1", "urn:casemate:release:v1"

Text = Annotated[str, Meta(max_length=1000)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Digest = Annotated[str, Meta(pattern=r"^sha512:[0-9a-f]{128}\Z")]
Hex = Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{128})?\Z")]
Moment = Annotated[int, Meta(ge=1, le=LARGEST)]


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who else agreed, as the sender recorded it."""

    by: Text
    reference: Text


class Guarded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a guard of the sender found: `digest` is that of the canonical form on which it decided."""

    digest: Digest
    guard: Text
    verdict: Text


class Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of one object. `label` is canonical text, or None where nobody labelled it."""

    guards: Annotated[tuple[Guarded, ...], Meta(max_length=16)]
    label: Annotated[str, Meta(max_length=16_384)] | None
    sbom: Annotated[tuple[Digest, ...], Meta(max_length=16)]


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The predicate: the bundle's place in its channel, and each object in the order of the index.

    Ids in hexadecimal, times in microseconds since 1970; `previous` is the digest of the release before, or "".
    """

    approvals: Annotated[tuple[Approval, ...], Meta(max_length=100)]
    banner: Text
    bundle: Id
    channel: Id
    destination: Name
    issued: Moment
    label: Annotated[str, Meta(max_length=16_384)]
    not_after: Moment
    objects: tuple[Stated, ...]
    previous: Hex
    sequence: Moment
    source: Name


class _Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digest: dict[str, str]
    name: str


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str = msgspec.field(name="_type")
    predicate: Release
    predicate_type: str = msgspec.field(name="predicateType")
    subject: list[_Subject]


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: Annotated[str, Meta(pattern=r"^(?:hybrid|mldsa87)-[a-z2-7]{16}\Z")]
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: list[_Signed]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A release as it was read. `subjects`: (name, digest) of each manifest; `signatures`: (name of the key, value)."""

    payload: bytes
    release: Release
    subjects: tuple[tuple[str, str], ...]
    signatures: tuple[tuple[str, bytes], ...]

    @property
    def digest(self) -> str:
        return release_digest(self.payload)


def release_digest(payload: bytes) -> str:
    """By which the next release names this one: SHA-512 in hexadecimal."""
    return hashlib.sha512(payload).hexdigest()


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    return b"DSSEv1 %d %s %d %s" % (len(_TYPE), _TYPE.encode(), len(payload), payload)


def envelope_of(release: Release, subjects: Sequence[tuple[str, str]], signers: Sequence[Signer]) -> bytes:
    """The envelope's canonical bytes. Raises BadInput for what no reader would take."""
    statement = {
        "_type": _STATEMENT,
        "predicate": msgspec.to_builtins(release),
        "predicateType": _PREDICATE,
        "subject": [{"digest": {"sha512": digest.partition(":")[2]}, "name": name} for name, digest in subjects],
    }
    payload = spelled(statement)
    made = sorted((each.key_id, each.sign(pae(payload))) for each in signers)
    raw = spelled(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": _TYPE,
            "signatures": [{"keyid": key, "sig": base64.b64encode(value).decode()} for key, value in made],
        }
    )
    try:
        read_envelope(raw)
    except Damaged:
        raise BadInput(what="release") from None
    return raw


def read_envelope(raw: bytes) -> Envelope:
    """The release and its signatures, none of them checked. Raises Damaged."""
    what = "bundle release"
    found = shaped(read(raw, MOST_RELEASE, what), _Envelope, what)
    payload = _bytes(found.payload)
    said = shaped(read(payload, MOST_RELEASE, what), _Statement, what)
    keys = [each.keyid for each in found.signatures]
    subjects = tuple((each.name, f"sha512:{each.digest.get('sha512', '')}") for each in said.subject)
    sound = (
        found.payload_type == _TYPE
        and 0 < len(keys) <= MOST_SIGNATURES
        and keys == sorted(set(keys))
        and (said.type, said.predicate_type) == (_STATEMENT, _PREDICATE)
        and all(len(each.digest) == 1 for each in said.subject)
        and all(is_digest(digest) for _, digest in subjects)
        and len(subjects) == len(said.predicate.objects)
    )
    if not sound:
        raise Damaged(what=what)
    values = tuple((each.keyid, _bytes(each.sig)) for each in found.signatures)
    return Envelope(payload, said.predicate, subjects, values)


def _bytes(text: Any) -> bytes:
    """Base64 in its one spelling. Raises Damaged."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Damaged(what="bundle release") from None
    if base64.b64encode(raw).decode() != text:
        raise Damaged(what="bundle release")
    return raw
