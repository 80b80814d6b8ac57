"""Near-duplicates: sketches of texts, and the law that another class never shows in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casemate.knowledge.documents import near
from casemate.knowledge.documents.document import PART, Part
from casemate.knowledge.documents.gone import GONE, GoneRecord, gone
from casemate.knowledge.documents.neighbours import MOST, neighbours
from casemate.knowledge.reading.passage import Passage
from casemate.objects import Put
from tests.access.test_flow import at
from tests.attacks.scene import LOW, SECRET, TOP
from tests.laws.world import World

TEXT = " ".join(f"word{n}" for n in range(60))


@given(st.text(max_size=200))
def test_a_sketch_is_a_function_of_the_words_alone(text: str) -> None:
    assert near.sketch(text) == near.sketch("  " + "\n\n".join(text.split()) + " ")
    assert len(near.sketch(text)) in (0, 16)
    assert len(near.bands(near.sketch(text))) == near.BANDS
    assert (near.sketch(text) == ()) is (near.runs(text) == frozenset())


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30))
def test_what_is_the_same_is_alike(words: list[str]) -> None:
    text = " ".join(words)
    assert near.alike(near.runs(text), near.runs(text.upper())) == 1.0
    assert near.bands(near.sketch(text)) == near.bands(near.sketch(text.upper()))


def test_how_alike() -> None:
    assert near.alike((), ()) == 0.0
    assert near.alike("ab", "bc") == 1 / 3
    assert near.runs("One two, three. Four") == {"one two three", "two three four"}
    assert near.runs("One two") == {"one two"}
    assert near.bands(()) == ("", "", "", "")


def test_near_texts_share_a_band_and_others_do_not() -> None:
    def shares(one: str, two: str) -> bool:
        pairs = zip(near.bands(near.sketch(one)), near.bands(near.sketch(two)), strict=True)
        return any(a == b for a, b in pairs)

    words = TEXT.split()
    near_ones = [" ".join([*words[:at], "other", *words[at + 1 :]]) for at in range(0, 60, 3)]
    assert sum(shares(TEXT, each) for each in near_ones) >= 18, "at 0.9 the bands miss one in seventy"
    assert not any(shares(TEXT, " ".join(f"w{n * k}" for n in range(60))) for k in range(2, 30))


def part(text: str, by: str = "ann") -> Part:
    return Part("port", "T", (Passage("psg", "doc", 0, "T", "", "", 0, text),), by=by, sketch=near.sketch(text))


async def stored(world: World, label: str, **texts: str) -> None:
    flow = await at(world, label)
    await flow.commit(*(Put(PART, id, part(text)) for id, text in texts.items()))


async def shown(world: World, label: str, id: str) -> list[str]:
    flow = await at(world, label)
    return await neighbours(flow, await flow.read_each(PART, id), await gone(flow))


async def test_what_lies_in_other_classes_never_shows(world: World) -> None:
    await stored(world, LOW, one=TEXT, two=f"{TEXT} more", far="something else")
    before = {label: await shown(world, label, "one") for label in (LOW, SECRET, TOP)}
    assert list(before.values()) == [["two"]] * 3
    await stored(world, SECRET, three=TEXT, four=TEXT)
    await stored(world, TOP, five=TEXT)
    assert {label: await shown(world, label, "one") for label in (LOW, SECRET, TOP)} == before
    assert await shown(world, SECRET, "three") == ["four"]
    assert await shown(world, TOP, "five") == []
    many = {f"a{n}": TEXT for n in range(MOST + 5)}
    await stored(world, SECRET, **many)
    assert {label: await shown(world, label, "one") for label in (LOW, SECRET, TOP)} == before


async def test_what_is_gone_is_near_to_nothing(world: World) -> None:
    await stored(world, LOW, one=TEXT, two=TEXT, three=f"{TEXT} more", empty="")
    assert (await shown(world, LOW, "one"), await shown(world, LOW, "empty")) == (["three", "two"], [])
    low = await at(world, LOW)
    await low.commit(Put(GONE, "two", GoneRecord("ann", 1, "port")), Put(GONE, "three", GoneRecord("ben", 1, "port")))
    assert await shown(world, TOP, "one") == ["three"], "a removal by somebody else is none"
