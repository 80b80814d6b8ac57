"""Volumes: any file cut into N, of which any K give it back, and a code for what is missing.

Pure: numbers, bytes and digests. `engines/volume_split` and `volume_join` read and write. It knows of what it carries
an id and a banner, both given to it, and says nothing else of it on the outside.
"""

from __future__ import annotations

from casemate.transfer.volumes.gaps import SIGNS, Gap, gap_of, read_code, write_code
from casemate.transfer.volumes.parity import add_up, parity_rows, repair_rows
from casemate.transfer.volumes.volume import Carried, Head, Layout, counted, parse_head, planned

__all__ = [
    "SIGNS",
    "Carried",
    "Gap",
    "Head",
    "Layout",
    "add_up",
    "counted",
    "gap_of",
    "parity_rows",
    "parse_head",
    "planned",
    "read_code",
    "repair_rows",
    "write_code",
]
