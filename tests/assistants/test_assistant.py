"""The answerer inside a region: which rungs, who writes them, and what is said where nobody can."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.assistants import CAP, Assistant, Told, gathered
from casemate.engines.hashing import HashingEmbedder
from casemate.errors import BadInput, EngineFailed, UnknownKnowledge, UnknownModel
from casemate.knowledge import Library
from casemate.models import READER, Chat, Delta, Message, Usage
from casemate.policy import Action
from casemate.words import say
from tests.attacks.scene import ASKED, LOW, SECRET, TOP, Writer, bring, connect, flow_of, hide, log, principal
from tests.laws.world import World

OPEN = b"No hidden lantern stands at the pier."
ASK = Action("ask", "answer")


async def ask(world: World, acting: str = TOP, text: str = ASKED, clearance: str = TOP, **more: Any) -> Told:
    flow = await flow_of(world, principal(world, "ann", clearance), ASK, acting)
    chat = Chat(messages=(Message("user", text),), **{"model": READER, **more})
    assistant = Assistant(Library(HashingEmbedder()), world.house.catalogue)
    return await gathered(assistant.answer(flow, chat))


async def stored(world: World) -> None:
    await world.person("ann", TOP)
    for label, text in (
        (LOW, OPEN),
        (SECRET, b"The hidden lantern burns at the pier."),
        (TOP, b"A hidden lantern: pier."),
    ):
        await hide(world, "ann", label, text)


async def test_rungs_from_the_lowest_up(world: World) -> None:
    await stored(world)
    told = await ask(world)
    assert [rung.label for rung in told.rungs] == [LOW, SECRET, TOP]
    assert [rung.mark for rung in told.rungs] == ["(U)", "(S//NF)", "(TS//SI//NF)"]
    assert told.text == "\n\n".join(rung.text for rung in told.rungs)
    assert all(rung.text.startswith(rung.mark) for rung in told.rungs)
    assert (told.finish, told.usage.prompt) == ("stop", 3)
    assert told.usage.completion == len(told.text.split())


async def test_one_paragraph_of_everything(world: World) -> None:
    await stored(world)
    told = await ask(world, mode="single")
    assert [rung.label for rung in told.rungs] == [TOP]
    nothing = await ask(world, text="zebra xylophone", mode="single")
    assert (nothing.finish, len(nothing.rungs)) == ("abstain", 1)


async def test_an_abstention_is_in_the_callers_language_and_marked(world: World) -> None:
    await stored(world)
    for language in ("en", "fr"):
        told = await ask(world, SECRET, "zebra xylophone", language=language)
        [rung] = told.rungs
        assert (rung.mark, rung.label, rung.citations) == ("(S//NF)", SECRET, ())
        assert rung.text == f"(S//NF) {say('assistants.abstain', language)}"


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"model": "nobody"}, UnknownModel),
        ({"text": " \n"}, BadInput),
        ({"knowledge": ()}, BadInput),
        ({"knowledge": ("nowhere",)}, UnknownKnowledge),
    ],
)
async def test_what_cannot_be_answered_is_said_before_the_first_word(
    world: World, more: dict[str, Any], error: type[Exception]
) -> None:
    await stored(world)
    with pytest.raises(error):
        await ask(world, **more)


async def test_an_upstream_is_given_a_rungs_own_passages(world: World) -> None:
    await stored(world)
    engine = Writer("A lantern ", "[1].")
    connect(world, engine, TOP, outside=False)
    told = await ask(world, model="far")
    assert [rung.engine for rung in told.rungs] == ["far"] * 3
    assert [rung.text for rung in told.rungs] == [f"{rung.mark} A lantern [1]." for rung in told.rungs]
    assert not any(rung.extract for rung in told.rungs)
    lent = [" ".join(message.content for message in messages) for messages in engine.lent]
    assert OPEN.decode() in lent[0]
    assert "burns" not in lent[0]
    assert "burns" in lent[1]
    assert OPEN.decode() not in lent[1]
    for rung in told.rungs:
        [cited] = rung.citations
        assert told.text[cited.start : cited.end] == "[1]"


async def test_whoever_names_no_source_is_cited_with_all_that_he_was_given(world: World) -> None:
    await stored(world)
    connect(world, Writer("A lantern."), TOP)
    told = await ask(world, LOW, model="far")
    [rung] = told.rungs
    assert [(c.number, c.start, c.end) for c in rung.citations] == [(1, len(told.text), len(told.text))]


async def test_above_its_accreditation_the_reader_writes_and_says_so(world: World) -> None:
    await stored(world)
    connect(world, Writer("A lantern [1]."), SECRET)
    for language in ("en", "fr"):
        told = await ask(world, model="far", language=language)
        assert [(rung.engine, rung.extract) for rung in told.rungs] == [("far", False)] * 2 + [(READER, True)]
        assert "far" in told.rungs[2].note
        assert told.rungs[2].text.endswith(told.rungs[2].note)
    single = await ask(world, model="far", mode="single")
    assert [rung.engine for rung in single.rungs] == [READER]


async def test_an_upstream_that_fails_fails_the_answer(world: World) -> None:
    await stored(world)

    class Fails(Writer):
        async def generate(self, *_: Any, **__: Any) -> Any:
            yield Delta(text="half")
            raise EngineFailed(engine="far", why="it hung up")

    connect(world, Fails(), TOP)
    with pytest.raises(EngineFailed):
        await ask(world, model="far")


async def test_an_upstream_as_itself(world: World) -> None:
    await stored(world)
    engine = Writer("Good ", "morning.")
    connect(world, engine, TOP)
    told = await ask(world, model="far", knowledge=(), text="Hello?")
    assert (told.text, told.usage, told.finish) == ("Good morning.", Usage(1, 1, False), "stop")
    assert [message.content for message in engine.lent[0]] == ["Hello?"]
    [lent] = [entry for entry in log(world, TOP) if entry.outcome == "lent"]
    assert lent.facts["label"] == LOW, "what was typed carries the floor"


async def test_of_many_rungs_the_best_are_told_and_ones_own_always(world: World) -> None:
    """Ranked at the acting label where there are more than fit; told lowest first all the same."""
    codes = ["FRA", "GBR", "CAN", "AUS", "NZL", "DEU", "ITA", "ESP", "NOR", "DNK", "NLD", "BEL", "POL", "GRC"]
    await world.person("ann", TOP)
    for code in codes:
        label = f"SECRET//REL TO USA, {code}"
        await bring(world, "ann", b"The hidden lantern burns at the pier of %s." % code.encode(), TOP, label=label)
    await hide(world, "ann", TOP, b"A hidden lantern: pier.")
    told = await ask(world)
    labels = [rung.label for rung in told.rungs]
    assert len(labels) == len(set(labels)) == CAP
    assert labels[-1] == TOP
    every = await ask(world, SECRET)
    assert len(every.rungs) == CAP


async def test_gathered_deltas_of_one_label_in_a_row_are_one_paragraph() -> None:
    async def give() -> Any:
        yield Delta(text="(U) a", mark="(U)", label="low", engine="e", note="n")
        yield Delta(mark="(U)", label="low", engine="e", extract=True)
        yield Delta(text="\n\n(S) b", mark="(S)", label="high", engine="e")
        yield Delta(finish="length")

    told = await gathered(give())
    assert [(r.text, r.label, r.extract, r.note) for r in told.rungs] == [
        ("(U) a", "low", True, "n"),
        ("(S) b", "high", False, ""),
    ]
    assert (told.text, told.finish, told.usage) == ("(U) a\n\n(S) b", "length", Usage())
