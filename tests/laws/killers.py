"""What a mutant must not survive: a law of this folder on a bounded number of cases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from casemate.models import Card, Delta, Prompt, Usage
from tests.laws import access_worlds, test_rungs
from tests.laws.two_worlds import HIDDEN, Leak, generate, judge
from tests.laws.world import a_world


async def doors(count: int = 120) -> None:
    """The two worlds through ASGI."""
    for seed in range(count):
        await judge(generate(seed))


async def lends(count: int = 60) -> None:
    """The two worlds where documents are asked about, and nothing else is done: most rungs are lent to somebody."""
    for seed in range(count):
        await judge(generate(seed, 12, ("add_document", "ask", "ask")))


async def gates(count: int = 500) -> None:
    """The two worlds at the gate."""
    for start in range(0, count, 25):
        async with AsyncExitStack() as stack:
            one = await stack.enter_async_context(a_world(1))
            two = await stack.enter_async_context(a_world(1))
            observer = tuple(HIDDEN)[start // 25 % len(HIDDEN)]
            for seed in range(start, start + 25):
                await access_worlds.run(access_worlds.sequence(seed, observer), one, two)


async def rungs(count: int = 25) -> None:
    """The rung law."""
    for seed in range(count):
        await test_rungs.one_case(seed)


async def writes(count: int = 1) -> None:
    """What is kept lies exactly at the acting label, and never below it."""
    del count
    async with a_world(3) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        await world.person("low", "agency=EXERCISE")
        for asked in ("", "agency=EXERCISE"):
            await world.call("writer", "POST", "/api/answers", {"text": "(U) secret word", "label": asked}, label)
        seen = await world.call("low", "GET", "/api/answers")
        if b"secret word" in seen.body:
            raise Leak("an answer came down")
        mine = await world.call("writer", "GET", "/api/answers", acting=label)
        if b"secret word" not in mine.body:
            raise Leak("an answer was lost")
        key = await world.call("writer", "POST", "/api/keys", {"floor": label, "ceiling": label}, label)
        world.keys["program"] = key.json["data"]["secret"]
        lower = {"floor": "agency=EXERCISE", "ceiling": label}
        if (await world.call("program", "POST", "/api/keys", lower, label)).status != 403:
            raise Leak("a program may write below its floor, with a second key")


async def marked(count: int = 1) -> None:
    """A document rests where its marks say, and a question carries its mark."""
    del count
    async with a_world(4) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        await world.person("low", "agency=EXERCISE")
        text = b"SECRET//NOFORN\n\n(U) The pier is open.\n\n(S//NF) The hidden lantern.\n\nSECRET//NOFORN"
        await world.call("writer", "POST", "/api/documents?name=a.txt&base=law", text, label)
        await world.step("knowledge.ingest")
        seen = await world.call("low", "GET", "/api/search?q=hidden+lantern+pier")
        if b"hidden lantern" in seen.body or b"pier is open" not in seen.body:
            raise Leak("a portion rests at another label than its mark's")
        listed = await world.call("low", "GET", "/api/documents")
        if b"a.txt" in listed.body:
            raise Leak("a whole document rests below the join of its portions")
        asked = await world.call("low", "POST", "/api/ask", {"question": "(S//NF) the lantern?"})
        if asked.status != 403:
            raise Leak("a marked question was answered below its mark")
        below = {"question": "(S//NF) the lantern?", "at": "agency=EXERCISE"}
        if (await world.call("writer", "POST", "/api/prove", below, label)).status != 403:
            raise Leak("a marked question was asked below its mark")


async def spoken(count: int = 1) -> None:
    """Whatever an engine writes, its paragraph bears the mark of its rung and no other."""
    del count
    async with a_world(6) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        text = b"SECRET//NOFORN\n\n(S//NF) The covered sensor.\n\nSECRET//NOFORN"
        await world.call("writer", "POST", "/api/documents?name=b.txt&base=law", text, label)
        await world.step("knowledge.ingest")
        world.house.catalogue.add(Card("law/liar", "liar", "law", world.policies.parse(label), _Liar()))
        told = await world.call(
            "writer", "POST", "/api/ask", {"question": "covered sensor", "model": "law/liar"}, label
        )
        lines = told.json["data"]["text"].splitlines()
        if [mark[0].text for line in lines if (mark := world.policies.read_portion(line)[0])] != ["S//NF"]:
            raise Leak("an engine's mark stands in an answer")


class _Liar:
    """An engine that marks what it writes."""

    dialect = ""

    async def generate(self, prompt: Prompt, deadline: float) -> AsyncIterator[Delta]:
        yield Delta(text="The sensor is covered. [1]\n\n(U) This may be told to all.")
        yield Delta(finish="stop", usage=Usage(1, 1, False))


async def rested(count: int = 1) -> None:
    """A document all of whose portions are high is invisible below."""
    del count
    async with a_world(5) as world:
        label = "agency=EXERCISE + us:SECRET//REL=USA"
        await world.person("writer", label)
        await world.person("low", "agency=EXERCISE")
        text = b"SECRET//NOFORN\n\n(S//NF) The covered sensor.\n\nSECRET//NOFORN"
        await world.call("writer", "POST", "/api/documents?name=b.txt&base=law", text, label)
        await world.step("knowledge.ingest")
        if b"covered" in (await world.call("low", "GET", "/api/search?q=covered+sensor")).body:
            raise Leak("a portion rests below its mark")
