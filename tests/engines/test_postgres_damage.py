"""A flipped byte in the server's own files: its page is told as damaged, and every row on another page is served."""

from __future__ import annotations

import asyncio

import pytest

from casemate.engines.postgres import PostgresWriter
from casemate.engines.postgres_read import PostgresReader
from casemate.errors import Damaged
from casemate.store import check
from tests.contracts.stores import put, puts
from tests.engines.postgres_server import gone, made

SEALED = {f"doc_{number:02}": f"sealed content of row {number:02}".encode() * 40 for number in range(40)}


def test_a_flipped_byte_takes_its_page_and_no_other() -> None:
    server = made()
    try:
        target = server.database()
        writer = PostgresWriter(target)
        asyncio.run(writer.commit(puts(*(put(name, sealed=raw, blinds=[("f", b"x")]) for name, raw in SEALED.items()))))
        writer.close()
        ((path,),) = server.run("SELECT pg_relation_filepath('casemate.rows')", target.dbname)
        server.run("CHECKPOINT")
        server.stop()
        file = server.folder / "data" / path
        raw = bytearray(file.read_bytes())
        place = raw.index(SEALED["doc_20"])
        raw[place + 5] ^= 4
        file.write_bytes(raw)
        server.start()
        reader = PostgresReader(target)
        for blinds in ([], [("f", b"x")]):
            rows, after = reader.scan("document", blinds, ["class_a"], None, 100)
            assert after is None
            assert [row.seq for row in rows] == list(range(1, 41))
            good = {row.id: row.sealed for row in rows if row.version}
            assert 25 <= len(good) < 40
            assert "doc_20" not in good
            assert all(check(row).sealed == SEALED[row.id] for row in rows if row.version)
            for row in rows:
                if not row.version:
                    with pytest.raises(Damaged):
                        check(row)
        with pytest.raises(Damaged):
            reader.get("document", "doc_20", ["class_a"])
        assert reader.get("document", "doc_01", ["class_a"])
        reader.close()
    finally:
        gone(server)
