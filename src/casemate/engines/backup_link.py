"""A link of a backup's chain as a sealed file: a title, and then a body of any size in frames (docs/bytes/backup.md).

    "CMBACK\\0\\2" | size of the head (4) | head | frames | seal
    head  = MessagePack of [chain, [[recipient, wrapped key], ...]]
    frame = size (4) | sealed, bound to the head, the chain's face, its place and whether it is the last
    seal  = the region's signature over chain and SHA-384 of all before it | its size (4)

Each link has a key of its own, wrapped to every recipient: whoever writes backups can open none. Anybody may wrap to
these, so what makes a link the region's is its seal. The first frame is the title, the others hold 1 MiB of the body
each. A link appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from casemate.crypto import KEY_SIZE, NONCE_SIZE, Cipher, Keeper, Recipient, Signer, digest, verify
from casemate.custody.backup import Title
from casemate.custody.backup_verdict import Link
from casemate.errors import Damaged

__all__ = ["PART", "SUFFIX", "Opened", "looked_at", "name_of", "opened", "write_link"]

SUFFIX, PART = ".link", ".part"
FRAME = 1 << 20
_SLACK = 64
_MOST_TITLE = 64 << 20
_MOST_SEAL = 1 << 14
_MAGIC = b"CMBACK\x00\x02"
_SIZE = struct.Struct("<I")
_PLACE = struct.Struct("<QB")
_title = msgspec.msgpack.Decoder(Title).decode


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    chain: str
    keys: tuple[tuple[str, bytes], ...]


def name_of(names: bytes, number: int) -> str:
    """The file of a link: nobody can tell its number who has not the chain's key for names."""
    return hashlib.blake2b(number.to_bytes(8, "big"), key=names, digest_size=20).hexdigest() + SUFFIX


