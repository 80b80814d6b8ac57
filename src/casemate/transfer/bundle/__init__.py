"""A bundle: an area that anybody can read, sealed frames behind it, an OCI layout inside (docs/bytes/bundle.md).

    face, frames: the outside        members, layout, release, roles, inside: what is sealed        pack: a new one

All that comes from outside is bounded and has one reading. Nothing here reads a file, a clock or a network, or decides
whether a bundle is taken: that is `transfer.verify`.
"""

from __future__ import annotations

from casemate.transfer.bundle.face import (
    AREA,
    MAGIC,
    Face,
    Outside,
    Profile,
    Role,
    Signature,
    file_size,
    hint_of,
    read_area,
    signed,
)
from casemate.transfer.bundle.frames import FRAME, SEALED, Frames, padded, unwrapped, wrapped_to
from casemate.transfer.bundle.inside import Inside, Piece, Reading
from casemate.transfer.bundle.layout import LAYOUT, File, digest_of
from casemate.transfer.bundle.names import is_name, is_path
from casemate.transfer.bundle.pack import Content, Layout, Taken, Thing, content_of, planned
from casemate.transfer.bundle.release import Approval, Guarded, Release, envelope_of, read_envelope
from casemate.transfer.bundle.roles import ROLES, Trust, chained, make_metadata, make_root, read_root

__all__ = [
    "AREA",
    "FRAME",
    "LAYOUT",
    "MAGIC",
    "ROLES",
    "SEALED",
    "Approval",
    "Content",
    "Face",
    "File",
    "Frames",
    "Guarded",
    "Inside",
    "Layout",
    "Outside",
    "Piece",
    "Profile",
    "Reading",
    "Release",
    "Role",
    "Signature",
    "Taken",
    "Thing",
    "Trust",
    "chained",
    "content_of",
    "digest_of",
    "envelope_of",
    "file_size",
    "hint_of",
    "is_name",
    "is_path",
    "make_metadata",
    "make_root",
    "padded",
    "planned",
    "read_area",
    "read_envelope",
    "read_root",
    "signed",
    "unwrapped",
    "wrapped_to",
]
