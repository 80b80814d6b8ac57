"""A chain that is being written: links one after the other, and beside the records how far it has come.

    DEST/MARKING.CHAIN/face.json + *.link        what may be carried away; every link is sealed
    data/backup/state, data/backup/known         the last link and its digest; what the files were that are in it

A kill between a link and the note of it leaves a link that the next one replaces: it has the same number, so the same
name. Where what lies in the destination is not what was noted, the chain is not gone on with: another one begins.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from casemate.clock import SECOND, iso
from casemate.crypto import Recipient, Signer, digest
from casemate.custody.backup import FORMAT, UNSIGNED, Face, Head, Stamp, Title
from casemate.engines.backup_link import PART, SUFFIX, name_of, write_link
from casemate.errors import Damaged

__all__ = ["FACE", "Chain", "Marked", "State", "chains", "face_of", "forget", "prune"]

FACE = "face.json"
STATE, KNOWN = "backup/state", "backup/known"
_UNFIT = re.compile(r"[^A-Za-z0-9]")


class State(msgspec.Struct, frozen=True):
    """How far a chain has come. `salts`, `frame`, `commit`: up to where the write-ahead log is in it."""

    chain: str
    folder: str
    names: bytes
    begun: int
    number: int = -1
    digest: str = ""
    salts: bytes = b""
    frame: int = 0
    commit: int = 0
    at: int = 0
    points: int = 0
    signer: str = ""

    @property
    def head(self) -> Head:
        return Head(self.chain, self.number, self.digest, self.commit, self.at, self.signer)


@dataclass(frozen=True, slots=True)
class Marked:
    """How what a backup holds is to be handled: the join of all of it, as text and as people read it."""

    label: str
    marking: str


def forget(data: Path) -> None:
    """The log is written by somebody who ships nothing: no chain can be gone on with."""
    (data / STATE).unlink(missing_ok=True)


class Chain:
    """One chain. `data` is the region's folder of data, `home` the destination's folder of this chain."""

    def __init__(self, data: Path, home: Path, state: State, recipients: Sequence[Recipient], signer: Signer) -> None:
        self._data = data
        self.home = home
        self.state = state
        self._recipients = recipients
        self._signer = signer
        self._face = (home / FACE).read_bytes()
        self.known: dict[str, Stamp] = {}

    @classmethod
    def begin(
        cls, data: Path, home: Path, marked: Marked, recipients: Sequence[Recipient], signer: Signer, now: int
    ) -> Chain:
        """A new one, in a folder of its own. Raises OSError."""
        chain = f"{_UNFIT.sub('', iso(now)[:19])}{now % SECOND:06d}Z-{secrets.token_hex(12)}"
        folder = f"{_UNFIT.sub('-', marked.marking)[:60]}.{chain}"
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / folder).mkdir(mode=0o700)
        face = msgspec.json.encode(Face(FORMAT, chain, marked.label, marked.marking, signer.public.hex()))
        _publish(home / folder / FACE, msgspec.json.format(face, indent=2) + b"\n")
        (data / STATE).parent.mkdir(exist_ok=True, mode=0o700)
        state = State(chain, folder, secrets.token_bytes(32), now, signer=digest(signer.public).hex())
        made = cls(data, home / folder, state, recipients, signer)
        made.note_known({})
        return made

    @classmethod
    def resume(cls, data: Path, home: Path, recipients: Sequence[Recipient], signer: Signer) -> Chain | None:
        """The one that was noted, where its last link lies as it was noted, and the same key signed it."""
        try:
            state = msgspec.msgpack.decode((data / STATE).read_bytes(), type=State)
            last = home / state.folder / name_of(state.names, state.number)
            with last.open("rb") as file:
                if hashlib.file_digest(file, "sha384").hexdigest() != state.digest:
                    return None
            if face_of(home / state.folder).signer != signer.public.hex():
                return None
            found = cls(data, home / state.folder, state, recipients, signer)
            found.known = msgspec.msgpack.decode((data / KNOWN).read_bytes(), type=dict[str, Stamp])
        except (OSError, Damaged, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            return None
        for part in found.home.glob(f"*{PART}"):
            part.unlink(missing_ok=True)
        return found

    def append(
        self, at: int, body: Iterable[bytes], alive: Callable[[], bool] = lambda: True, **what: Any
    ) -> Title | None:
        """Another link, durable and noted; None where the chain had been given up meanwhile. Raises OSError, Damaged.

        `what`: what the title says besides its number, and under `then` what is noted of the log.
        """
        then: dict[str, Any] = what.pop("then", {})
        title = Title(self.state.number + 1, self.state.digest, at, **what)
        path = self.home / name_of(self.state.names, title.number)
        made = write_link(path, self._face, self.state.chain, self._recipients, self._signer, title, body)
        if not alive():
            path.unlink(missing_ok=True)
            return None
        points = self.state.points + (title.point is not None)
        noted = msgspec.structs.replace(self.state, number=title.number, digest=made, at=at, points=points, **then)
        _publish(self._data / STATE, msgspec.msgpack.encode(noted))
        self.state = noted
        return title

    def note_known(self, known: dict[str, Stamp]) -> None:
        """What the files are that are in it."""
        _publish(self._data / KNOWN, msgspec.msgpack.encode(known))
        self.known = known

    def due(self, now: int, days: int) -> bool:
        """Whether it is old enough for another to begin."""
        return now - self.state.begun >= days * 86_400 * SECOND


def chains(home: Path, tolerant: bool = False) -> list[tuple[Path, Face]]:
    """The chains of a destination, oldest first; what is none is passed over.

    Raises Damaged where links lie in a folder whose face cannot be read: nothing older may stand in for it in silence.
    `tolerant`: for whoever has named the chain that he wants, or wants none.
    """
    found: list[tuple[Path, Face]] = []
    for path in sorted(home.iterdir(), key=lambda path: path.suffix) if home.is_dir() else ():
        try:
            found.append((path, face_of(path)))
        except (OSError, Damaged) as error:
            if not tolerant and any(path.glob(f"*{SUFFIX}")):
                what = error.facts["what"] if isinstance(error, Damaged) else FACE
                raise Damaged(what=f"{path.name}/{what}") from None
    return found


def face_of(folder: Path) -> Face:
    """What a chain's folder says of itself. Raises Damaged, OSError."""
    try:
        face = msgspec.json.decode((folder / FACE).read_bytes(), type=Face)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        raise Damaged(what=FACE) from None
    if face.format == UNSIGNED:
        raise Damaged(what=f"{FACE} (begun before links were signed: nothing tells whose it is)")
    if face.format != FORMAT:
        raise Damaged(what=FACE)
    return face


def prune(home: Path, keep: int, current: str) -> int:
    """Remove what is older than the last so many chains; how many went. Nothing but a chain's own files is touched."""
    gone = 0
    for folder, face in chains(home, tolerant=True)[:-keep]:
        strange = [path for path in folder.iterdir() if path.name != FACE and path.suffix not in (SUFFIX, PART)]
        if face.chain != current and not strange:
            (folder / FACE).unlink()  # from now on it is no chain, whatever becomes of the rest
            shutil.rmtree(folder)
            gone += 1
    return gone


def _publish(path: Path, raw: bytes) -> None:
    """The whole of it under its name, or what was there before."""
    part = path.with_name(f".{path.name}.new")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
