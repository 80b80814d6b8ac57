"""The release: a DSSE envelope around an in-toto statement, in its one spelling. What it says is judged elsewhere."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from casemate_verify.crypt import verifies
from casemate_verify.jsontext import Value, read_canonical
from casemate_verify.shape import HEX128, NAMED, array, members, number, pattern, rising, text

__all__ = ["Guarded", "Object", "Release", "Statement", "read_release"]

TYPE = "application/vnd.in-toto+json"
OBJECTS = 10_000
LABEL = 16_384
PAYLOAD = 16 << 20
_PREVIOUS = re.compile(r"(?:[0-9a-f]{128})?")
_KEY = re.compile(r"(?:hybrid|mldsa87)-[a-z2-7]{16}")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guard's verdict: its name, the digest of the canonical form it decided on, and what it said."""

    guard: str
    digest: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Object:
    """What the sender says of one object."""

    label: str | None
    guards: tuple[Guarded, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed; `subjects` are names and digests of manifests. Times in microseconds."""

    subjects: tuple[tuple[str, str], ...]
    objects: tuple[Object, ...]
    bundle: str
    channel: str
    sequence: int
    not_after: int
    issued: int
    banner: str
    label: str
    previous: str
    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class Release:
    """The envelope: the statement, what the signatures are over, and the signatures by the name of their key."""

    statement: Statement
    message: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def holds(self, public: bytes, signature: bytes) -> bool:
        """Whether that signature is this key's."""
        return verifies(public, signature, self.message)


def _plain(value: Value) -> bytes:
    """Base64 in its one spelling."""
    if not isinstance(value, str):
        raise ValueError("no text")
    data = base64.b64decode(value.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != value:
        raise ValueError("base64 in another spelling")
    return data


def read_release(data: bytes) -> Release:
    """The release of a bundle. ValueError where it is none."""
    payload, kind, listed = members(read_canonical(data), "payload", "payloadType", "signatures")
    if kind != TYPE:
        raise ValueError("no statement of in-toto")
    body = _plain(payload)
    signatures = []
    for item in array(listed, 1, 12):
        name, signature = members(item, "keyid", "sig")
        signatures.append((pattern(name, _KEY), _plain(signature)))
    if not rising([name for name, _ in signatures]):
        raise ValueError("signatures out of order")
    if len(body) > PAYLOAD:
        raise ValueError("too large a statement")
    message = f"DSSEv1 {len(TYPE)} {TYPE} {len(body)} ".encode() + body
    return Release(_statement(read_canonical(body)), message, tuple(signatures))


def _statement(value: Value) -> Statement:
    kind, listed, predicate_kind, predicate = members(value, "_type", "subject", "predicateType", "predicate")
    if kind != "https://in-toto.io/Statement/v1" or predicate_kind != "urn:casemate:release:v1":
        raise ValueError("no statement of a release")
    names = "approvals banner bundle channel destination issued label not_after objects previous sequence source"
    said = dict(zip(names.split(), members(predicate, *names.split()), strict=True))
    for item in array(said["approvals"], 0, 100):
        by, reference = members(item, "by", "reference")
        text(by)
        text(reference)
    subjects = tuple(_subject(item) for item in array(listed, 1, OBJECTS))
    objects = tuple(_object(item) for item in array(said["objects"], len(subjects), len(subjects)))
    return Statement(
        subjects,
        objects,
        bundle=pattern(said["bundle"], re.compile("[0-9a-f]{32}")),
        channel=pattern(said["channel"], re.compile("[0-9a-f]{32}")),
        sequence=number(said["sequence"]),
        not_after=number(said["not_after"]),
        issued=number(said["issued"]),
        banner=text(said["banner"]),
        label=text(said["label"], LABEL),
        previous=pattern(said["previous"], _PREVIOUS),
        source=text(said["source"], 128),
        destination=text(said["destination"], 128),
    )


def _subject(item: Value) -> tuple[str, str]:
    digest, name = members(item, "digest", "name")
    (named,) = members(digest, "sha512")
    return text(name), "sha512:" + pattern(named, HEX128)


def _object(item: Value) -> Object:
    guards, label, materials = members(item, "guards", "label", "sbom")
    for material in array(materials, 0, 16):
        pattern(material, NAMED)
    read = []
    for said in array(guards, 0, 16):
        digest, guard, verdict = members(said, "digest", "guard", "verdict")
        read.append(Guarded(text(guard), pattern(digest, NAMED), text(verdict)))
    return Object(None if label is None else text(label, LABEL), tuple(read))
