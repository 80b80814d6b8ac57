"""Asking: rungs with their marks, the stream, as seen by another, keeping, proving, and what is refused."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator

from casemate.doors.console.rungs import Pieces, rungs
from casemate.models import Card, Citation, Delta, Prompt, Usage
from tests.console.visitor import FEVER, Page, Visitor, a_region
from tests.laws.world import Seen, World


def messages(seen: Seen) -> list[str]:
    """The messages of a stream of events."""
    found = []
    for block in seen.body.decode().split("\n\n"):
        lines = [line.removeprefix("data: ") for line in block.splitlines()]
        if lines:
            found.append("\n".join(lines))
    return found


def test_an_answer_comes_in_marked_rungs_lowest_first_with_passages_that_open() -> None:
    async def ask() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            page = Page.of(await analyst.post("/ask", {"question": FEVER}))
            marks = re.findall(r'<p class="said"><span class="mark">([^<]*)</span>', page.source)
            assert marks == ["(U)", "(S//NF)"]
            assert "Velspira" in page.text
            assert page.text.index("Nobody knows") < page.text.index("Velspira")
            assert "Extracts are quoted word for word" in page.text
            assert {a["href"] for a in page.all("a")} >= {"/connect"}
            cited = [a["href"] for a in page.all("a") if "#psg_" in a["href"]]
            assert len(cited) >= 2
            path, _, passage = cited[-1].partition("#")
            opened = Page.of(await analyst.get(path))
            assert passage in {attributes.get("id") for _, attributes in opened.tags}

    asyncio.run(ask())


def test_the_stream_tells_the_same_rungs_one_message_each() -> None:
    async def ask() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            whole = Page.of(await analyst.post("/ask", {"question": FEVER}))
            seen = await analyst.post("/ask/stream", {"question": FEVER})
            assert seen.header("content-type") == "text/event-stream"
            assert seen.header("casemate-marking") == "SECRET//NOFORN"
            assert seen.header("content-security-policy")
            told = messages(seen)
            assert seen.body.count(b"\n\n") >= 4
            said = re.compile(r'<p class="said">.*?</p>')
            assert [found for message in told for found in said.findall(message)] == said.findall(whole.source)
            assert seen.header("casemate-ledger") in told[-1]
            entry = (await analyst.get(f"/ledger/{seen.header('casemate-ledger')}.json")).json["data"]["entry"]
            assert (entry["action"], entry["outcome"]) == ("answer.ask", "begin")

    asyncio.run(ask())


def test_a_lower_acting_label_gives_its_own_rungs_alone() -> None:
    async def ask() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            seen = await analyst.post("/ask?acting=us:UNCLASSIFIED", {"question": FEVER})
            assert seen.header("casemate-marking") == "UNCLASSIFIED"
            assert "Velspira" not in seen.body.decode()
            assert "Nobody knows" in seen.body.decode()

    asyncio.run(ask())


def test_a_mark_above_the_acting_label_is_refused_before_anything_is_stored() -> None:
    async def ask() -> None:
        async with a_region() as world:
            visitor = await Visitor(world).sign_in("guest")
            for path in ("/ask", "/ask/stream", "/prove"):
                seen = await visitor.post(path, {"question": "(S//NF) Where is the fever?"}, ("hx-request", "true"))
                assert seen.status == 403
                assert "mark-above" in seen.body.decode()
                assert "<html" not in seen.body.decode()
            entries = (await visitor.get("/ledger.json")).json["data"]
            assert not [e for e in entries if e["entry"]["outcome"] == "begin"]

    asyncio.run(ask())


def test_an_auditor_sees_as_another_sees_with_a_reason_and_nobody_else_does() -> None:
    async def ask() -> None:
        async with a_region() as world:
            auditor, analyst = await Visitor(world).sign_in("auditor"), await Visitor(world).sign_in("analyst")
            await (await Visitor(world).sign_in("guest")).get("/today")
            page = Page.of(await auditor.get("/ask"))
            assert "guest" in page.text
            asked = {"question": FEVER, "who": "guest", "reason": "A check"}
            seen = await auditor.post("/ask", asked)
            assert "As seen by guest" in Page.of(seen).text
            assert "Velspira" not in seen.body.decode()
            assert seen.header("casemate-marking") != "UNCLASSIFIED"
            assert (await auditor.post("/ask", asked | {"reason": " "})).status == 403
            assert (await analyst.post("/ask", asked)).status == 403
            assert "As seen by" not in Page.of(await analyst.get("/ask")).text
            entries = (await auditor.get("/ledger.json")).json["data"]
            [noted] = [e["entry"] for e in entries if e["entry"]["outcome"] == "as-another"]
            assert (noted["facts"]["as"], noted["facts"]["reason"]) == ("guest", "A check")

    asyncio.run(ask())


def test_an_answer_is_kept_at_the_label_of_its_page_and_never_below() -> None:
    async def ask() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            page = Page.of(await analyst.post("/ask", {"question": FEVER}))
            form = {field["name"]: field["value"] for field in page.all("input") if field.get("type") == "hidden"}
            kept = await analyst.post("/answers", form, ("hx-request", "true"))
            assert kept.status == 201
            assert "<html" not in kept.body.decode()
            shown = Page.of(await analyst.get("/answers"))
            assert "Velspira" in shown.text
            assert "(S//NF)" in shown.text
            below = await analyst.post("/answers", form | {"label": "us:UNCLASSIFIED"})
            assert below.status == 403
            assert "no-write-down" in below.body.decode()
            assert "Velspira" not in Page.of(await analyst.get("/answers?acting=us:UNCLASSIFIED")).text

    asyncio.run(ask())


def test_the_prove_button_shows_two_equal_digests_and_a_signature() -> None:
    async def ask() -> None:
        async with a_region() as world:
            analyst = await Visitor(world).sign_in("analyst")
            seen = await analyst.post("/prove", {"question": FEVER}, ("hx-request", "true"))
            first, second, signature = re.findall(r'<code class="digest">([0-9a-f]+)</code>', seen.body.decode())
            assert first == second
            assert len(signature) == 128
            whole = Page.of(await analyst.post("/prove", {"question": FEVER}))
            assert whole.banners == ["SECRET//NOFORN"] * 2
            assert "Solo region" in whole.text

    asyncio.run(ask())


def test_where_nothing_answers_there_is_nothing_to_keep() -> None:
    async def ask() -> None:
        async with a_region() as world:
            visitor = await Visitor(world).sign_in("guest")
            page = Page.of(await visitor.post("/ask", {"question": "zzyzx qwerty?"}))
            assert "No source" in page.text
            assert "Keep this answer" not in page.text
            empty = await visitor.post("/ask", {"question": "  "})
            assert empty.status == 400

    asyncio.run(ask())


class Model:
    """A model that says what it is given; `breaks` after the first piece."""

    def __init__(self, breaks: bool = False) -> None:
        self.breaks = breaks

    dialect = ""

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        from casemate.errors import EngineFailed

        yield Delta(text="As <b>itself</b>: ")
        if self.breaks:
            raise EngineFailed(engine="acme", why="it hung up")
        yield Delta(text="forty-two.")
        yield Delta(finish="stop", usage=Usage(3, 4))


def connect(world: World, breaks: bool = False) -> None:
    ceiling = world.house.gate.vault.region.ceiling
    world.house.catalogue.add(Card("acme", "acme", "acme", ceiling, Model(breaks)))


def test_a_model_as_itself_is_told_in_pieces_under_the_mark_of_the_page() -> None:
    async def ask() -> None:
        async with a_region() as world:
            connect(world)
            analyst = await Visitor(world).sign_in("analyst")
            asked = {"question": "Who are you?", "model": "acme", "knowledge": "none"}
            told = messages(await analyst.post("/ask/stream", asked))
            opening = next(message for message in told if "<article" in message)
            assert '<span class="mark">(S//NF)</span>' in opening
            assert "As &lt;b&gt;itself&lt;/b&gt;" in opening
            assert "Written by acme." in opening
            assert any('<hx-partial hx-target="#said-1"' in message for message in told)
            assert "Prove it" not in told[-1]
            whole = (await analyst.post("/ask", asked)).body.decode()
            assert '<span class="mark">(S//NF)</span> As &lt;b&gt;itself&lt;/b&gt;: forty-two.' in whole

    asyncio.run(ask())


def test_a_stream_that_fails_ends_with_the_problem() -> None:
    async def ask() -> None:
        async with a_region() as world:
            connect(world, breaks=True)
            analyst = await Visitor(world).sign_in("analyst")
            asked = {"question": "Who are you?", "model": "acme", "knowledge": "none"}
            told = messages(await analyst.post("/ask/stream", asked))
            assert "it hung up" in html.unescape(told[-1])
            assert 'role="alert"' in told[-1]

    asyncio.run(ask())


def test_rungs_are_told_when_they_are_whole() -> None:
    def cited(number: int) -> Citation:
        return Citation(number=number, title="", document="d", passage="p", mark="(U)", label="low", link="", quote="")

    async def deltas() -> AsyncIterator[Delta]:
        yield Delta(text="(U) One ", mark="(U)", label="low", engine="acme")
        yield Delta(text="rung. [1]", label="low")
        yield Delta(label="low", citations=(cited(1),), extract=True)
        yield Delta(text="\n\n(S) Two.", mark="(S)", label="high", note="n")
        yield Delta(text="\n\n(T) Three.", mark="(T)", label="top")
        yield Delta(finish="stop")

    async def loose() -> AsyncIterator[Delta]:
        for piece in ("a", "b", "c"):
            yield Delta(text=piece, engine="acme")

    async def gather() -> None:
        one, two, three = [found async for found in rungs(deltas())]
        assert (one.text, one.mark, one.extract, len(one.citations)) == ("(U) One rung. [1]", "(U)", True, 1)  # type: ignore[union-attr]
        assert (two.text, three.text) == ("(S) Two.", "(T) Three.")
        pieces = [found async for found in rungs(loose())]
        assert all(isinstance(found, Pieces) for found in pieces)
        assert "".join(found.text for found in pieces) == "abc"
        assert [found.opens for found in pieces] == [1] + [0] * (len(pieces) - 1)  # type: ignore[union-attr]

    asyncio.run(gather())


def test_a_number_is_a_link_only_where_it_names_a_source() -> None:
    async def look() -> None:
        async with a_region() as world:
            from casemate.access import Gate
            from casemate.doors.console.view import View

            gate: Gate = world.house.gate
            region = gate.vault.region
            view = View(gate, region.floor, "en")
            one = Citation(number=1, title="", document="d", passage="p", mark="(U)", label="", link="", quote="")
            said = str(view.marked("(U) <i>x</i> [1] [2]", "(U)", 3, (one,)))
            assert said.startswith('<span class="mark">(U)</span> &lt;i&gt;x&lt;/i&gt; ')
            assert '<a class="ref" href="#rung-3-source-1">[1]</a> [2]' in said

    asyncio.run(look())
