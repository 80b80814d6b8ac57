"""Wheels, installed as the specification of binary distributions says, into lib/ and bin/ of a tree; nothing is run.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/ : each file is compared with RECORD
before it counts, `.data` folders are spread, and console scripts are written for `python3` of the sandbox.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterator

from casemate.cells.unpack.tree import Tree, Unpackable

__all__ = ["wheels"]

_PIECE = 1 << 20
_METADATA = 16 << 20
_ENTRY = re.compile(r"([A-Za-z_][\w.]*)(?::([A-Za-z_][\w.]*))?(?:\s*\[[^]]*\])?", re.ASCII)
_SCRIPT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*", re.ASCII)
_SPREAD = {"purelib": "lib", "platlib": "lib", "scripts": "bin", "data": "", "headers": "include"}
_ALGORITHMS = ("sha256", "sha384", "sha512")


def wheels(folder: str, tree: Tree) -> None:
    """Every .whl of a folder, in order of their names. Raises Unpackable, naming the wheel where its name is plain."""
    found = sorted(name for name in os.listdir(folder) if name.endswith(".whl"))  # noqa: PTH208
    if not found:
        raise Unpackable("There is no wheel.")
    taken: dict[str, bytes] = {}
    for name in found:
        try:
            with zipfile.ZipFile(os.path.join(folder, name)) as archive:  # noqa: PTH118
                _Wheel(archive, tree, taken).install()
        except (
            zipfile.BadZipFile,
            zipfile.LargeZipFile,
            NotImplementedError,
            EOFError,
            UnicodeDecodeError,
            ValueError,
        ):
            raise Unpackable(f"{_told(name)} is no wheel that can be read.") from None
        except Unpackable as error:
            raise Unpackable(f"{_told(name)}: {error}") from None


def _told(name: str) -> str:
    return name if name.isascii() and name.isprintable() and len(name) <= 200 else "A wheel"


class _Wheel:
    def __init__(self, archive: zipfile.ZipFile, tree: Tree, taken: dict[str, bytes]) -> None:
        self._archive = archive
        self._tree = tree
        self._taken = taken
        self._infos = {info.filename: info for info in archive.infolist()}

    def install(self) -> None:
        if len(self._infos) != len(self._archive.infolist()):
            raise Unpackable("It holds a name twice.")
        [info] = {name.split("/")[0] for name in self._infos if name.split("/")[0].endswith(".dist-info")} or {""}
        if f"{info}/RECORD" not in self._infos or f"{info}/WHEEL" not in self._infos:
            raise Unpackable("It has no RECORD and WHEEL.")
        recorded = self._recorded(f"{info}/RECORD")
        for name, entry in self._infos.items():
            if not name.endswith("/"):
                self._file(name, entry, recorded.get(name), info)
        for group in ("console_scripts", "gui_scripts"):
            for script, module, attribute in self._scripts(f"{info}/entry_points.txt", group):
                self._placed(f"bin/{script}", _starter(module, attribute), 0o755)

    def _file(self, name: str, entry: zipfile.ZipInfo, expected: tuple[str, bytes] | None, info: str) -> None:
        signed = name in (f"{info}/RECORD", f"{info}/RECORD.jws", f"{info}/RECORD.p7s")
        if expected is None and not signed:
            raise Unpackable("It holds a file that its RECORD does not name.")
        target = _target(name)
        script = target.startswith("bin/")
        executable = script or bool(entry.external_attr >> 16 & 0o111)
        pieces = self._pieces(entry, expected)
        if script:
            body = b"".join(pieces)  # of a script the first line may have to be written anew
            self._placed(
                target,
                body.replace(b"#!python", b"#!/usr/bin/env python3", 1) if body[:8] == b"#!python" else body,
                0o755,
            )
            return
        digest = hashlib.sha256()

        def passing() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        before = self._taken.get(target)
        self._tree.file(target, passing(), 0o755 if executable else 0o644)
        self._once(target, digest.digest(), before)

    def _placed(self, target: str, body: bytes, mode: int) -> None:
        before = self._taken.get(target)
        self._tree.file(target, (body,), mode)
        self._once(target, hashlib.sha256(body).digest(), before)

    def _once(self, target: str, digest: bytes, before: bytes | None) -> None:
        if before is not None and before != digest:
            raise Unpackable("It holds a file that another wheel has otherwise.")
        self._taken[target] = digest

    def _pieces(self, entry: zipfile.ZipInfo, expected: tuple[str, bytes] | None) -> Iterator[bytes]:
        """The bytes of a file. Raises Unpackable behind the last where they are not those of RECORD."""
        if entry.flag_bits & 0x1:
            raise Unpackable("It is encrypted.")
        digest = hashlib.new(expected[0]) if expected else None
        with self._archive.open(entry) as opened:
            while piece := opened.read(_PIECE):
                if digest:
                    digest.update(piece)
                yield piece
        if digest and expected and digest.digest() != expected[1]:
            raise Unpackable("A file is not the one that its RECORD names.")

    def _recorded(self, name: str) -> dict[str, tuple[str, bytes]]:
        found: dict[str, tuple[str, bytes]] = {}
        for row in csv.reader(io.StringIO(self._text(name))):
            if len(row) < 2 or not row[1]:
                continue
            algorithm, _, encoded = row[1].partition("=")
            if algorithm not in _ALGORITHMS:
                raise Unpackable("Its RECORD names a digest that is too weak, or unknown.")
            found[row[0]] = algorithm, base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        return found

    def _scripts(self, name: str, group: str) -> Iterator[tuple[str, str, str]]:
        if name not in self._infos:
            return
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # names of scripts have their own case
        try:
            parser.read_string(self._text(name))
        except configparser.Error:
            raise Unpackable("Its entry points cannot be read.") from None
        for script, value in parser.items(group) if parser.has_section(group) else ():
            entry = _ENTRY.fullmatch(value.strip())
            if not _SCRIPT.fullmatch(script) or entry is None or not entry[2]:
                raise Unpackable("Its entry points cannot be read.")
            yield script, entry[1], entry[2]

    def _text(self, name: str) -> str:
        info = self._infos[name]
        if info.file_size > _METADATA:
            raise Unpackable("It describes itself at too great length.")
        return b"".join(self._pieces(info, None)).decode("utf-8")


def _target(name: str) -> str:
    """Where a file of a wheel comes to lie."""
    if name.startswith("/") or "\\" in name:
        raise Unpackable("It holds a name that no wheel has.")
    first, _, rest = name.partition("/")
    if not first.endswith(".data"):
        return f"lib/{name}"
    scheme, _, rest = rest.partition("/")
    if scheme not in _SPREAD or not rest:
        raise Unpackable("It has data for a place that is unknown.")
    return f"{_SPREAD[scheme]}/{rest}".lstrip("/")


def _starter(module: str, attribute: str) -> bytes:
    head = attribute.partition(".")[0]
    return (
        f"#!/usr/bin/env python3\nimport sys\n\nfrom {module} import {head}\n\n"
        f'if __name__ == "__main__":\n    sys.exit({attribute}())\n'
    ).encode()
