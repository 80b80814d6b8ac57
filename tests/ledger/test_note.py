from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemate.crypto import KeySigner, SigningProfile, generate
from casemate.ledger import EMPTY, SHA256, Head, leaf_hash, origin_of, read_note, sign_note, was_cut

SIGNERS: dict[SigningProfile, KeySigner] = {
    "ed25519": KeySigner(bytes(range(32))),
    "hybrid": KeySigner(bytes(range(64))),
    "cnsa2": KeySigner(b"\x87" + bytes(range(32))),
}
PROFILES: tuple[SigningProfile, ...] = ("ed25519", "hybrid", "cnsa2")


@pytest.mark.parametrize("kind", PROFILES)
def test_a_note_is_read_back_under_its_key_alone(kind: SigningProfile) -> None:
    signer = SIGNERS[kind]
    data = sign_note(signer, "class_a", 7, EMPTY, 123, solo=True)
    note = read_note(data, signer.public)
    assert note is not None
    assert (note.head, note.at, note.solo) == (Head("class_a", 7, EMPTY.hex()), 123, True)
    assert read_note(data, KeySigner(generate(kind)).public) is None
    assert note.write(signer.public) == data


@pytest.mark.parametrize("kind", ["ed25519", "hybrid"])
def test_a_client_of_c2sp_reads_the_classic_line(kind: SigningProfile) -> None:
    """Written from c2sp.org/signed-note and c2sp.org/tlog-checkpoint, with nothing of ours."""
    signer = SIGNERS[kind]
    root = leaf_hash(b"", SHA256)
    raw = sign_note(signer, "class_a", 20852163, root, 1, profile=SHA256).decode()
    text, _, signatures = raw.rpartition("\n\n")
    origin, size, told, *_ = text.split("\n")
    assert (origin, size, told) == (origin_of(signer.public, "class_a"), "20852163", base64.b64encode(root).decode())
    public = signer.public[:32]
    known = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    held = []
    for line in signatures.splitlines():
        dash, name, payload = line.split(" ")
        assert (dash, name) == ("\u2014", origin)
        payload_bytes = base64.b64decode(payload)
        if payload_bytes[:4] == known:
            Ed25519PublicKey.from_public_bytes(public).verify(payload_bytes[4:], (text + "\n").encode())
            held.append(line)
    assert len(held) == 1


@pytest.mark.parametrize("kind", PROFILES)
def test_every_byte_changed_is_no_note_and_no_cut(kind: SigningProfile) -> None:
    signer = SIGNERS[kind]
    data = sign_note(signer, "class_a", 7, EMPTY, 123)
    for place in [*range(420), *range(420, len(data), 97), *range(len(data) - 120, len(data))]:
        for mask in (0x01, 0x20, 0x80):
            if place < len(data):
                changed = bytearray(data)
                changed[place] ^= mask
                assert read_note(bytes(changed), signer.public) is None, place
                assert not was_cut(bytes(changed), signer.public), place


@pytest.mark.parametrize("kind", PROFILES)
def test_every_cut_is_a_cut(kind: SigningProfile) -> None:
    signer = SIGNERS[kind]
    data = sign_note(signer, "class_a", 7, EMPTY, 123)
    for size in [*range(600), *range(600, len(data), 31), *range(len(data) - 100, len(data))]:
        if size < len(data):
            assert read_note(data[:size], signer.public) is None
            assert was_cut(data[:size], signer.public), size
    assert not was_cut(data, signer.public)
    assert not was_cut(data + b"x", signer.public)


@pytest.mark.parametrize("data", [b"casemate/\nx", b"\xff", b"nothing of ours, at all\n", b"\n\n\n", b"a\n\nb"])
def test_what_is_no_note_is_neither(data: bytes) -> None:
    assert read_note(data, SIGNERS["ed25519"].public) is None
    assert not was_cut(data, SIGNERS["ed25519"].public)


def test_a_note_that_ends_before_all_its_lines_are_said_was_not_cut() -> None:
    signer = SIGNERS["ed25519"]
    lines = sign_note(signer, "class_a", 7, EMPTY, 123).split(b"\n")
    for many in range(1, 6):
        data = b"\n".join(lines[:many])
        assert was_cut(data + b"\n", signer.public)
        assert not was_cut(data + b"\n\n", signer.public), many
