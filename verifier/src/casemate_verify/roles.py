"""TUF's roles as a bundle carries them: roots that vouch for the next, and three files that vouch for the release.

Files are read here and signatures counted; which root is trusted, and when, is decided by `verdict`.
"""

from __future__ import annotations

import calendar
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from casemate_verify.crypt import key_name, pem_key, verifies
from casemate_verify.jsontext import Value, olpc, read_canonical
from casemate_verify.shape import HEX128, array, digits, members, number, pattern, rising, table, text

__all__ = ["File", "Group", "Root", "Told", "Vouching", "read_root", "read_vouching"]

SIGNATURES = KEYS = 64
_KEYID = re.compile(r"mldsa87-[a-z2-7]{16}")
_HEX = re.compile(r"(?:[0-9a-f]{2}){0,8192}")
_VERSION = re.compile(r"1(?:\.[0-9]+){1,2}")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_ROLES = ("root", "snapshot", "targets", "timestamp")
_PUBLIC = re.compile(r"[0-9a-f]{5184}|[0-9a-f]{5248}")


@dataclass(frozen=True, slots=True)
class Group:
    """Who may sign a bundle in one role, and how many of them must."""

    keys: frozenset[bytes]
    threshold: int

    @property
    def named(self) -> dict[str, bytes]:
        """The keys by their names."""
        return {key_name(public): public for public in self.keys}


@dataclass(frozen=True, slots=True)
class File:
    """What every file of metadata has: its bytes, who signed it, version, and until when it is valid (microseconds)."""

    raw: bytes
    message: bytes
    signatures: Mapping[str, bytes]
    version: int
    expires: int


@dataclass(frozen=True, slots=True)
class Root:
    """One root: keys by id, roles as ids and threshold, and the two groups of the channel."""

    file: File
    keys: Mapping[str, bytes]
    roles: Mapping[str, tuple[frozenset[str], int]]
    channel: str
    signers: Group
    approvers: Group

    def vouches(self, role: str, file: File, revoked: frozenset[str]) -> bool:
        """Whether enough keys of the role have signed that file; revoked ones do not count."""
        names, threshold = self.roles[role]
        good = 0
        for name in names - revoked:
            signature = file.signatures.get(name)
            good += signature is not None and verifies(self.keys[name], signature, file.message)
        return good >= threshold


@dataclass(frozen=True, slots=True)
class Told:
    """What one file says of the next: version (0 of the release, which has none), length in bytes, SHA-512 in hex."""

    version: int
    length: int
    digest: str

    def fits(self, raw: bytes) -> bool:
        """Whether those bytes are meant."""
        return self.length == len(raw) and self.digest == hashlib.sha512(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Vouching:
    """timestamp, snapshot or targets, and what it tells of the one file that it names."""

    file: File
    told: Told


def _read(data: bytes, *names: str) -> tuple[File, list[Value]]:
    """A file of metadata, and these members of what is signed."""
    signatures, signed = members(read_canonical(data), "signatures", "signed")
    if not data.isascii():
        raise ValueError("a character that is not ASCII")
    by_key: dict[str, bytes] = {}
    for item in array(signatures, 0, SIGNATURES):
        name, signature = members(item, "keyid", "sig")
        if pattern(name, _KEYID) in by_key:
            raise ValueError("a key signs twice")
        by_key[name] = bytes.fromhex(pattern(signature, _HEX))
    spec, version, expires, *others = members(signed, "spec_version", "version", "expires", *names)
    pattern(spec, _VERSION)
    message = b"tuf\x01" + hashlib.sha512(olpc(signed)).digest()
    return File(data, message, by_key, number(version, 1), _time(expires)), others


def _time(value: Value) -> int:
    """Microseconds since 1970 of a time to the second."""
    found = _TIME.fullmatch(text(value))
    if found is None:
        raise ValueError("no time")
    year, month, day, hour, minute, second = (int(group) for group in found.groups())
    if not (1 <= month <= 12 and year and hour < 24 and minute < 60 and second < 60):
        raise ValueError("no time of a day")
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise ValueError("no day of that month")
    return calendar.timegm((year, month, day, hour, minute, second)) * 1_000_000


def read_root(data: bytes) -> Root:
    """A root. ValueError where it is none."""
    file, (kind, consistent, keys, roles, ours) = _read(
        data, "_type", "consistent_snapshot", "keys", "roles", "x-casemate"
    )
    if kind != "root" or consistent is not False:
        raise ValueError("no root of ours")
    by_name = {name: _key(name, key) for name, key in table(keys, KEYS).items()}
    by_role = {}
    for role, item in zip(_ROLES, members(roles, *_ROLES), strict=True):
        listed, threshold = members(item, "keyids", "threshold")
        names = [pattern(name, _KEYID) for name in array(listed, 0, KEYS)]
        if len(set(names)) != len(names) or not by_name.keys() >= set(names):
            raise ValueError("a role of unknown keys, or of one twice")
        by_role[role] = frozenset(names), number(threshold, 1)
    approvers, channel, signers = members(ours, "approvers", "channel", "signers")
    return Root(file, by_name, by_role, digits(channel, 16), _group(signers, 1), _group(approvers, 0))


def _key(name: str, value: Value) -> bytes:
    kind, value_of, scheme = members(value, "keytype", "keyval", "scheme")
    (pem,) = members(value_of, "public")
    if (kind, scheme) != ("ml-dsa", "ml-dsa-87/1"):
        raise ValueError("a key of another scheme")
    public = pem_key(text(pem, 8192))
    if key_name(public) != name:
        raise ValueError("a key of another name")
    return public


def _group(value: Value, least: int) -> Group:
    keys, threshold = members(value, "keys", "threshold")
    names = [pattern(key, _PUBLIC) for key in array(keys, 0, 32)]
    if not rising(names):
        raise ValueError("keys out of order")
    return Group(frozenset(bytes.fromhex(name) for name in names), number(threshold, least, 32))


def read_vouching(kind: str, data: bytes) -> Vouching:
    """timestamp, snapshot or targets. ValueError where it is none."""
    inner, name = {
        "timestamp": ("meta", "snapshot.json"),
        "snapshot": ("meta", "targets.json"),
        "targets": ("targets", "release.dsse.json"),
    }[kind]
    file, (told_kind, listed) = _read(data, "_type", inner)
    (one,) = members(listed, name)
    if told_kind != kind:
        raise ValueError("a file of another kind")
    if kind == "targets":
        version, (length, hashes) = 0, members(one, "length", "hashes")
    else:
        told, length, hashes = members(one, "version", "length", "hashes")
        version = number(told, 1)
    (digest,) = members(hashes, "sha512")
    return Vouching(file, Told(version, number(length), pattern(digest, HEX128)))
