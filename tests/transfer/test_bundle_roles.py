"""Roles of a channel: what python-tuf and our reader together take, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets

from casemate.errors import BadInput, Damaged
from casemate.transfer.bundle import make_metadata, read_root, strict
from casemate.transfer.bundle.roles import ROLES, Current, chained, three, tuf_key
from tests.transfer.bundling import CHANNEL, DAY, NOW, root, signer

KEYS = {name: [signer(name, "cnsa2")] for name in ROLES}
RELEASE = b'{"a release":1}'


@pytest.fixture(scope="module")
def current() -> Current:
    return read_root(root())


@pytest.fixture(scope="module")
def metadata() -> dict[str, bytes]:
    return make_metadata(RELEASE, 4, NOW + DAY, KEYS)


def test_a_root_says_whom_the_channel_trusts(current: Current, metadata: dict[str, bytes]) -> None:
    assert current.trust.channel == CHANNEL
    assert current.trust.signers == (signer("ann").public,)
    assert (current.trust.signers_needed, current.trust.approvers_needed) == (1, 1)
    found = three(current, metadata, RELEASE, ())
    assert (found.timestamp, found.snapshot, found.targets, found.expires) == (4, 4, 4, NOW + DAY)


def other(raw: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    said = json.loads(raw)
    change(said)
    return strict.spelled(said)


ROOTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "nothing of ours": lambda said: said["signed"].pop("x-casemate"),
    "more of ours": lambda said: said["signed"].update({"x-more": 1}),
    "ours has more": lambda said: said["signed"]["x-casemate"].update({"more": 1}),
    "no signer is needed": lambda said: said["signed"]["x-casemate"]["signers"].update({"threshold": 0}),
    "a key twice": lambda said: said["signed"]["x-casemate"]["signers"].update(
        {"keys": said["signed"]["x-casemate"]["signers"]["keys"] * 2}
    ),
    "a key of another size": lambda said: said["signed"]["x-casemate"]["signers"].update({"keys": ["ab" * 32]}),
    "a key under another name": lambda said: renamed(said["signed"]),
    "a key of another algorithm": lambda said: each_key(said, "scheme", "ed25519"),
    "a key that is none": lambda said: each_key(said, "keyval", {"public": "none"}),
    "a key whose text is none": lambda said: each_key(said, "keyval", {"public": "a\n!\nb\n"}),
    "another type": lambda said: said["signed"].update({"_type": "targets"}),
    "no type": lambda said: said["signed"].update({"_type": "other"}),
    "a date in another spelling": lambda said: said["signed"].update({"expires": "2030-1-1T00:00:00Z"}),
    "a member more": lambda said: said.update({"more": 1}),
    "a letter that is not ASCII": lambda said: said["signed"]["x-casemate"].update({"channel": "é"}),
    "too many signatures": lambda said: said.update(
        {"signatures": [{"keyid": str(number), "sig": ""} for number in range(65)]}
    ),
}


def renamed(signed: dict[str, Any]) -> None:
    name = signed["roles"]["root"]["keyids"][0]
    signed["keys"]["another"] = signed["keys"].pop(name)
    signed["roles"]["root"]["keyids"] = ["another"]


def each_key(said: dict[str, Any], name: str, value: Any) -> None:
    for key in said["signed"]["keys"].values():
        key[name] = value


@pytest.mark.parametrize("what", ROOTS)
def test_a_root_that_is_not_as_it_must_be_is_none(what: str) -> None:
    with pytest.raises(Damaged):
        read_root(other(root(), ROOTS[what]))


def test_roots_are_chained_one_by_one() -> None:
    second = root(2, roles=" 2", by=("root", "root 2"))
    third = root(3, roles=" 3", by=("root 2", "root 3"))
    chain = {"1.root.json": root(), "2.root.json": second, "3.root.json": third}
    assert chained(root(), chain, ()).trust.version == 3
    assert chained(second, chain, ()).trust.version == 3
    assert chained(root(), {"3.root.json": third}, ()).trust.version == 1
    revoked = (signer("root 2", "cnsa2").key_id,)
    with pytest.raises(Damaged):
        chained(root(), chain, revoked)
    with pytest.raises(Damaged):
        chained(root(), {"1.root.json": second}, ())
    with pytest.raises(Damaged):
        chained(root(), {"2.root.json": third}, ())


def signed_by(kind: Any, role: str, change: Callable[[Any], None]) -> bytes:
    """Metadata that its role has signed, with one thing another."""
    raw = make_metadata(RELEASE, 4, NOW + DAY, KEYS)[f"{role}.json"]
    said: Metadata[Any] = Metadata.from_bytes(raw)
    assert isinstance(said.signed, kind)
    change(said.signed)
    from casemate.transfer.bundle.roles import _signed

    return _signed(said.signed, KEYS[role])


def test_metadata_that_does_not_fit_is_refused(current: Current, metadata: dict[str, bytes]) -> None:
    def more_meta(signed: Any) -> None:
        signed.meta["more.json"] = signed.meta["targets.json"]

    def more_targets(signed: Any) -> None:
        signed.targets["more"] = signed.targets["release.dsse.json"]

    def no_hash(signed: Any) -> None:
        signed.snapshot_meta.hashes = None

    def another_version(signed: Any) -> None:
        signed.snapshot_meta.version = 5

    from tuf.api.metadata import Timestamp

    wrong = [
        {"snapshot.json": signed_by(Snapshot, "snapshot", more_meta)},
        {"targets.json": signed_by(Targets, "targets", more_targets)},
        {"timestamp.json": signed_by(Timestamp, "timestamp", no_hash)},
        {"timestamp.json": signed_by(Timestamp, "timestamp", another_version)},
        {"timestamp.json": metadata["snapshot.json"]},
        {"timestamp.json": metadata["timestamp.json"][:-1]},
        {"targets.json": make_metadata(b"another", 4, NOW + DAY, KEYS)["targets.json"]},
    ]
    for change in wrong:
        with pytest.raises(Damaged):
            three(current, {**metadata, **change}, RELEASE, ())
    with pytest.raises(Damaged):
        three(current, {"timestamp.json": metadata["timestamp.json"]}, RELEASE, ())
    with pytest.raises(Damaged):
        three(current, metadata, RELEASE + b" ", ())


def test_another_signer_of_tuf_makes_the_same_signatures() -> None:
    theirs = CryptoSigner.generate_mldsa(scheme="ml-dsa-87/1")
    pem = theirs.public_key.keyval["public"]
    assert tuf_key(signer("root", "cnsa2").public).keyval["public"].count("\n") == pem.count("\n")
    found: Metadata[Root] = Metadata.from_bytes(root())
    found.signed.verify_delegate("root", found.signed_bytes, found.signatures)
    with pytest.raises(BadInput):
        tuf_key(signer("ann").public)
