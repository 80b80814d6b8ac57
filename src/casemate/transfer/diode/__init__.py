"""The diode link: objects over a wire on which nothing comes back, as sessions of proven datagrams.

Pure: it holds no file, no socket and no clock; engines implement the ports of link.py, and a simulator does in tests.
It never lets the decoder see an unproven byte, never shows an object that is not whole and verified, and never asks the
low side for anything: what is missing is told to people, as a gap code.
"""

from __future__ import annotations

from casemate.transfer.diode.arriving import Arriving
from casemate.transfer.diode.carousel import INTERLEAVE, Offer
from casemate.transfer.diode.datagram import BLOCK, MESSAGES, OVERHEAD, Reader, Writer
from casemate.transfer.diode.dropped import HEAD, dropped, read_head
from casemate.transfer.diode.gapcode import Gaps, ranges, read_gaps, write_gaps
from casemate.transfer.diode.heartbeat import DEAD, INTERVAL
from casemate.transfer.diode.link import Drop, Ear, Mouth, Spool, Whole
from casemate.transfer.diode.message import BANNER, Heartbeat, Manifest, read_message
from casemate.transfer.diode.padding import LENGTH, block_of, padded, true_length
from casemate.transfer.diode.receiver import Alarm, Bounds, Receiver
from casemate.transfer.diode.repair import SYMBOLS, encoded, overhead, repair_of, source_symbols
from casemate.transfer.diode.sender import AROUND, Pace, Sender
from casemate.transfer.diode.session import Sessions, new_session
from casemate.transfer.diode.status import Gap, Object, Status, status_of

__all__ = [
    "AROUND",
    "BANNER",
    "BLOCK",
    "DEAD",
    "HEAD",
    "INTERLEAVE",
    "INTERVAL",
    "LENGTH",
    "MESSAGES",
    "OVERHEAD",
    "SYMBOLS",
    "Alarm",
    "Arriving",
    "Bounds",
    "Drop",
    "Ear",
    "Gap",
    "Gaps",
    "Heartbeat",
    "Manifest",
    "Mouth",
    "Object",
    "Offer",
    "Pace",
    "Reader",
    "Receiver",
    "Sender",
    "Sessions",
    "Spool",
    "Status",
    "Whole",
    "Writer",
    "block_of",
    "dropped",
    "encoded",
    "new_session",
    "overhead",
    "padded",
    "ranges",
    "read_gaps",
    "read_head",
    "read_message",
    "repair_of",
    "source_symbols",
    "status_of",
    "true_length",
    "write_gaps",
]
