"""What was sealed, read in one pass from its beginning to its end, within bounds. Whatever is malformed is `inside`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from casemate_verify.face import Face
from casemate_verify.faults import Misread
from casemate_verify.frames import Content
from casemate_verify.layout import Layout, read_index
from casemate_verify.members import lying, walk
from casemate_verify.release import Release, read_release

__all__ = ["Inside", "read_inside"]

ROOTS = 256


@dataclass(frozen=True, slots=True)
class Inside:
    """All that the verdict asks about.

    `roots` by the number in their names and `files` by their role, as they lie: they are read where they are judged.
    `envelope`: the bytes of the release.
    """

    layout: Layout
    release: Release
    envelope: bytes
    roots: dict[int, bytes]
    files: dict[str, bytes]


def read_inside(file: BinaryIO, face: Face, key: bytes) -> Inside:
    """Every frame is opened, every member taken and every blob hashed. Misread `inside`."""
    content = Content(file, face, key)
    whole: dict[str, bytes] = {}
    roots: dict[int, bytes] = {}
    files: dict[str, bytes] = {}
    layout: Layout | None = None
    running = hashlib.sha512()
    try:
        for member in walk(content, face):
            if member.kind == "blob":
                layout = layout or Layout(read_index(_of(whole, "index.json")))
                layout.blob(member.path, member.size, content.pieces(member.size))
                continue
            data = content.take(member.size)
            running.update(lying(member, data))
            if member.kind == "metadata":
                name, is_root, _ = member.path.removeprefix("metadata/").partition(".root")
                if is_root:
                    roots[int(name)] = data
                else:
                    files[name.removesuffix(".json")] = data
                if len(roots) > ROOTS:
                    raise ValueError("too many roots")
            else:
                whole[member.path] = data
        if running.digest() != face.inner:
            raise ValueError("other small files than those that were signed")
        layout = layout or Layout(read_index(_of(whole, "index.json")))
        if _of(whole, "oci-layout") != b'{"imageLayoutVersion":"1.0.0"}':
            raise ValueError("another layout")
        envelope = _of(whole, "release.dsse.json")
        return Inside(layout, read_release(envelope), envelope, roots, files)
    except ValueError as error:
        raise Misread("inside", str(error)) from None


def _of(whole: dict[str, bytes], path: str) -> bytes:
    if path not in whole:
        raise ValueError(f"no {path}")
    return whole[path]
