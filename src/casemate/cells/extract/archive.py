"""A ZIP archive from a stranger: only the members that are asked for, each within its bounds.

What a member says of its size is checked before it is unpacked, and what it unpacks to is counted while it does.
Archives inside are never opened.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from casemate.cells.extract import bounds
from casemate.cells.serve import CannotRead

__all__ = ["Archive"]

_SMALL = 1 << 20  # below this many bytes a high ratio harms nobody


class Archive:
    """Raises CannotRead for whatever is wrong with it."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
            raise CannotRead("Its archive is damaged; it may be cut off.") from None
        members = self._zip.infolist()
        bounds.within(len(members), bounds.ENTRIES, "members in its archive")
        bounds.within(sum(member.file_size for member in members), bounds.UNPACKED, "bytes when unpacked")
        # programs differ in which of two they read, and in whether case makes a difference
        if len({member.filename.lower() for member in members}) != len(members):
            raise CannotRead("Its archive holds two members of one name.")
        if sum(member.compress_size for member in members) > len(data):
            raise CannotRead("Its archive holds members that overlap.")
        self.names = tuple(member.filename for member in members)
        self._known = frozenset(self.names)
        self._unpacked = 0

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def read(self, name: str) -> bytes:
        """The bytes of one member."""
        if name not in self._known:
            raise CannotRead("Its archive lacks a member that it speaks of.")
        member = self._zip.getinfo(name)
        if member.flag_bits & 0x1:
            raise CannotRead("It is protected by a password.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CannotRead("Its archive is packed in a way that is not read.")
        bounds.within(member.file_size, bounds.MEMBER, "bytes in one member of its archive")
        if member.file_size > max(_SMALL, bounds.RATIO * member.compress_size):
            raise CannotRead(f"A member of its archive unpacks to more than {bounds.RATIO} times its size.")
        try:
            with self._zip.open(member) as packed:
                unpacked = packed.read(member.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
            raise CannotRead("Its archive is damaged; it may be cut off.") from None
        if len(unpacked) != member.file_size:
            raise CannotRead("Its archive is damaged; it may be cut off.")
        self._unpacked += len(unpacked)
        bounds.within(self._unpacked, bounds.UNPACKED, "bytes when unpacked")  # one member may be read again and again
        return unpacked
