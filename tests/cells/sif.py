"""SIF images as Apptainer writes them: header, descriptors, and a squashfs that mksquashfs has made."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

ARCH = {"x86_64": b"02", "aarch64": b"04"}.get(os.uname().machine, b"00")
HEADER = struct.Struct("<32s10s3s3s16s8q")
DESCRIPTOR = struct.Struct("<i?IIIqqqqqqq128s384s")
AT, DATA = 4096, 36864  # where sif puts descriptors and data


def squashed(folder: Path, *options: str) -> bytes:
    """A squashfs of a folder."""
    if shutil.which("mksquashfs") is None:
        pytest.skip("no mksquashfs: apt-get install squashfs-tools")
    made = folder.parent / f"{folder.name}.squashfs"
    subprocess.run(["mksquashfs", folder, made, "-noappend", "-quiet", "-no-progress", *options], check=True)
    return made.read_bytes()


def descriptor(
    number: int, at: int, size: int, *, type: int = 0x4004, used: bool = True, fs: int = 1, part: int = 2,
    arch: bytes = ARCH,
) -> bytes:  # fmt: skip
    extra = struct.pack("<ii3s", fs, part, arch) if type == 0x4004 else b""
    return DESCRIPTOR.pack(
        type, used, number, 0xF0000001, 0, at, size, size, 0, 0, 0, 0, b"squash.img", extra.ljust(384, b"\0")
    )


def header(count: int, *, magic: bytes = b"SIF_MAGIC\0", version: bytes = b"01", at: int = AT) -> bytes:
    times = (1_700_000_000, 1_700_000_000, 48 - count, count, at, 585 * count, DATA, 0)
    return HEADER.pack(b"#!/usr/bin/env run-singularity\n", magic, version, ARCH, bytes(16), *times)


def laid_out(head: bytes, descriptors: list[bytes], data: bytes) -> bytes:
    return (head.ljust(AT, b"\0") + b"".join(descriptors)).ljust(DATA, b"\0") + data


def sif(data: bytes) -> bytes:
    """A definition file and the primary partition."""
    recipe = b"Bootstrap: scratch\n".ljust(4096, b"\0")
    descriptors = [descriptor(1, DATA, 19, type=0x4001), descriptor(2, DATA + 4096, len(data))]
    return laid_out(header(2), descriptors, recipe + data)
