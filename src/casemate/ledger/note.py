"""A signed head as a C2SP signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint): text that others' tools read.

    casemate/KEY/LOG            the origin, which is the name of the key as well
    SIZE
    ROOT                        base64
    hash sha384                 the profile
    at MICROSECONDS
    solo 0                      1 where the region was in the hands of a single officer

    — casemate/KEY/LOG BASE64   of four bytes of the key's digest, and the signature over the text above the empty line

The first signature is of our own type: C2SP names Ed25519 and ML-DSA-44 only, so it is 0xff and "casemate/region". It
is the region's whole signature, of whatever algorithms the size of its key names. Where one of these is Ed25519, that
part stands on a second line as type 0x01, which every C2SP client reads. Both stand over the very same text.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from casemate.crypto import Signer, classic_part, key_id, signature_size, verify
from casemate.ledger.checkpoint import Head
from casemate.ledger.tree import PROFILES, SHA384, Profile

__all__ = ["Note", "origin_of", "read_note", "sign_note", "was_cut"]

_OWN, _ED25519 = b"\xffcasemate/region", b"\x01"
_DASH = "— "
_BASE64 = frozenset(string.ascii_letters + string.digits + "+/=")
_LINES = (
    re.compile(r"casemate/[a-z0-9-]+/[\w.:-]+"),
    re.compile(r"0|[1-9][0-9]{0,18}"),
    re.compile(r"[A-Za-z0-9+/]+={0,2}"),
    re.compile(r"hash sha(?:384|256)"),
    re.compile(r"at (?:0|[1-9][0-9]{0,18})"),
    re.compile(r"solo [01]"),
)
_STARTS = (
    re.compile(r"[a-z0-9./:_-]*", re.IGNORECASE),
    re.compile(r"[0-9]*"),
    re.compile(r"[A-Za-z0-9+/]*={0,2}"),
    re.compile(r"[hash256384 ]*"),
    re.compile(r"[at0-9 ]*"),
    re.compile(r"[solo01 ]*"),
)


@dataclass(frozen=True, slots=True)
class Note:
    """A head that a region signed, with the text that is signed and the signature over it."""

    log: str
    size: int
    root: bytes
    profile: Profile
    at: int
    solo: bool
    text: str
    signature: bytes

    @property
    def head(self) -> Head:
        return Head(self.log, self.size, self.root.hex())

    def write(self, public: bytes) -> bytes:
        """The note whole, for whoever has that key."""
        name = self.text.partition("\n")[0]
        return f"{self.text}\n{''.join(_signed(name, public, self.signature))}".encode()


def origin_of(public: bytes, log: str) -> str:
    """What the log of a region is called outside: two regions may have a log of the same access class."""
    return f"casemate/{key_id(public)}/{log}"


def sign_note(
    signer: Signer, log: str, size: int, root: bytes, at: int, solo: bool = False, profile: Profile = SHA384
) -> bytes:
    """The head of a log as a signed note."""
    told = base64.b64encode(root).decode()
    lines = (origin_of(signer.public, log), size, told, f"hash {profile.name}", f"at {at}", f"solo {int(solo)}", "")
    text = "\n".join(map(str, lines))
    note = Note(log, size, root, profile, at, solo, text, signer.sign(text.encode()))
    return note.write(signer.public)


def read_note(data: bytes, public: bytes) -> Note | None:
    """What that key signed; None where a byte of it is another, or another key's."""
    try:
        text, empty, lines = data.decode().rpartition("\n\n")
        origin, size, root, hashed, at, solo, *more = (text + "\n").split("\n")
        profile = PROFILES[hashed.removeprefix("hash ")]
        _, _, rest = lines.partition("\n")[0].rpartition(" ")
        signature = base64.b64decode(rest, validate=True)[4:]
        log = origin.removeprefix(f"casemate/{key_id(public)}/")
        held = base64.b64decode(root, validate=True)
        note = Note(log, int(size), held, profile, int(at[3:]), solo == "solo 1", text + "\n", signature)
    except (ValueError, KeyError, binascii.Error):
        return None
    shaped = all(map(_matches, _LINES, text.split("\n")))
    if not empty or more != [""] or not shaped or origin != origin_of(public, log) or len(note.root) != profile.size:
        return None
    if not verify(public, note.text.encode(), signature) or note.write(public) != data:
        return None
    return note


def was_cut(data: bytes, public: bytes) -> bool:
    """Whether this may be the beginning of a note that goes on: what is there is as it would have been written."""
    told = data.decode(errors="ignore")
    if data.removeprefix(told.encode()) not in (b"", b"\xe2", b"\xe2\x80"):  # a cut within the dash is one
        return False
    text, empty, lines = told.partition("\n\n")
    *whole, rest = text.split("\n")
    if empty:
        whole, rest = [*whole, rest], ""
    if len(whole) > len(_LINES) or not all(map(_matches, _LINES, whole)):
        return False
    if not empty:
        return not rest if len(whole) == len(_LINES) else _matches(_STARTS[len(whole)], rest)
    if len(whole) < len(_LINES):
        return False
    due = "".join(_signed(whole[0], public, bytes(signature_size(public))))
    masked = re.sub(r" \S+\n", lambda found: " " + "\0" * (len(found[0]) - 2) + "\n", due)
    return len(lines) < len(due) and all(map(_may_be, lines, masked))


def _matches(form: re.Pattern[str], line: str) -> bool:
    return form.fullmatch(line) is not None


def _may_be(given: str, due: str) -> bool:
    return given == due or (due == "\0" and given in _BASE64)


def _signed(name: str, public: bytes, signature: bytes) -> Iterator[str]:
    """The lines of a signature: our own, and the part that everybody reads."""
    yield _line(name, _OWN, public, signature)
    classic = classic_part(public, signature)
    if classic is not None:
        yield _line(name, _ED25519, *classic)


def _line(name: str, kind: bytes, public: bytes, signature: bytes) -> str:
    digest = hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]
    return f"{_DASH}{name} {base64.b64encode(digest + signature).decode()}\n"
