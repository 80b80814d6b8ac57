"""A move that did not arrive whole changes nothing: the region stands where it stood."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemate.engines.move import Side, carry
from casemate.engines.postgres_move import PostgresSide
from casemate.errors import Damaged, Misconfigured, Occupied
from casemate.settings import StoreSettings
from casemate.wiring import Folder, found, moving
from tests.engines.postgres_server import shared


def still(what: str, done: int) -> None:
    del what, done


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "region")
    asyncio.run(found(made, "r", "A", ("house",), 0, "owner", "0", "en"))
    return made


def test_what_differs_is_not_moved(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    text = folder.settings_file.read_text()

    def lossy(source: Side, target: PostgresSide, tell: object) -> None:
        carry(source, target, lambda _done: None)
        target._run("DELETE FROM tides WHERE ctid = (SELECT min(ctid) FROM tides)")

    monkeypatch.setattr(moving, "carry", lossy)
    with shared().lent() as target:
        to = StoreSettings(kind="postgresql", host=target.host, dbname=target.dbname)
        with pytest.raises(Damaged) as caught:
            asyncio.run(moving.move(folder, to, still))
        assert caught.value.facts == {"what": "tides"}
        assert folder.settings_file.read_text() == text
        assert folder.records.exists()
        monkeypatch.undo()
        moved = asyncio.run(moving.move(folder, to, still))
        assert moved.kind == "postgresql"
        assert folder.settings().store == to


def test_to_where_it_lies_already_is_nowhere(folder: Folder) -> None:
    with pytest.raises(Occupied):
        asyncio.run(moving.move(folder, StoreSettings(), still))


def test_a_text_that_cannot_be_changed_is_left_to_a_person(folder: Folder) -> None:
    text = folder.settings_file.read_text().replace("[region]", "store.kind = 'sqlite'\n[region]")
    folder.settings_file.write_text(text)
    to = StoreSettings(kind="postgresql", host="/nowhere")
    with pytest.raises(Misconfigured):
        asyncio.run(moving.move(folder, to, still))
    assert folder.settings_file.read_text() == text
