"""Places as the settings allow them, through the native API of a whole region."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from casemate.clock import ManualClock
from casemate.errors import Misconfigured
from casemate.ids import DerivedEntropy
from casemate.settings import parse
from casemate.wiring import Folder, connecting, open_house
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws import world as laws
from tests.laws.world import World, a_world

PLACES = """
[knowledge.places.press]
label = "UNCLASSIFIED"
path = "{folder}"
[knowledge.places.cellar]
label = "SECRET//NOFORN"
path = "{folder}/in"
[knowledge.places.bucket]
label = "UNCLASSIFIED"
kind = "s3"
endpoint = "http://127.0.0.1:1"
bucket = "b"
key_file = "s3.key"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "press"
    (found / "in").mkdir(parents=True)
    (found / "a.txt").write_bytes(b"(U) The ferry.\n\n(S//NF) The convoy.")
    (found / "in" / "b.txt").write_bytes(b"(U) The cellar.")
    return found


def placed(folder: Path, more: str = "") -> Any:
    text = laws.SETTINGS + PLACES.replace("{folder}", str(folder)) + more
    return patch.object(laws, "SETTINGS", text)


async def ask(world: World, method: str, target: str, label: str, body: Any = None) -> Any:
    return await world.call("ann", method, target, body, label)


async def test_a_folder_is_watched_by_whoever_may_know_what_lies_there(folder: Path) -> None:
    with placed(folder):
        async with a_world(5, ("us",)) as world:
            await world.person("ann", TOP)
            low = (await ask(world, "GET", "/api/sources", LOW)).json["data"]
            high = (await ask(world, "GET", "/api/sources", SECRET)).json["data"]
            assert [place["name"] for place in low["places"]] == ["bucket", "press"]
            assert [(place["name"], place["kind"]) for place in high["places"]] == [
                ("bucket", "s3"),
                ("cellar", "folder"),
                ("press", "folder"),
            ]
            assert str(folder) not in (await ask(world, "GET", "/api/sources", SECRET)).body.decode()
            hidden = await ask(world, "POST", "/api/sources", LOW, {"base": "port", "place": "cellar"})
            never = await ask(world, "POST", "/api/sources", LOW, {"base": "port", "place": "nowhere"})
            assert (hidden.status, never.status) == (404, 404)
            out = await ask(world, "POST", "/api/sources", SECRET, {"base": "b", "place": "press", "under": "../x"})
            assert out.status == 400
            for place, base in (("press", "port"), ("cellar", "quay")):
                made = await ask(world, "POST", "/api/sources", SECRET, {"base": base, "place": place})
                assert made.status == 201, made.body
            await world.step("knowledge.sources")
            await world.step("knowledge.ingest")
            seen = {}
            for label in (LOW, SECRET):
                found = await ask(world, "GET", "/api/documents", label)
                seen[label] = (len(found.json["data"]["documents"]), len(found.json["data"]["parts"]))
            assert seen == {LOW: (1, 1), SECRET: (3, 0)}, "in/b.txt of the press, and the cellar's at its own label"
            id = made.json["data"]["id"]
            listed = (await ask(world, "GET", "/api/sources", SECRET)).json["data"]["sources"]
            assert [source["told"]["files"] for source in listed if source["id"] == id] == [1]
            assert (await ask(world, "DELETE", f"/api/sources/{id}", SECRET)).json["data"] == {"files": 1}
            assert (await ask(world, "DELETE", f"/api/sources/{id}", SECRET)).status == 404


async def test_a_bucket_without_its_key_or_its_server_is_told(folder: Path) -> None:
    with placed(folder):
        async with a_world(5, ("us",)) as world:
            await world.person("ann", LOW)
            made = await ask(world, "POST", "/api/sources", LOW, {"base": "port", "place": "bucket"})
            assert made.status == 201, made.body
            for text, problem in (("", "misconfigured"), ("one-line", "misconfigured")):
                if text:
                    (world.folder / "keys" / "s3.key").write_text(text)
                world.clock.forward(61)
                await world.step("knowledge.sources")
                [source] = (await ask(world, "GET", "/api/sources", LOW)).json["data"]["sources"]
                assert source["told"]["problem"] == problem


@pytest.mark.parametrize("where", ["", "data", ".."])
async def test_no_place_shows_the_regions_own_folder(tmp_path: Path, where: str) -> None:
    folder = Folder(tmp_path / "region")
    for part in (folder.data, folder.keys, folder.run):
        part.mkdir(mode=0o700, parents=True)
    path = folder.path / where
    text = f'\n[knowledge.places.own]\nlabel = "UNCLASSIFIED"\npath = "{path}"\n'
    folder.settings_file.write_text(laws.SETTINGS.format(policies='"us"', root=tmp_path) + text)
    laws.keyed(folder)
    with pytest.raises(Misconfigured):
        await open_house(
            folder, "all", ManualClock(), DerivedEntropy(b"1"), durable=False, extractor=laws.PlainExtractor()
        )
    shutil.rmtree(folder.path)


async def test_a_plug_in_reads_a_kind_of_its_own(folder: Path) -> None:
    more = '[knowledge.places.mail]\nlabel = "UNCLASSIFIED"\nkind = "mail"\noptions = ["host=h"]\n'

    class Entry:
        name = "mail"

        def load(self) -> Any:
            return lambda place, under, domain: (place.options, under)

    class Other:
        name = "other"

    with placed(folder, more):
        with pytest.raises(Misconfigured):
            async with a_world(5, ("us",)):
                pass
        with patch.object(connecting, "entry_points", lambda group: [Other(), Entry()]):
            async with a_world(5, ("us",)) as world:
                await world.person("ann", LOW)
                made = await ask(world, "POST", "/api/sources", LOW, {"base": "port", "place": "mail"})
                assert made.status == 201


@pytest.mark.parametrize(
    "text",
    [
        'label = ""\npath = "/x"',
        'label = "UNCLASSIFIED"\npath = "/x"\noptions = ["host"]',
        'path = "/x"',
        'label = "UNCLASSIFIED"',
        'label = "UNCLASSIFIED"\npath = "/x"\nbucket = "b"',
        'label = "UNCLASSIFIED"\nkind = "s3"\nbucket = "b"\nendpoint = "http://h"',
        'label = "UNCLASSIFIED"\nkind = "s3"\nbucket = "b"\nkey_file = "k"',
        'label = "UNCLASSIFIED"\nkind = "s3"\nbucket = "b"\nendpoint = "http://h"\nkey_file = "k"\npath = "/x"',
    ],
)
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse(f"[knowledge.places.press]\n{text}\n")
    with pytest.raises(Misconfigured):
        parse('[knowledge.places."a b"]\nlabel = "UNCLASSIFIED"\npath = "/x"\n')
