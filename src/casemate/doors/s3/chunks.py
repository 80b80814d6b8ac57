"""aws-chunked bodies (AWS S3, "Signature calculations: multiple chunks"): bytes in, whatever their splits, bytes out.

    SIZE[;chunk-signature=HEX] CRLF BYTES CRLF ... 0[;chunk-signature=HEX] CRLF [NAME:VALUE CRLF ...] CRLF

Bytes go on before the signature of their chunk is judged, so no chunk has to be held in memory; whoever takes them
keeps nothing until `end` has said that all of it was right. Pure: no bytes are awaited here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from casemate.errors import BadInput, Unauthenticated
from casemate.identity.sigv4_chunks import Chain

__all__ = ["SIGNATURE", "Chunks"]

LINE = 1024  # bytes of a line between chunks
TRAILERS = 16
SIGNATURE = "x-amz-trailer-signature"
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,100}):[ \t]*([\x21-\x7e]{0,500})[ \t]*")


class Chunks:
    """Takes the framing off. `chain` where the chunks are signed; `trailed` where headers may follow the last one."""

    def __init__(self, chain: Chain | None, trailed: bool, wrong: str) -> None:
        self._chain = chain
        self._trailed = trailed
        self._wrong = wrong
        self._line = bytearray()
        self._left = 0
        self._state = "size"
        self._signature = ""
        self._digest = hashlib.sha256()
        self._signed = bytearray()
        self._verified = False
        self.trailers: dict[str, str] = {}
        self.size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes hold of the body. Raises BadInput, and Unauthenticated where a signature is not right."""
        at = 0
        while at < len(data):
            if self._state == "bytes":
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                self.size += len(piece)
                if self._chain is not None:
                    self._digest.update(piece)
                if not self._left:
                    self._state = "after"
                yield piece
                continue
            end = data.find(b"\n", at) + 1 or len(data)
            self._line += data[at:end]
            at = end
            if len(self._line) > LINE:
                raise self._broken()
            if self._line.endswith(b"\n"):
                line, self._line = bytes(self._line), bytearray()
                if not line.endswith(b"\r\n"):
                    raise self._broken()
                self._take(line[:-2])

    def end(self) -> None:
        """There are no more bytes. Raises BadInput where there should be."""
        if self._state != "over" or self._line:
            raise self._broken()

    def _take(self, line: bytes) -> None:
        if self._state == "size":
            self._begin(line)
        elif self._state == "after" and not line:
            self._judge()
            self._state = "size"
        elif self._state == "trailers":
            self._trailer(line)
        else:
            raise self._broken()

    def _begin(self, line: bytes) -> None:
        found = _SIZE.fullmatch(line)
        if found is None or (found[2] is None) == (self._chain is not None):
            raise self._broken()
        self._left = int(found[1], 16)
        self._signature = (found[2] or b"").decode("ascii")
        self._state = "bytes" if self._left else "trailers"
        if not self._left:
            self._judge()

    def _judge(self) -> None:
        if self._chain is not None:
            self._chain.chunk(self._digest.hexdigest(), self._signature)
            self._digest = hashlib.sha256()

    def _trailer(self, line: bytes) -> None:
        if not line:
            if self._chain is not None and self._trailed and not self._verified:
                raise Unauthenticated
            self._state = "over"
            return
        found = _TRAILER.fullmatch(line)
        if found is None or not self._trailed or self._verified or len(self.trailers) == TRAILERS:
            raise self._broken()
        name, value = found[1].decode("ascii").lower(), found[2].decode("ascii")
        if name == SIGNATURE:
            if self._chain is None:
                raise self._broken()
            self._chain.trailer(hashlib.sha256(self._signed).hexdigest(), value)
            self._verified = True
        elif name in self.trailers:
            raise self._broken()
        else:
            self.trailers[name] = value
            self._signed += f"{name}:{value}\n".encode("ascii")

    def _broken(self) -> BadInput:
        return BadInput(what=self._wrong, code="IncompleteBody")
