"""What a body is held to: the SHA-256 that was signed, `Content-MD5`, and the checksums that clients add."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from casemate.doors.s3.crc import CRC32C, CRC64NVME, Crc
from casemate.errors import BadInput
from casemate.words import say

__all__ = ["ALGORITHMS", "PREFIX", "Checks"]

PREFIX = "x-amz-checksum-"


class Sum(Protocol):
    """What a digest of hashlib is, and a CRC too."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._state = 0

    def update(self, data: bytes, /) -> None:
        self._state = zlib.crc32(data, self._state)

    def digest(self) -> bytes:
        return self._state.to_bytes(4, "big")


class _Crc:
    """The codes that the standard library has not; see `crc`."""

    def __init__(self, code: Crc) -> None:
        self._code = code
        self._state = 0

    def update(self, data: bytes, /) -> None:
        self._state = self._code.update(self._state, data)

    def digest(self) -> bytes:
        return self._state.to_bytes(self._code.width // 8, "big")


ALGORITHMS: dict[str, Callable[[], Sum]] = {
    "crc32": _Crc32,
    "crc32c": lambda: _Crc(CRC32C),
    "crc64nvme": lambda: _Crc(CRC64NVME),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


class Checks:
    """Everything that one body is held to. Raises BadInput where a digest cannot be one, at once."""

    def __init__(self, headers: Mapping[str, str], trailer: str, payload: str, language: str) -> None:
        self._language = language
        self._payload = hashlib.sha256() if payload else None
        self._signed = payload
        self._expected: dict[str, bytes | None] = {}
        self._sums: dict[str, Sum] = {}
        for name in ALGORITHMS:
            if PREFIX + name in headers:
                self._expect(name, headers[PREFIX + name])
        if trailer:
            name = trailer.strip().lower().removeprefix(PREFIX)
            if name not in ALGORITHMS or name in self._expected:
                raise BadInput(what=say("s3.trailer", language), code="InvalidRequest")
            self._expected[name] = None
            self._sums[name] = ALGORITHMS[name]()
        if "content-md5" in headers:
            self._sums["md5"] = hashlib.md5(usedforsecurity=False)
            self._expected["md5"] = self._value("md5", headers["content-md5"])

    def update(self, piece: bytes) -> None:
        """The next piece of the body."""
        if self._payload is not None:
            self._payload.update(piece)
        for each in self._sums.values():
            each.update(piece)

    def judge(self, trailers: Mapping[str, str]) -> None:
        """The body has ended. Raises BadInput where it is not what was announced."""
        if self._payload is not None and self._payload.hexdigest() != self._signed:
            raise BadInput(what=say("s3.payload", self._language), code="XAmzContentSHA256Mismatch")
        for name, expected in self._expected.items():
            wanted = expected if expected is not None else self._trailing(name, trailers)
            if self._sums[name].digest() != wanted:
                raise BadInput(what=say("s3.digest", self._language, name=name), code="BadDigest")

    def _trailing(self, name: str, trailers: Mapping[str, str]) -> bytes:
        if PREFIX + name not in trailers:
            raise BadInput(what=say("s3.trailer", self._language), code="MalformedTrailerError")
        return self._value(name, trailers[PREFIX + name])

    def _expect(self, name: str, text: str) -> None:
        self._sums[name] = ALGORITHMS[name]()
        self._expected[name] = self._value(name, text)

    def _value(self, name: str, text: str) -> bytes:
        try:
            found = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            found = b""
        if len(found) != len(self._sums[name].digest()):
            raise BadInput(what=say("s3.digest-form", self._language, name=name), code="InvalidDigest")
        return found
