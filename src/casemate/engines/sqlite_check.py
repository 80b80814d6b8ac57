"""Every page of a closed data/records.db held against its checksum: also those that no question would ever read."""

from __future__ import annotations

from pathlib import Path

import apsw

from casemate.engines.sqlite_schema import open_reader, summed, summing
from casemate.errors import Damaged

__all__ = ["check_pages"]


def check_pages(path: Path) -> int:
    """How many pages are right; 0 where this file's pages bear no checksums. Raises Damaged, naming the first."""
    summing()
    db = open_reader(path)
    try:
        db.execute("PRAGMA checksum_verification = ON")
        if not summed(db):
            return 0
        size = int(db.execute("PRAGMA page_size").get)
        with path.open("rb") as file:
            number = 0
            while page := file.read(size):
                number += 1
                if len(page) != size or db.execute("SELECT verify_checksum(?)", (page,)).get != 1:
                    raise Damaged(what=f"records, page {number}")
        return number
    except apsw.Error:
        raise Damaged(what="records") from None
    finally:
        db.close()
