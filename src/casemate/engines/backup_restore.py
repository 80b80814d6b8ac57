"""A state of a chain is brought back into an empty folder, and a chain's links are looked at.

    base -> data/records.db     each run of the log -> data/records.db-wal, carried into the file by SQLite itself
    files -> where they were    casemate.toml last: until then the folder is no region

SQLite checks the checksum of each frame that it carries; where it carries fewer than it was given, that is told. Into a
folder that holds anything nothing is restored.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import apsw

from casemate.crypto import Keeper, digest
from casemate.custody.backup import Face, Head, Title
from casemate.custody.backup_plan import Log, Plan, Taken
from casemate.custody.backup_verdict import Link, Verdict, judge
from casemate.engines.backup_chain import FACE
from casemate.engines.backup_link import SUFFIX, looked_at, opened
from casemate.engines.backup_wal import size_of
from casemate.engines.sqlite_schema import summing
from casemate.errors import BadInput, Damaged, NotEmpty, StorageFull, Unavailable

__all__ = ["bring_back", "public_of", "survey"]

LAST = "casemate.toml"
RECORDS = Path("data/records.db")
Told = Callable[[int, int], None]


def survey(
    folder: Path,
    face: Face,
    keepers: Sequence[Keeper],
    head: Head | None = None,
    deep: bool = True,
    told: Told = lambda _done, _of: None,
    trusted: Collection[str] = (),
) -> Verdict:
    """The verdict over a chain's folder. `told`: how many links have been looked at, and of how many.

    `trusted`: SHA-384 of the region's public key, from each that vouches for it; they have to agree.
    """
    raw, public = (folder / FACE).read_bytes(), public_of(face)
    if not trusted or set(trusted) != {digest(public).hex()}:
        public = b""
    paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    found: list[Link] = []
    for path in paths:
        found.append(looked_at(path, raw, face.chain, keepers, public, deep))
        told(len(found), len(paths))
    return judge(found, head)


def public_of(face: Face) -> bytes:
    """The key by which a chain says that it is signed. Raises Damaged."""
    try:
        return bytes.fromhex(face.signer)
    except ValueError:
        raise Damaged(what=FACE) from None


def bring_back(
    folder: Path,
    face: Face,
    keepers: Sequence[Keeper],
    verdict: Verdict,
    plan: Plan,
    into: Path,
    told: Told = lambda _done, _of: None,
) -> None:
    """Restore. Raises NotEmpty, Damaged (naming the link), StorageFull, Unavailable."""
    try:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(into.iterdir()):
            raise NotEmpty(what=str(into))
        into.chmod(0o700)
        _Back(folder, face, keepers, verdict, plan, into, told).all()
    except OSError as error:
        if error.errno in (28, 122):
            raise StorageFull from error
        raise Unavailable(what=str(error.filename or into)) from error


class _Back:
    """One restoration."""

    def __init__(
        self,
        folder: Path,
        face: Face,
        keepers: Sequence[Keeper],
        verdict: Verdict,
        plan: Plan,
        into: Path,
        told: Told,
    ) -> None:
        self._folder, self._into, self._plan, self._told = folder, into, plan, told
        self._face = (folder / FACE).read_bytes()
        self._chain, self._keepers = face.chain, keepers
        self._links = {link.title.number: link for link in verdict.links if link.title is not None}
        self._steps = 1 + len(plan.logs) + len({taken.link for taken in plan.files})
        self._done = 0

    def all(self) -> None:
        records = self._into / RECORDS
        records.parent.mkdir(mode=0o700)
        self._write(records, self._body(self._plan.base))
        self._step()
        if not records.stat().st_size:
            records.unlink()  # a server keeps the records: its own tools bring them back
        for log in self._plan.logs:
            self._carry(records, log)
            self._step()
        if records.exists():
            _synced(records)
        by_link: dict[int, list[Taken]] = {}
        for taken in self._plan.files:
            by_link.setdefault(taken.link, []).append(taken)
        last: bytes | None = None
        for number, several in sorted(by_link.items()):
            last = self._files(number, several) or last
            self._step()
        if last is not None:
            self._write(self._into / LAST, iter((last,)))
        os.sync()

    def _step(self) -> None:
        self._done += 1
        self._told(self._done, self._steps)

    def _body(self, number: int) -> Iterator[bytes]:
        """A link's body; at its end it must have been the link that was judged."""
        link = self._links[number]
        try:
            with opened(self._folder / link.name, self._face, self._chain, self._keepers) as found:
                if found.title != link.title:
                    raise Damaged(what=f"link {number}")
                yield from found.body()
                if link.digest and found.digest() != link.digest:
                    raise Damaged(what=f"link {number}")
        except Damaged:
            raise Damaged(what=f"link {number} ({link.name})") from None

    def _carry(self, records: Path, log: Log) -> None:
        """One run of the log, as far as it is taken, into the file."""
        path = records.with_name(records.name + "-wal")
        left = size_of(log.frames, log.page)

        def bytes_of() -> Iterator[bytes]:
            nonlocal left
            yield log.header
            for number in log.links:
                for piece in self._body(number):
                    yield piece[:left]
                    left -= min(left, len(piece))

        self._write(path, bytes_of())
        number = log.links[-1]
        try:
            summing()  # a page's checksum is made where it is carried into the file
            db = apsw.Connection(str(records))
            try:
                db.execute("PRAGMA synchronous = OFF")  # it is synced once, at the end
                db.execute("PRAGMA journal_mode = WAL")
                held, carried = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                db.close()
        except apsw.Error:
            raise Damaged(what=f"link {number}") from None
        if held != log.frames or carried != log.frames:
            raise Damaged(what=f"link {number}")

    def _files(self, number: int, several: Sequence[Taken]) -> bytes | None:
        """The files of a link that are taken; the settings are given back, to be written last."""
        wanted = {taken.place for taken in several}
        reader = _Pieces(self._body(number))
        title = self._links[number].title
        assert title is not None
        settings: bytes | None = None
        for place, member in enumerate(title.files):
            pieces = reader.take(member.size)
            if place not in wanted:
                for _ in pieces:
                    pass
            elif member.path == LAST:
                settings = b"".join(pieces)
            else:
                path = _inside(self._into, member.path, title)
                _folders(path.parent, self._into)
                self._write(path, pieces, member.mode & 0o700 | 0o600)
        reader.end()
        return settings

    def _write(self, path: Path, pieces: Iterator[bytes], mode: int = 0o600) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)


class _Pieces:
    """A body from which one file after the other is taken."""

    def __init__(self, body: Iterator[bytes]) -> None:
        self._body = body
        self._held = b""

    def take(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._held:
                self._held = next(self._body, b"")
                if not self._held:
                    raise Damaged(what="backup link")
            piece, self._held = self._held[:size], self._held[size:]
            size -= len(piece)
            yield piece

    def end(self) -> None:
        """Read what is left, so that the whole link has been checked."""
        for _ in self._body:
            pass


def _inside(into: Path, path: str, title: Title) -> Path:
    """A path beneath the folder, whatever the link says."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        raise BadInput(what=f"link {title.number}")
    return into.joinpath(*parts)


def _folders(folder: Path, top: Path) -> None:
    if folder != top and not folder.exists():
        _folders(folder.parent, top)
        folder.mkdir(mode=0o700)


def _synced(records: Path) -> None:
    descriptor = os.open(records, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
