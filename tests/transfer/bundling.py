"""A channel from LOWLAND to HIGHLAND with all its keys, and bundles of it, for tests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from casemate.crypto import Keeper, KeySigner, generate, generate_keeper
from casemate.engines.bundle_files import Opened, digested, look, seal
from casemate.labels import Policies
from casemate.transfer.bundle import (
    ROLES,
    Content,
    Face,
    File,
    Frames,
    Outside,
    Profile,
    Release,
    Signature,
    Thing,
    content_of,
    envelope_of,
    hint_of,
    make_metadata,
    make_root,
    planned,
    signed,
    wrapped_to,
)
from casemate.transfer.lattice import lattice_of
from casemate.transfer.state import State
from casemate.transfer.verdict import Verdict
from casemate.transfer.verify import Finding, verify

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_795_000_000 * SECOND
CHANNEL = hashlib.sha256(b"channel").digest()[:16]
CEILING = "us:TOP SECRET"
LABEL = "us:SECRET"
LOW = "us:CONFIDENTIAL"


@cache
def signer(name: str, profile: str = "hybrid") -> KeySigner:
    """The key of that name: the same in every test."""
    seed = hashlib.sha512(f"{profile} {name}".encode()).digest()
    return KeySigner(generate(profile, seed))  # type: ignore[arg-type]


def keeper(profile: Profile = "hybrid") -> Keeper:
    """HIGHLAND's key."""
    return _keeper(profile)


@cache
def _keeper(profile: Profile) -> Keeper:
    return Keeper(generate_keeper(profile))


@cache
def policies() -> Policies:
    return Policies.load(("us",))


def root(
    version: int = 1,
    signers: tuple[str, ...] = ("ann",),
    approvers: tuple[str, ...] = ("bob",),
    needed: tuple[int, int] = (1, 1),
    roles: str = "",
    by: tuple[str, ...] = ("root",),
    profile: Profile = "hybrid",
    expires: int = NOW + 900 * DAY,
) -> bytes:
    """A root; `roles` is put behind the names of the roles' keys, `by` are those that sign. The same for the same."""
    return _root(version, signers, approvers, needed, roles, by, profile, expires)


@cache
def _root(
    version: int,
    signers: tuple[str, ...],
    approvers: tuple[str, ...],
    needed: tuple[int, int],
    roles: str,
    by: tuple[str, ...],
    profile: Profile,
    expires: int,
) -> bytes:
    each = {name: ([signer(f"{name}{roles}", "cnsa2").public], 1) for name in ROLES}
    return make_root(
        CHANNEL,
        version,
        expires,
        each,
        ([signer(name, profile).public for name in signers], needed[0]),
        ([signer(name, profile).public for name in approvers], needed[1]),
        [signer(name, "cnsa2") for name in by],
    )


def state(**other: Any) -> State:
    """What HIGHLAND knows before anything came."""
    known: dict[str, Any] = {
        "channel": CHANNEL.hex(),
        "source": "lowland",
        "destination": "highland",
        "label": LABEL,
        "banner": "SECRET",
        "floor": "bottom",
        "ceiling": CEILING,
        "lattice": lattice_of(policies()),
        "root": root().decode(),
    }
    return State(**(known | other))


@dataclass(frozen=True)
class Made:
    """How a bundle is made; every part of it can be another."""

    folder: Path
    sequence: int = 1
    previous: str = ""
    files: dict[str, bytes] = field(default_factory=lambda: {"weights": b"the weights of a small model"})
    labels: dict[str, str | None] = field(default_factory=dict)
    guards: dict[str, Any] = field(default_factory=dict)
    profile: Profile = "hybrid"
    signers: tuple[str, ...] = ("ann",)
    approvers: tuple[str, ...] = ("bob",)
    issued: int = NOW - DAY
    expires: int = NOW + 30 * DAY
    label: str = LABEL
    banner: str = "SECRET"
    roots: tuple[bytes, ...] = ()
    roles: str = ""
    version: int = 0
    ends: int = 0
    inner: dict[str, Any] = field(default_factory=dict)
    statement: dict[str, Any] = field(default_factory=dict)
    id: bytes = b""

    def but(self, **other: Any) -> Made:
        return replace(self, **other)

    @property
    def name(self) -> bytes:
        return self.id or hashlib.sha256(repr((self.sequence, self.files, self.previous)).encode()).digest()[:16]

    def things(self) -> list[Thing]:
        made = []
        for name, data in self.files.items():
            path = self.folder / f"{name}.source"
            path.write_bytes(data)
            file = File(f"{name}.bin", f"sha512:{hashlib.sha512(data).hexdigest()}", len(data))
            label = self.labels.get(name, LOW)
            made.append(Thing(name, "application/vnd.casemate.blob", (file,), label, self.guards.get(name, ())))  # type: ignore[arg-type]
        return made

    def content(self) -> tuple[Content, bytes]:
        layout = planned(self.things())
        said: dict[str, Any] = {
            "approvals": (),
            "banner": self.banner,
            "bundle": self.name.hex(),
            "channel": CHANNEL.hex(),
            "destination": "highland",
            "issued": self.issued,
            "label": self.label,
            "not_after": self.expires,
            "objects": layout.stated,
            "previous": self.previous,
            "sequence": self.sequence,
            "source": "lowland",
        }
        release = Release(**(said | self.statement))
        keys = [signer(each, self.profile) for each in self.signers]
        sealed = envelope_of(release, layout.subjects, keys)
        roles = {name: [signer(f"{name}{self.roles}", "cnsa2")] for name in ROLES}
        version = self.version or self.sequence
        metadata = make_metadata(sealed, version, self.ends or self.expires, roles)
        roots = self.roots or (root(profile=self.profile),)
        metadata |= {f"{number}.root.json": raw for number, raw in enumerate(roots, 1)}
        return content_of(layout, sealed, metadata | self.inner), sealed

    def write(self) -> Path:
        """The file, named after its sequence."""
        content, _ = self.content()
        key = hashlib.sha256(self.name).digest()
        frames = Frames(key, self.name, content.size)
        recipient = keeper(self.profile).recipient
        wrapped = ((hint_of(recipient), wrapped_to(recipient, key, self.name)),)

        def face(digest: bytes) -> Outside:
            bare = Face(
                self.name,
                CHANNEL,
                self.sequence,
                self.expires,
                content.size,
                digest,
                content.inner,
                self.profile,
                self.banner,
                wrapped,
            )
            return both(bare, self.signers, self.approvers, self.profile)

        sources = {}
        for name in self.files:
            source = digested(self.folder / f"{name}.source")
            sources[source.digest] = source
        path = self.folder / f"{self.sequence}.cmb"
        seal(path, content, frames, sources, face)
        return path


def both(face: Face, signers: tuple[str, ...], approvers: tuple[str, ...], profile: Profile = "hybrid") -> Outside:
    """The face, signed by all of these."""
    others: tuple[Signature, ...] = ()
    made: Outside | None = None
    for role, names in (("signer", signers), ("approver", approvers)):
        for name in names:
            made = signed(face, signer(name, profile), role, others)  # type: ignore[arg-type]
            others = made.signatures
    assert made is not None
    return made


def judged(
    path: Path, known: State, now: int = NOW, guards: dict[str, Finding] | None = None, profile: Profile = "hybrid"
) -> Verdict:
    return verify(seen(path, profile).facts, known, now, guards)


def seen(path: Path, profile: Profile = "hybrid") -> Opened:
    return look(path, [keeper(profile)])
