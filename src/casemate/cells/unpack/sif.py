"""An image of Apptainer or Singularity (SIF): its primary partition, a squashfs, becomes a tree.

SIF 1, as github.com/sylabs/sif writes it (pkg/sif: sif.go, descriptor.go): a header of 128 bytes, then descriptors of
585, little-endian and unpadded. Exactly one used descriptor has to be the primary partition; signatures, definition
files and overlays are not read: the environment's own digest is what is compared.

The squashfs is read by the machine's own `unsquashfs` (squashfs-tools 4.5), inside the sandbox. What it wrote is then
walked: devices and pipes go, and so do set-uid bits and what others might write.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import struct
import subprocess
from typing import Any, BinaryIO

from casemate.cells.unpack.tree import Unpackable

__all__ = ["MAGIC", "MISSING", "Missing", "is_sif", "primary", "sif"]

MAGIC = b"SIF_MAGIC\0"
MISSING = 69
"""The exit code where this machine has no unsquashfs (EX_UNAVAILABLE)."""
_HEADER = struct.Struct("<32s10s3s3s16s8q")
_DESCRIPTOR = struct.Struct("<i?IIIqqqqqqq128s384s")
_PARTITION = struct.Struct("<ii3s")
_SUPERBLOCK = struct.Struct("<4sIIIIHHHHHHQQ")
_FILE_SYSTEM, _SQUASHFS, _ENCRYPTED, _PRIMARY = 0x4004, 1, 5, 2
_DESCRIPTORS = 4096
_NAMES = 2_000_000
_ARCHITECTURES = {"i686": b"01", "x86_64": b"02", "armv7l": b"03", "aarch64": b"04", "ppc64le": b"06", "s390x": b"11"}
_PLAINLY = ("-n", "-q", "-f", "-no-xattrs", "-p", "1", "-da", "16", "-fr", "16")
_OLDEST = (4, 5)  # of unsquashfs: it can begin inside a file, and takes no link for a folder (CVE-2021-41072)


class Missing(Unpackable):
    """The machine lacks what reads a squashfs."""


def is_sif(path: str) -> bool:
    """Whether the file says that it is one."""
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read(_HEADER.size)[32:42] == MAGIC


def primary(file: BinaryIO, size: int, machine: str) -> tuple[int, int]:
    """Where the primary partition begins in a file of `size` bytes, and how long it is. Raises Unpackable.

    `machine`: as uname names it. Nothing is read but header, descriptors and the partition's superblock.
    """
    header = _read(file, 0, _HEADER, size)
    magic, version, _, total, at = header[1], header[2], header[3], header[8], header[9]
    if magic != MAGIC or version != b"01\0":
        raise Unpackable("It is no SIF image of version 1.")
    if not 0 <= total <= _DESCRIPTORS:
        raise Unpackable("It describes itself at too great length.")
    found = []
    for number in range(total):
        told = _read(file, at + number * _DESCRIPTOR.size, _DESCRIPTOR, size)
        if told[1] and told[0] == _FILE_SYSTEM:
            kind, part, made_for = _PARTITION.unpack_from(told[13])
            if part == _PRIMARY:
                found.append((kind, made_for, told[5], told[6]))
    if len(found) != 1:
        raise Unpackable("It has no primary partition, or several.")
    [(kind, made_for, begins, length)] = found
    if kind == _ENCRYPTED:
        raise Unpackable("Its primary partition is encrypted; build the image without a key.")
    if kind != _SQUASHFS:
        raise Unpackable("Its primary partition is no squashfs.")
    if made_for.rstrip(b"\0") not in (b"00", _ARCHITECTURES.get(machine, b"00")):
        raise Unpackable("It holds no image for this machine.")
    if begins < _HEADER.size or length <= 0 or begins + length > size:
        raise Unpackable("Its primary partition lies outside of it.")
    told = _read(file, begins, _SUPERBLOCK, size)
    if told[0] != b"hsqs" or told[9:11] != (4, 0) or not 0 < told[12] <= length:
        raise Unpackable("Its primary partition is no squashfs of version 4.")
    if told[1] > _NAMES:
        raise Unpackable("It has more names than it may.")
    return begins, length


def sif(path: str, target: str, machine: str) -> None:
    """The tree of an image for this machine, into a folder that is there and empty. Raises Unpackable, Missing."""
    with open(path, "rb") as file:  # noqa: PTH123
        begins, _ = primary(file, os.fstat(file.fileno()).st_size, machine)
    program = _unsquashfs()
    told = subprocess.run(  # noqa: S603 - no shell; the image's names are no arguments
        [program, *_PLAINLY, "-o", str(begins), "-d", target, path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if told.returncode not in (0, 2):  # 2: a device was left out, since only root may make one
        raise Unpackable("Its squashfs cannot be read, or there is no room for it.")
    _settle(target)


def _read(file: BinaryIO, at: int, form: struct.Struct, size: int) -> tuple[Any, ...]:
    if not 0 <= at <= size - form.size:
        raise Unpackable("It ends before what it describes.")
    file.seek(at)
    data = file.read(form.size)
    if len(data) != form.size:
        raise Unpackable("It ends before what it describes.")
    return form.unpack(data)


def _unsquashfs() -> str:
    """Its path. Raises Missing where there is none, or one that is too old."""
    found = shutil.which("unsquashfs")
    if found is None:
        raise Missing("This machine has no unsquashfs; install squashfs-tools.")
    told = subprocess.run([found, "-version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    version = re.search(rb"unsquashfs version (\d+)\.(\d+)", told.stdout)
    if version is None or (int(version[1]), int(version[2])) < _OLDEST:
        raise Missing("The unsquashfs of this machine is older than 4.5; install squashfs-tools.")
    return found


def _settle(root: str) -> None:
    """Files, folders and links stay, with bits that anybody may give; everything else goes."""
    left = [root]
    names = 0
    while left:
        folder = left.pop()
        os.chmod(folder, stat.S_IMODE(os.lstat(folder).st_mode) & 0o755 | stat.S_IRWXU)  # noqa: PTH101
        with os.scandir(folder) as entries:
            for entry in entries:
                names += 1
                if names > _NAMES:
                    raise Unpackable("It has more names than it may.")
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    left.append(entry.path)
                elif stat.S_ISREG(mode):
                    os.chmod(entry.path, stat.S_IMODE(mode) & 0o755 | stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101
                elif not stat.S_ISLNK(mode):
                    os.unlink(entry.path)  # noqa: PTH108
