"""How much a file may hold. A bound that is met ends the reading with a reason; nothing is cut short in silence."""

from __future__ import annotations

from casemate.cells.serve import CannotRead

__all__ = [
    "BODIES",
    "CHARACTERS",
    "COLUMNS",
    "DEPTH",
    "ELEMENTS",
    "ENDLESS",
    "ENTRIES",
    "INPUT",
    "LINE",
    "MEMBER",
    "NESTED",
    "PAGES",
    "PARAGRAPHS",
    "PARTS",
    "PICTURES",
    "RATIO",
    "UNPACKED",
    "within",
]

INPUT = 64 << 20  # bytes of a file
CHARACTERS = 10_000_000  # of text, all parts together
PARAGRAPHS = 500_000
LINE = 1_000_000  # characters of one paragraph
PAGES = 10_000
PARTS = 10_000
ELEMENTS = 5_000_000  # of XML or HTML
DEPTH = 256
ENDLESS = 10  # tags of HTML that are opened by "<" and never closed by ">"
MEMBER = 64 << 20  # unpacked bytes of one member of an archive
UNPACKED = 256 << 20  # declared for all members together
RATIO = 250  # unpacked to packed, for a member above 1 MiB
ENTRIES = 10_000
COLUMNS = 16_384  # of a table: as many as a spreadsheet has
NESTED = 3  # files inside each other: an attachment of a forwarded message of a message
BODIES = 500  # of one message, attachments and what is inside them included
PICTURES = 200  # that are sent to text recognition for one file


def within(count: int, bound: int, what: str) -> None:
    """CannotRead where there are more than the bound."""
    if count > bound:
        raise CannotRead(f"It holds more than {bound:,} {what}.")
