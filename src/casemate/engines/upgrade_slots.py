"""Releases of Casemate side by side in a folder, one of which runs: unpacked, tried, switched to, gone back from.

    FOLDER/versions/VERSION-NUMBER/   a virtual environment of its own: bin/, lib/, release.json, former
    FOLDER/current -> versions/...    the one link that decides what runs; it is replaced in one step
    FOLDER/bin/casemate -> ../current/bin/casemate

What runs is the old one or the new one, whenever it is killed: a release appears under its name when all of it lies
there, has been tried where it lies, and names the one that ran before it; then the link is replaced. It fetches nothing
and runs nothing of a wheel but the release itself.
"""

from __future__ import annotations

import base64
import configparser
import csv
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from casemate.engines.files_publish import sync_folder
from casemate.errors import BadInput, Conflict, Damaged, StorageFull
from casemate.transfer.upgrade import DESCRIBED, ReleaseOfCasemate, read_description

__all__ = ["LARGEST", "Slots"]

LARGEST = 16 << 30
"""Bytes of a release when it is unpacked."""
MOST = 200_000
PATIENCE = 120.0
TRIED = (
    "import casemate.cli, casemate.wiring.serve",
    """
import importlib.metadata as m, re
for each in m.requires("casemate") or ():
    "extra" in each.partition(";")[2] or m.version(re.match("[A-Za-z0-9._-]+", each)[0])
""",
)
"""What must end without a word: the rooms are there, and everything that Casemate says it needs."""
_PIECE = 1 << 20
_SHEBANG = 120
Passed = Callable[[str], None]


def _nothing(point: str) -> None:
    del point


