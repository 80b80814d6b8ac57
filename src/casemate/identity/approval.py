"""What somebody signs who approves a release downward: the statement, and the one way to write it as bytes. Pure.

The bytes are lines of text (docs/bytes/release.md), so that an approver can read what he signs, and sign it with any
Ed25519 tool. They bind the object as it lies, exactly what would leave, where to, why, until when, for whom, by whom
and with which key: a signature is good for nothing else, in no other region and for no other request.
"""

from __future__ import annotations

import hashlib

import msgspec

from casemate.crypto import KeySigner, key_id, verify

__all__ = ["Statement", "digest_of_text", "held_by", "is_public", "sign", "sign_offer", "signed_by"]

_HEAD = "casemate release approval v1"
_OFFER = "casemate approval key v1"


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`object` is kind/id@class. `content` and `leaves`: SHA-384 (hex) of the text as it lies, and of what would leave.

    `source` and `target` are labels in canonical text, `expires` is in microseconds; `requester` and `approver` are ids
    of principals, `key` is the id of the key that signs.
    """

    region: str
    request: str
    requester: str
    object: str
    content: str
    leaves: str
    sanitiser: str
    source: str
    target: str
    reason: str
    expires: int
    approver: str
    key: str = ""

    def body(self) -> bytes:
        """The bytes that are signed. Raises ValueError where a field would make two lines of one."""
        lines = [_HEAD, *(f"{name}: {getattr(self, name)}" for name in self.__struct_fields__)]
        if any("\n" in line or "\r" in line for line in lines):
            raise ValueError("a field holds a line's end")
        return ("\n".join(lines) + "\n").encode()


def sign(statement: Statement, private: bytes) -> tuple[Statement, str]:
    """The statement with the key's id in it, and the signature in hex."""
    signer = KeySigner(private)
    named = msgspec.structs.replace(statement, key=signer.key_id)
    return named, signer.sign(named.body()).hex()


def signed_by(statement: Statement, public: str, signature: str) -> bool:
    """Whether the holder of that public half (hex) signed this very statement; what is malformed is no."""
    try:
        raw, made, body = bytes.fromhex(public), bytes.fromhex(signature), statement.body()
    except ValueError:
        return False
    return made.hex() == signature and statement.key == key_id(raw) and verify(raw, body, made)


def sign_offer(region: str, name: str, private: bytes) -> tuple[str, str]:
    """The public half and the proof (both hex) with which somebody of that name offers his key to a region."""
    signer = KeySigner(private)
    return signer.public.hex(), signer.sign(_offer(region, name, signer.public)).hex()


def held_by(region: str, name: str, public: str, proof: str) -> bool:
    """Whether whoever offers that key under that name in that region holds its private half."""
    try:
        raw, made = bytes.fromhex(public), bytes.fromhex(proof)
    except ValueError:
        return False
    return is_public(public) and verify(raw, _offer(region, name, raw), made)


def _offer(region: str, name: str, public: bytes) -> bytes:
    return f"{_OFFER}\nregion: {region}\nprincipal: {name}\nkey: {key_id(public)}\n".encode()


def is_public(text: str) -> bool:
    """Whether the text is the public half of an approval key: 32 bytes in lower-case hex, a point of full order."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return False
    return len(raw) == 32 and raw.hex() == text and not _weak(raw)


def _weak(raw: bytes) -> bool:
    """Whether a public half is of small order (or no point in its one form): such keys have signatures of nobody's.

    The y coordinate without its sign bit: 0, 1, p - 1, the two of order 8, and whatever is not below p.
    """
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    p = (1 << 255) - 19
    eight = 2707385501144840649318225287225658788936804267575313519463743609750303402022
    return y >= p or y in (0, 1, p - 1, eight, p - eight)


def digest_of_text(text: str) -> str:
    """SHA-384 of the text in UTF-8, in hex."""
    return hashlib.sha384(text.encode()).hexdigest()
