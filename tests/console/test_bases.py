"""The page of knowledge: what is visible of each base, what is said of it, and the sources of files."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from casemate.doors.console.bases import _problem
from casemate.knowledge.bases import BaseTold
from tests.attacks.scene import LOW, SECRET
from tests.console.test_document import bring, forms
from tests.console.test_pages import check
from tests.console.visitor import HIGH, Page, Visitor, a_region
from tests.laws import world as laws

AT_SECRET, AT_LOW = f"?acting={quote(SECRET)}", f"?acting={quote(LOW)}"
ODD = "UNCLASSIFIED\n\n(S//NF) Above its banner.\n\nUNCLASSIFIED\n"


def sizes(page: Page, base: str) -> str:
    """What is told of one base."""
    return page.source.partition(f'id="base-{base}"')[2].partition("</article>")[0]


async def test_what_is_counted_is_what_may_be_seen() -> None:
    async with a_region() as world:
        await bring(world, HIGH)
        await bring(world, ODD, "odd.txt")
        analyst, guest = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("guest")
        high = sizes(check(await analyst.get(f"/knowledge{AT_SECRET}"), "en"), "pier")
        assert "<dt>Passages</dt><dd>3</dd>" in high
        assert "Quarantined" in high
        assert "hashing" in high
        assert "<progress" not in high
        low = sizes(Page.of(await guest.get("/knowledge")), "pier")
        assert "<dt>Passages</dt><dd>2</dd>" in low
        assert "Quarantined" not in low
        french = check(await (await Visitor(world, "fr").sign_in("analyst")).get("/knowledge"), "fr")
        assert "Vectoriseur" in french.text


async def test_a_base_is_made_changed_and_given_up() -> None:
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        form = {"name": "quay", "title": "The <b>quay</b>", "embedder": "", "granularity": "document"}
        made = await analyst.post(f"/knowledge{AT_SECRET}", form)
        assert (made.status, made.header("location")) == (303, f"/knowledge?{urlencode({'acting': SECRET})}")
        page = Page.of(await analyst.go(made.header("location")))
        assert "The &lt;b&gt;quay&lt;/b&gt;" in page.source
        assert "Set by" in sizes(page, "quay")
        data = (await analyst.get(f"/knowledge.json{AT_SECRET}")).json["data"]
        [quay] = [base for base in data["bases"] if base["name"] == "quay"]
        assert (quay["granularity"], quay["embedder"]) == ("document", "hashing")
        assert (await analyst.post(f"/knowledge/quay/embedder{AT_SECRET}", {"embedder": "hashing"})).status == 303
        assert (await analyst.post(f"/knowledge/quay/embedder{AT_SECRET}", {"embedder": "never"})).status == 400
        low = Page.of(await analyst.get(f"/knowledge{AT_LOW}"))
        assert "quay" not in low.text, "what is said above is not there below"
        assert (await analyst.post(f"/knowledge/quay/remove{AT_SECRET}", {})).status == 303
        assert "quay" not in Page.of(await analyst.get(f"/knowledge{AT_SECRET}")).text
        assert (await analyst.post(f"/knowledge/quay/remove{AT_SECRET}", {})).status == 404


async def test_how_far_another_embedder_has_come_is_a_bar_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    told = BaseTold("quay", "", "hashing", "portion", {}, 0, "", 0, 1, 10, 0, 0, others=4)

    async def bases(*_: object) -> list[BaseTold]:
        return [told]

    monkeypatch.setattr("casemate.doors.native.bases.bases", bases)
    async with a_region() as world:
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get("/knowledge"))
        [bar] = page.all("progress")
        assert (bar["max"], bar["value"]) == ("10", "6")
        assert "4 of 10 passages still have the vectors of another embedder" in page.text
        assert [label for label in page.all("label") if label.get("for") == bar["id"]]


async def test_a_mark_in_a_title_above_the_acting_label_is_refused() -> None:
    async with a_region() as world:
        guest = await Visitor(world).sign_in("guest")
        refused = await guest.post("/knowledge", {"name": "quay", "title": "(S//NF) The quay"})
        assert (refused.status, "mark-above" in refused.body.decode()) == (403, True)


async def test_without_a_base_and_without_a_place_the_page_says_so() -> None:
    async with laws.a_world(policies=("us",)) as world:
        await world.person("analyst", SECRET)
        analyst = await Visitor(world).sign_in("analyst")
        page = Page.of(await analyst.get("/knowledge"))
        assert "There is no knowledge here yet." in page.text
        assert "allow no place at this label" in page.text


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the settings allow, and one above."""
    (tmp_path / "a.txt").write_text("(U) The ferry leaves.")
    more = "".join(
        f'\n[knowledge.places.{name}]\nlabel = "{label}"\npath = "{tmp_path}"\n'
        for name, label in (("press", "UNCLASSIFIED"), ("cellar", "SECRET//NOFORN"))
    )
    monkeypatch.setattr(laws, "SETTINGS", laws.SETTINGS + more)
    return tmp_path


async def test_a_place_is_watched_and_told_how_it_stands(watched: Path) -> None:
    async with a_region() as world:
        analyst, guest = await Visitor(world).sign_in("analyst"), await Visitor(world).sign_in("guest")
        assert "cellar" not in Page.of(await guest.get("/knowledge")).source
        assert "cellar" in Page.of(await analyst.get("/knowledge")).source
        form = {"place": "press", "under": "", "base": "pier", "label": "", "every": "60"}
        for wrong in ("x", "5", "1234567"):
            assert (await analyst.post(f"/sources{AT_LOW}", form | {"every": wrong})).status == 400
        made = await analyst.post(f"/sources{AT_LOW}", form)
        assert made.status == 303, made.body
        page = Page.of(await analyst.go(made.header("location")))
        assert "Not looked at yet" in page.text
        await world.step("knowledge.sources")
        looked = Page.of(await analyst.get(f"/knowledge{AT_LOW}"))
        assert "Files: 1" in looked.text
        assert "Not looked at yet" not in looked.text
        theirs = Page.of(await guest.get("/knowledge"))
        assert "Files: 1" in theirs.text
        assert forms(theirs, "/sources/") == []
        shutil.rmtree(watched)
        world.clock.forward(120)
        await world.step("knowledge.sources")
        broken = Page.of(await analyst.get(f"/knowledge{AT_LOW}"))
        assert [each for each in broken.tags if "chip stop" in each[1].get("class", "")]
        [end] = forms(broken, "/sources/")
        assert (await analyst.post(end, {})).status == 303
        assert "Look there no longer" not in Page.of(await analyst.get(f"/knowledge{AT_LOW}")).text


@pytest.mark.parametrize(
    ("slug", "told"),
    [("unknown-place", "The settings no longer allow this place"), ("unavailable", ""), ("never-heard", "never-heard")],
)
def test_a_problem_of_a_source_is_told_in_words(slug: str, told: str) -> None:
    said = _problem(slug, "en")
    assert said == told if told else said != slug
