"""Our own files: what they weigh, whose they are, that they ask nobody else, and the sheets of labels."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.doors.console import files, shades
from casemate.labels import Policies
from tests.console.visitor import FEVER, Page, Visitor, a_region

HOME = resources.files("casemate.doors.console")
POLICIES = Policies.load(("house", "tlp", "us", "nato", "fr"))


def everything(folder: str) -> list[str]:
    """The names of all files below a folder of the console."""
    found = []
    for each in HOME.joinpath(folder).iterdir():
        found += everything(f"{folder}/{each.name}") if each.is_dir() else [f"{folder}/{each.name}"]
    return found


def test_vendored_files_are_what_they_were() -> None:
    listed = tomllib.loads(HOME.joinpath("static", "vendor.toml").read_text("utf-8"))["file"]
    names = {name.removeprefix("static/") for name in everything("static/vendor")}
    assert names == {each["path"] for each in listed} | {each["licence_file"] for each in listed}
    for each in listed:
        raw = HOME.joinpath("static", *each["path"].split("/")).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == each["sha256"], each["path"]
        assert each["name"]
        assert each["version"]
        assert each["licence"]
    assert {f"static/{name}" for name in files.FILES} | {"static/vendor.toml"} == {
        name for name in everything("static") if not name.endswith(".txt")
    }


@pytest.mark.parametrize("name", [*everything("templates"), *(f"static/{name}" for name in files.FILES)])
def test_no_file_asks_another_host(name: str) -> None:
    raw = HOME.joinpath(*name.split("/")).read_bytes()
    if name.endswith((".woff2",)):
        return
    text = raw.decode()
    allowed = ("http://www.w3.org/2000/svg", "http://127.0.0.1:8080/v1")
    for place in allowed:
        text = text.replace(place, "")
    assert not re.search(r"https?://|[\"'(]//|@import|\bsrc:\s*url\(http", text), name
    if name.startswith("templates"):
        assert not re.search(r"<style|<script(?![^>]*src=)|\son\w+=|\sstyle=|\|\s*safe|javascript:", text), name


def test_the_budget_holds() -> None:
    """An answer on a cold browser, in gzip's sizes: with the font, and without it."""

    async def weigh() -> tuple[int, int]:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            seen = await analyst.post("/ask", {"question": FEVER})
            page = Page.of(seen)
            wanted = [link["href"] for link in page.all("link")] + [script["src"] for script in page.all("script")]
            size, font = len(gzip.compress(seen.body)), 0
            for path in wanted:
                part = await analyst.get(path, ("accept-encoding", "gzip"))
                assert part.status == 200, path
                size += len(part.body)
                for place in re.findall(rb"url\(([^)]*)\)", _plain(part.body)):
                    font += len((await analyst.get(place.decode())).body)
            return size, font

    size, font = asyncio.run(weigh())
    assert font > 10_000
    assert size <= 30_000
    assert size + font <= 100_000
    assert len(files.file("app.js").raw) < 2_000
    assert 6_000 <= len(files.file("console.css").raw) <= 12_288


def _plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def test_files_are_kept_for_good_under_their_digest_and_nothing_else_is_served() -> None:
    async def fetch() -> None:
        async with a_region() as world:
            visitor = Visitor(world)
            good = await visitor.get(files.address("app.js"))
            assert "immutable" in good.header("cache-control")
            assert good.body == files.file("app.js").raw
            assert (await visitor.get("/static/app.js?v=old")).header("cache-control") == "no-cache"
            packed = await visitor.get(files.address("app.js"), ("accept-encoding", "gzip, br"))
            assert gzip.decompress(packed.body) == good.body
            for name in ("../__init__.py", "..%2f__init__.py", "vendor.toml", "", "nothing.css", "vendor"):
                assert (await visitor.get(f"/static/{name}")).status == 404, name
            for page in ("/consent", "/favicon.ico", "/style/palette.css"):
                assert (await visitor.get(page)).status == 200

    asyncio.run(fetch())


def test_the_sheet_of_a_label_is_for_those_who_may_act_at_it() -> None:
    async def fetch() -> None:
        async with a_region() as world:
            visitor, analyst = await Visitor(world).sign_in("guest"), await Visitor(world).sign_in("analyst")
            stranger = Visitor(world)
            target = "/style/label.css?acting=us:SECRET//NOFORN"
            sheet = (await analyst.get(target)).body.decode()
            assert 'content:"SECRET\\2f \\2f NOFORN"' in sheet
            refused = await visitor.get(target)
            assert (refused.status, b"@page" in refused.body) == (403, False)
            assert (await stranger.get(target)).status == 303
            floor = await stranger.get("/style/floor.css")
            assert 'content:"UNCLASSIFIED"' in floor.body.decode()

    asyncio.run(fetch())


@given(st.text(max_size=60))
def test_words_in_a_sheet_stay_words(words: str) -> None:
    quoted = shades._quoted(words)
    assert re.fullmatch(r'"(?:[A-Za-z0-9 ]|\\[0-9a-f]{1,6} )*"', quoted)
    back = re.sub(r"\\([0-9a-f]{1,6}) ", lambda found: chr(int(found[1], 16)), quoted[1:-1])
    assert back == words


def test_every_level_has_a_colour_of_its_own_in_the_palette() -> None:
    sheet = shades.palette(POLICIES)
    for name, policy in POLICIES.listed.items():
        for level in policy.levels:
            label = POLICIES.parse(f"{name}:{level.banner['en']}")
            assert f".{shades.tone(POLICIES, label.text)}{{" in sheet
    assert shades.tone(POLICIES, "nonsense") == ""
    assert "edge:#33ff00" in sheet


def test_labels_to_choose_from_lie_in_the_session_and_look_different() -> None:
    async def look() -> None:
        async with a_region() as world:
            region = world.house.gate.vault.region
            analyst = await Visitor(world).sign_in("analyst")
            page = Page.of(await analyst.get("/session"))
            texts = [option["value"] for option in page.all("option")]
            ceiling = region.policies.clearance("us:SECRET//NOFORN") | region.floor
            labels = [region.policies.parse(text) for text in texts]
            assert len(labels) > 4
            assert all(region.floor <= label <= ceiling for label in labels)
            once = texts[: len(texts) // 3]
            assert len({region.policies.banner(region.policies.parse(text)) for text in once}) == len(once)

    asyncio.run(look())