def write_link(
    path: Path,
    face: bytes,
    chain: str,
    recipients: Sequence[Recipient],
    signer: Signer,
    title: Title,
    body: Iterable[bytes],
) -> str:
    """Write a link and make it durable; its digest. `face`: the bytes of the chain's face. Raises OSError."""
    key = secrets.token_bytes(KEY_SIZE)
    wrapped = tuple((each.name, each.wrap(key, _context(chain))) for each in recipients)
    head = msgspec.msgpack.encode(_Sealed(chain, wrapped))
    cipher, bound, running = Cipher(key), _bound(head, face), hashlib.sha384()
    part = path.with_name(f"{path.stem}.{secrets.token_hex(8)}{PART}")
    try:
        with part.open("xb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            for raw in _frames(cipher, bound, head, msgspec.msgpack.encode(title), body):
                running.update(raw)
                _all(file, raw)
            signature = signer.sign(_said(chain, running.digest()))
            seal = signature + _SIZE.pack(len(signature))
            running.update(seal)
            _all(file, seal)
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return running.hexdigest()


def _frames(cipher: Cipher, bound: bytes, head: bytes, title: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
    yield _MAGIC + _SIZE.pack(len(head)) + head
    waiting, place = title, 0
    for piece in _pieces(body):
        yield _sealed(cipher, bound, waiting, place, False)
        waiting, place = piece, place + 1
    yield _sealed(cipher, bound, waiting, place, True)


def _pieces(body: Iterable[bytes]) -> Iterator[bytes]:
    """The body in pieces of one frame."""
    held = bytearray()
    for some in body:
        held += some
        while len(held) >= FRAME:
            yield bytes(held[:FRAME])
            del held[:FRAME]
    if held:
        yield bytes(held)


def _sealed(cipher: Cipher, bound: bytes, piece: bytes, place: int, last: bool) -> bytes:
    sealed = cipher.seal(piece, bound + _PLACE.pack(place, last), os.urandom(NONCE_SIZE))
    return _SIZE.pack(len(sealed)) + sealed


@dataclass(slots=True)
class Opened:
    """A link that is being read: its title, and its body as far as it has been taken."""

    title: Title
    _chain: str
    _end: int
    _file: BinaryIO
    _cipher: Cipher
    _bound: bytes
    _running: hashlib._Hash
    _ended: bool
    _signature: bytes = b""
    _sealed: bytes = b""

    def body(self) -> Iterator[bytes]:
        """The rest, piece by piece. Raises Damaged where a byte of it is another, or it was cut."""
        place = 0
        while not self._ended:
            place += 1
            piece, self._ended = _frame(self._file, self._cipher, self._bound, place, self._running, FRAME, self._end)
            yield piece
        self._sealed = self._running.digest()
        seal = self._file.read(_MOST_SEAL)
        self._running.update(seal)
        self._signature = seal[: -_SIZE.size]

    def signed(self, public: bytes) -> bool:
        """Whether that key signed it, once its body has been read."""
        return verify(public, _said(self._chain, self._sealed), self._signature)

    def digest(self) -> str:
        """Of the whole file, once its body has been read."""
        return self._running.hexdigest()


@contextlib.contextmanager
def opened(path: Path, face: bytes, chain: str, keepers: Sequence[Keeper]) -> Iterator[Opened]:
    """A link with its title read. Raises Damaged; OSError where there is none."""
    with path.open("rb") as file:
        running, end = hashlib.sha384(), _end(file)
        start = _exactly(file, len(_MAGIC) + _SIZE.size, running)
        size = _SIZE.unpack(start[-_SIZE.size :])[0]
        if not start.startswith(_MAGIC) or size > FRAME:
            raise Damaged(what="backup link")
        head = _exactly(file, size, running)
        cipher, bound = Cipher(_key(head, chain, keepers)), _bound(head, face)
        raw, ended = _frame(file, cipher, bound, 0, running, _MOST_TITLE, end)
        try:
            title = _title(raw)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            raise Damaged(what="backup link") from None
        yield Opened(title, chain, end, file, cipher, bound, running, ended)


def looked_at(path: Path, face: bytes, chain: str, keepers: Sequence[Keeper], public: bytes, deep: bool = True) -> Link:
    """What is to be judged of a file. `public`: the region's key; `deep` opens the body too, else it is only hashed."""
    try:
        with opened(path, face, chain, keepers) as link:
            if not deep:
                whole, signed = _sealed_by(path, chain, public)
                return Link(path.name, whole, link.title, signed=signed)
            for _ in link.body():
                pass
            return Link(path.name, link.digest(), link.title, signed=link.signed(public))
    except (Damaged, OSError):
        return Link(path.name, "", None, foreign=_foreign(path, chain))


def _sealed_by(path: Path, chain: str, public: bytes) -> tuple[str, bool]:
    """The digest of a file, and whether that key signed it."""
    with path.open("rb") as file:
        end, running = _end(file), hashlib.sha384()
        left = end
        while left:
            piece = _exactly(file, min(FRAME, left), running)
            left -= len(piece)
        before = running.digest()
        seal = file.read(_MOST_SEAL)
        running.update(seal)
        return running.hexdigest(), verify(public, _said(chain, before), seal[: -_SIZE.size])


def _end(file: BinaryIO) -> int:
    """Where the frames of a link end and its seal begins. Raises Damaged."""
    whole = os.fstat(file.fileno()).st_size
    if whole < _SIZE.size:
        raise Damaged(what="backup link")
    size = _SIZE.unpack(os.pread(file.fileno(), _SIZE.size, whole - _SIZE.size))[0]
    if size > min(_MOST_SEAL - _SIZE.size, whole - _SIZE.size):
        raise Damaged(what="backup link")
    return int(whole - _SIZE.size - size)


def _said(chain: str, digest: bytes) -> bytes:
    """What the region signs of a link."""
    return b"casemate backup link v2\n" + chain.encode() + b"\n" + digest.hex().encode() + b"\n"


def _foreign(path: Path, chain: str) -> bool:
    """Whether it says itself that it belongs to another chain."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC) + _SIZE.size)
            size = _SIZE.unpack(start[-_SIZE.size :])[0]
            if not start.startswith(_MAGIC) or size > FRAME:
                return False
            return msgspec.msgpack.decode(file.read(size), type=_Sealed).chain != chain
    except (OSError, struct.error, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return False


def _key(head: bytes, chain: str, keepers: Sequence[Keeper]) -> bytes:
    """The link's key, by the first of these that it is wrapped to. Raises Damaged."""
    try:
        said = msgspec.msgpack.decode(head, type=_Sealed)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        raise Damaged(what="backup link") from None
    wrapped = dict(said.keys)
    for keeper in keepers:
        if keeper.recipient.name in wrapped and said.chain == chain:
            return keeper.unwrap(wrapped[keeper.recipient.name], _context(chain))
    raise Damaged(what="backup key")


def _frame(
    file: BinaryIO, cipher: Cipher, bound: bytes, place: int, running: hashlib._Hash, most: int, end: int
) -> tuple[bytes, bool]:
    """A frame's content, and whether it is the last: it says so by opening as the one or the other."""
    size = _SIZE.unpack(_exactly(file, _SIZE.size, running))[0]
    if size > most + _SLACK:
        raise Damaged(what="backup link")
    sealed = _exactly(file, size, running)
    last = file.tell() >= end
    return cipher.open(sealed, bound + _PLACE.pack(place, last)), last


def _exactly(file: BinaryIO, size: int, running: hashlib._Hash) -> bytes:
    raw = file.read(size)
    if len(raw) != size:
        raise Damaged(what="backup link")
    running.update(raw)
    return raw


def _context(chain: str) -> bytes:
    return b"casemate backup v1\n" + chain.encode()


def _bound(head: bytes, face: bytes) -> bytes:
    return digest(_MAGIC + head) + digest(face)


def _all(file: BinaryIO, raw: bytes) -> None:
    view = memoryview(raw)
    while view:
        view = view[file.write(view) :]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