class Slots:
    """`passed` is told each step when it is done: for those who try what a kill leaves."""

    def __init__(self, folder: Path, passed: Passed = _nothing) -> None:
        self.folder = folder.absolute()
        self._versions = self.folder / "versions"
        self._passed = passed

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One upgrade at a time; what a killed one has left is swept. Raises Conflict, StorageFull."""
        self._versions.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(what=str(self.folder)) from None
            for part in [*self._versions.glob(".*.part"), *self.folder.glob(".*.part")]:
                shutil.rmtree(part, ignore_errors=True) if part.is_dir() and not part.is_symlink() else part.unlink()
            try:
                yield
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise StorageFull(what="release") from None
                raise

    def current(self) -> Path | None:
        """The release that runs."""
        return self._slot(self.folder / "current")

    def former(self) -> Path | None:
        """The one that ran before it, if it is still there."""
        now = self.current()
        return None if now is None else self._slot(now / "former")

    def described(self, slot: Path) -> ReleaseOfCasemate:
        """What a release says of itself. Raises Damaged."""
        try:
            return read_description((slot / DESCRIBED).read_bytes())
        except (OSError, BadInput):
            raise Damaged(what=f"release {slot.name}") from None

    def unpack(self, laid: Path, name: str) -> Path:
        """The wheels of a folder as a release under that name; one that is there already and is not the one that runs
        is made anew. Raises BadInput for what is not what it says, or leads elsewhere."""
        slot = self._versions / name
        if slot == self.current():
            return slot
        raw = (laid / DESCRIBED).read_bytes()
        told = read_description(raw)
        part = self._versions / f".{name}.part"
        try:
            venv.EnvBuilder(symlinks=True, with_pip=False).create(part)
            into = _Unpacking(part, slot)
            for wheel, digest in sorted(told.wheels.items()):
                into.wheel(laid / wheel, digest)
                self._passed("wheel")
            (part / DESCRIBED).write_bytes(raw)
            self._appear(part, slot)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        self._passed("unpacked")
        return slot

    def _appear(self, part: Path, slot: Path) -> None:
        """Under its name, with the one that runs now as the one before it."""
        now = self.current()
        if now is not None:
            (part / "former").symlink_to(os.path.relpath(now, slot))
        os.sync()  # all of it, before anything leads to it
        if slot.exists():
            shutil.rmtree(slot)
        part.rename(slot)
        sync_folder(self._versions)

    def try_out(self, slot: Path) -> None:
        """It starts, and is what it says. Raises Damaged."""
        told = self.described(slot)
        program, python = slot / "bin" / "casemate", slot / "bin" / "python"
        said = _ran([str(program), "--version"])
        if said != f"casemate {told.version}":
            raise Damaged(what=f"release {told.version}: it says {said[-200:]!r}")
        for line in TRIED:
            said = _ran([str(python), "-I", "-c", line])
            if said:
                raise Damaged(what=f"release {told.version}: {said[-200:]}")
        self._passed("tried")

    def discard(self, slot: Path) -> None:
        """A release that does not start is gone; the one that runs stays."""
        if slot != self.current():
            shutil.rmtree(slot, ignore_errors=True)

    def switch(self, slot: Path) -> None:
        """From now on this one runs."""
        self._link(self.folder / "current", os.path.relpath(slot, self.folder))
        self._passed("switched")
        (self.folder / "bin").mkdir(mode=0o755, exist_ok=True)
        if not (self.folder / "bin" / "casemate").is_symlink():
            self._link(self.folder / "bin" / "casemate", "../current/bin/casemate")

    def _slot(self, link: Path) -> Path | None:
        if not link.is_symlink():
            return None
        found = (link.parent / link.readlink()).resolve()
        return found if found.parent == self._versions.resolve() and found.is_dir() else None

    def _link(self, at: Path, to: str) -> None:
        draft = at.with_name(f".{at.name}.part")
        draft.unlink(missing_ok=True)
        draft.symlink_to(to)
        draft.replace(at)
        sync_folder(at.parent)


class _Unpacking:
    """Wheels into a virtual environment that will lie at `slot`. Only what a RECORD names, and as it says."""

    def __init__(self, part: Path, slot: Path) -> None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self._library = part / "lib" / version / "site-packages"
        self._bin = part / "bin"
        self._part, self._python = part, slot / "bin" / "python"
        self._left, self._files = LARGEST, MOST

    def wheel(self, path: Path, digest: str) -> None:
        """One wheel. Raises BadInput."""
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise BadInput(what=f"{path.name}: it is not the file that the release names")
        try:
            with zipfile.ZipFile(path) as found:
                self._all(found, path.name)
        except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, RuntimeError, EOFError):
            raise BadInput(what=path.name) from None

    def _all(self, found: zipfile.ZipFile, wheel: str) -> None:
        infos = [each for each in found.infolist() if not each.is_dir()]
        records = [each for each in infos if each.filename.endswith(".dist-info/RECORD")]
        if len(records) != 1 or records[0].file_size > LARGEST >> 8:
            raise BadInput(what=f"{wheel}: it has no RECORD")
        told = _recorded(found.read(records[0]).decode())
        about = PurePosixPath(records[0].filename).parent.name
        for info in infos:
            name = info.filename
            path = self._place(name, wheel)
            self._left, self._files = self._left - info.file_size, self._files - 1
            if min(self._left, self._files) < 0 or stat.S_ISLNK(info.external_attr >> 16):
                raise BadInput(what=f"{wheel}: {name[:200]}")
            signed = name.startswith(f"{about}/RECORD")
            self._one(found, info, path, None if signed else told.get(name, ""), wheel)
        points = next((each for each in infos if each.filename == f"{about}/entry_points.txt"), None)
        if points is not None:
            self._scripts(found.read(points).decode())

    def _place(self, name: str, wheel: str) -> Path:
        """Where a file of a wheel goes (the layout of `.data` as in the specification of wheels). Raises BadInput."""
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or "\\" in name or "\0" in name or {"..", "."} & set(name.split("/")):
            raise BadInput(what=f"{wheel}: {name[:200]}")
        if not parts[0].endswith(".data"):
            return self._library.joinpath(*parts)
        tops = {"purelib": self._library, "platlib": self._library, "scripts": self._bin, "data": self._part}
        top = tops.get(parts[1]) if len(parts) > 2 else None
        if top is None:
            raise BadInput(what=f"{wheel}: {name[:200]}")
        return top.joinpath(*parts[2:])

    def _one(self, found: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, stated: str | None, wheel: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        try:
            with found.open(info) as source, path.open("xb") as target:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    size += len(piece)
                    target.write(piece)
        except FileExistsError:
            raise BadInput(what=f"{wheel}: {info.filename[:200]} is there twice") from None
        made = "sha256=" + base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        if stated is not None and (made != stated or size != info.file_size):
            raise BadInput(what=f"{wheel}: {info.filename[:200]} is not what its RECORD says")
        if path.parent == self._bin:
            self._runs(path)

    def _runs(self, path: Path) -> None:
        """A script of a wheel: `#!python` is the release's own."""
        text = path.read_bytes()
        if text.startswith(b"#!python"):
            first, _, rest = text.partition(b"\n")
            del first
            path.write_bytes(self._head().encode() + rest)
        path.chmod(0o755)

    def _scripts(self, text: str) -> None:
        """The programs that a wheel declares."""
        points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        points.optionxform = str  # type: ignore[assignment, method-assign]
        try:
            points.read_string(text)
        except configparser.Error:
            raise BadInput(what="entry_points.txt") from None
        for name, value in points.items("console_scripts") if points.has_section("console_scripts") else ():
            module, _, function = value.partition("[")[0].strip().partition(":")
            words = [*module.split("."), *function.split(".")]
            if not all(word.isidentifier() for word in words) or PurePosixPath(name).name != name:
                raise BadInput(what="entry_points.txt")
            body = f"import sys\n\nimport {module}\n\nsys.exit({module}.{function}())\n"
            script = self._bin / name
            script.write_text(self._head() + body, encoding="utf-8")
            script.chmod(0o755)

    def _head(self) -> str:
        """`-I`: what the environment says of Python counts for nothing. The kernel reads so many letters of a line."""
        if len(str(self._python)) <= _SHEBANG and " " not in str(self._python):
            return f"#!{self._python} -I\n"
        quoted = str(self._python).replace("'", "'\"'\"'")
        return f"#!/bin/sh\n'''exec' '{quoted}' -I \"$0\" \"$@\"\n' '''\n"


def _recorded(text: str) -> dict[str, str]:
    """Digests by path. Raises BadInput."""
    rows = list(csv.reader(text.splitlines()))
    found = {row[0]: row[1] for row in rows if len(row) == 3}
    if len(found) != len([row for row in rows if row]):
        raise BadInput(what="RECORD")
    return found


def _ran(command: list[str]) -> str:
    """What a program said, its errors too where it failed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CASEMATE"))}
    try:
        done = subprocess.run(  # noqa: S603 - the programs of a release that was judged
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"it does not start: {error}"
    return done.stdout.strip() if done.returncode == 0 else f"it ended with {done.returncode}: {done.stderr.strip()}"
