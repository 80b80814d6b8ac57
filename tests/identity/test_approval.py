"""Statements and releases as bytes: one way to write them, and a signature over nothing else."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemate.crypto import KeySigner, generate, key_id
from casemate.identity.approval import (
    Statement,
    digest_of_text,
    held_by,
    is_public,
    sign,
    sign_offer,
    signed_by,
)
from casemate.identity.release import Approval, Release, sign_release, verify_release

ONE, TWO, REGION = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
SAID = Statement(
    "north", "rel_1", "prn_ann", "answer/ans_1@c", "aa", "bb", "text-1", "us:SECRET", "bottom", "why", 5, "prn_ben"
)


def public(private: bytes) -> str:
    return KeySigner(private).public.hex()


def test_the_bytes_are_lines_that_a_person_can_read() -> None:
    assert SAID.body().decode() == (
        "casemate release approval v1\nregion: north\nrequest: rel_1\nrequester: prn_ann\nobject: answer/ans_1@c\n"
        "content: aa\nleaves: bb\nsanitiser: text-1\nsource: us:SECRET\ntarget: bottom\nreason: why\nexpires: 5\n"
        "approver: prn_ben\nkey: \n"
    )


def test_a_signature_is_good_for_its_own_statement_alone() -> None:
    named, signature = sign(SAID, ONE)
    assert named.key == key_id(KeySigner(ONE).public)
    assert signed_by(named, public(ONE), signature)
    Ed25519PublicKey.from_public_bytes(KeySigner(ONE).public).verify(bytes.fromhex(signature), named.body())
    for field in SAID.__struct_fields__:
        other = msgspec.structs.replace(named, **{field: 6 if field == "expires" else "other"})
        assert not signed_by(other, public(ONE), signature), field
    assert not signed_by(named, public(TWO), signature)
    for bad in ("", "zz", signature[:-2], signature.upper(), signature + "00"):
        assert not signed_by(named, public(ONE), bad)
    assert not signed_by(named, "zz", signature)


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_no_field_makes_two_lines(end: str) -> None:
    bad = msgspec.structs.replace(SAID, reason=f"why{end}target: top")
    with pytest.raises(ValueError, match="line's end"):
        bad.body()
    assert not signed_by(bad, public(ONE), "00")


def test_a_key_is_offered_by_whoever_holds_it() -> None:
    shown, proof = sign_offer("north", "ben", ONE)
    assert held_by("north", "ben", shown, proof)
    assert not held_by("south", "ben", shown, proof)
    assert not held_by("north", "carl", shown, proof)
    assert not held_by("north", "ben", public(TWO), proof)
    assert not held_by("north", "ben", shown, "zz")
    assert not held_by("north", "ben", shown.upper(), proof)


ORDER_EIGHT = 2707385501144840649318225287225658788936804267575313519463743609750303402022
P = (1 << 255) - 19


@pytest.mark.parametrize("sign_bit", [0, 1 << 255])
@pytest.mark.parametrize("y", [0, 1, P - 1, ORDER_EIGHT, P - ORDER_EIGHT, P, P + 1])
def test_no_key_of_small_order_is_taken(y: int, sign_bit: int) -> None:
    """One signature of such a key is good for many messages, and nobody has to hold anything to make it."""
    assert not is_public((y | sign_bit).to_bytes(32, "little").hex())


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_what_is_no_key(text: str) -> None:
    assert not is_public(text)


def test_a_key_is_a_key() -> None:
    assert is_public(public(generate()))


def release() -> Release:
    given = []
    for private, who in ((ONE, "prn_ben"), (TWO, "prn_carl")):
        named, signature = sign(msgspec.structs.replace(SAID, approver=who), private)
        given.append(Approval("rel_1", who, who[4:], named.key, public(private), signature, 3))
    made = Release(msgspec.structs.replace(SAID, approver=""), tuple(given), "answer/ans_2@d", "prn_ann", 4)
    return sign_release(KeySigner(REGION), made)


def test_a_release_can_be_checked_alone() -> None:
    made, region = release(), KeySigner(REGION).public
    assert verify_release(made, region)
    assert not verify_release(made, KeySigner(ONE).public)
    assert not verify_release(msgspec.structs.replace(made, signature="zz"), region)
    assert not verify_release(msgspec.structs.replace(made, landed="answer/ans_3@d"), region)
    assert not verify_release(msgspec.structs.replace(made, statement=SAID), region)


def resigned(made: Release) -> bool:
    """What the region's key would sign is still held to the approvers' own signatures."""
    return verify_release(sign_release(KeySigner(REGION), made), KeySigner(REGION).public)


def test_the_region_alone_makes_no_release() -> None:
    made = release()
    first, second = made.approvals
    assert resigned(made)
    for given in (
        (),
        (first,),
        (first, first),
        (first, msgspec.structs.replace(second, approver="prn_ann")),
        (first, msgspec.structs.replace(second, signature=first.signature)),
        (first, msgspec.structs.replace(second, request="rel_2")),
        (first, msgspec.structs.replace(first, approver="prn_carl")),
    ):
        assert not resigned(msgspec.structs.replace(made, approvals=given))
    for field in ("target", "leaves", "object"):
        said = msgspec.structs.replace(made.statement, **{field: "other"})
        assert not resigned(msgspec.structs.replace(made, statement=said))
    said = msgspec.structs.replace(made.statement, approver="prn_ben")
    assert not resigned(msgspec.structs.replace(made, statement=said))
    said = msgspec.structs.replace(made.statement, requester="prn_ben")
    assert not resigned(msgspec.structs.replace(made, statement=said))


def test_a_digest_is_of_utf_8() -> None:
    assert digest_of_text("é") == hashlib.sha384("é".encode()).hexdigest()
