"""A row that was changed in the file of a stopped region: passed over, named to the operator, nothing of it shown."""

from __future__ import annotations

import time

import apsw

from casemate.engines.sqlite_schema import summing
from tests.cli.running import Place, running

NOTE = "INTERNAL\n\n(INTERNAL) The orchard opens at nine.\n\nINTERNAL\n"


def test_a_damaged_row_is_named_and_the_others_are_served(place: Place) -> None:
    place.init()
    for name in ("one", "two"):
        (place.path / f"{name}.md").write_text(f"{NOTE}\n{name}\n")
    with running(place) as up:
        for name in ("one", "two"):
            assert up.run("add", place.path / f"{name}.md", "--json").data["added"] == 1
        assert up.run("store", "quarantine", "--json").data == []
        assert up.stop() == 0
    summing()
    with apsw.Connection(str(place.region / "data" / "records.db")) as db:
        [(pk, sealed)] = db.execute("SELECT pk, sealed FROM rows WHERE kind = 'document' ORDER BY pk LIMIT 1")
        db.execute("UPDATE rows SET sealed = ? WHERE pk = ?", (sealed[:-1] + bytes([sealed[-1] ^ 1]), pk))
    db.close()
    checked = place.run("store", "check")
    assert checked.code == 10, checked
    with running(place) as up:
        assert up.run("document", "review", "--json").code == 0, "one damaged row takes no listing away"
        until = time.monotonic() + 20
        while not (rows := up.run("store", "quarantine", "--json").data):
            assert time.monotonic() < until
            time.sleep(0.2)
        [row] = rows
        assert (row["kind"], row["whole"]) == ("document", False)
        told = up.run("store", "quarantine")
        assert (told.code, "document/" in told.out) == (0, True), told
        assert not {"one", "two", "orchard"} & set(told.out.replace("/", " ").replace(".", " ").split())
        assert up.run("store", "quarantine", CASEMATE_LANGUAGE="fr").code == 0
