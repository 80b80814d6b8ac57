"""The two-world law where a model's own process runs: what is imported, accredited and asked above is nobody's below.

Each world has the observer's imported model, in its child. One world has had a twin of it above, under the same name,
and another model: their children run, and are asked before and between. The cuts of a stream are left out: a real child
writes into a real pipe, and they follow its pace.
"""

from __future__ import annotations

import asyncio
import importlib.util
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from casemate.engines.sandbox import support
from casemate.wiring import registry
from casemate.wiring.registry import Records
from tests.attacks.scene import LOW, TOP
from tests.engines import chat_tiny as tiny
from tests.laws.two_worlds import Leak
from tests.laws.world import Seen, World, a_world

NAME, OTHER = "acme/tiny", "acme/secret"
LEVELS = {LOW: "low", TOP: "top"}
pytestmark = [
    pytest.mark.skipif(bool(support().why), reason=f"no sandbox here: {support().why}"),
    pytest.mark.skipif(
        not all(importlib.util.find_spec(name) for name in ("onnxruntime_genai", "llguidance")),
        reason="the extra genai is not installed",
    ),
]


async def bring(world: World, name: str, label: str, token: str) -> list[Seen]:
    """Import a model at a label, and accredit it there."""
    tiny.folder(world.house.folder.path / "models" / "incoming" / (token * 32), "Helo wrd." if label == LOW else "wrd.")
    level = LEVELS[label]
    made = await world.call(f"olga-{level}", "POST", "/api/models/import", {"name": name, "token": token * 32}, label)
    body = {"model": name, "accreditation": label}
    return [made, await world.call(f"sofia-{level}", "POST", "/api/models/accredit", body, label)]


async def ask(world: World, label: str, name: str = NAME, **more: Any) -> Seen:
    body = {"model": name, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 40} | more
    return await world.call(f"ann-{LEVELS[label]}", "POST", "/v1/chat/completions", body, label)


async def observed(world: World) -> list[Seen]:
    """Everything that the observer can see of models, by every kind of door that names one."""
    turn = {"model": NAME, "messages": [{"role": "user", "content": "hi"}]}
    person = f"ann-{LEVELS[LOW]}"
    return [
        await world.call(person, "GET", "/v1/models", None, LOW),
        await world.call(f"olga-{LEVELS[LOW]}", "GET", "/api/models", None, LOW),
        await ask(world, LOW),
        await ask(world, LOW, stream=True),
        await ask(world, LOW, OTHER),
        await world.call(person, "POST", "/v1/messages/count_tokens", turn, LOW),
        await world.call(person, "POST", "/v1/messages", {**turn, "max_tokens": 40}, LOW),
        await ask(world, LOW, max_tokens=1 << 40),
    ]


async def _content(world: World) -> str:
    told: str = (await ask(world, TOP)).json["choices"][0]["message"]["content"]
    return told


async def a_world_with(stack: AsyncExitStack, *, above: bool) -> list[Seen]:
    """What the observer sees; `above`, with models above him that were there before his own."""
    world: World = await stack.enter_async_context(a_world(1))
    records = world.house.records
    assert isinstance(records, Records)
    stack.push_async_callback(records.close)
    for label, level in LEVELS.items():
        await world.person(f"olga-{level}", label, ("operator",))
        await world.person(f"sofia-{level}", label, ("officer",))
        await world.person(f"ann-{level}", label)
    if above:
        await bring(world, NAME, TOP, "b")
        await bring(world, OTHER, TOP, "c")
        assert (await ask(world, TOP, OTHER)).status == 200
    own = await bring(world, NAME, LOW, "a")
    if above:
        assert await asyncio.gather(*(_content(world) for _ in range(4))) == ["wrd."] * 4
    seen = await observed(world)
    if above:
        assert await _content(world) == "wrd."
    return [*own, *seen, *await observed(world)]


async def judge() -> list[Seen]:
    """What he sees in the world where nobody is above. Raises Leak where it is another in the other."""
    async with AsyncExitStack() as stack:
        one = await a_world_with(stack, above=False)
        two = await a_world_with(stack, above=True)
    for place, (first, second) in enumerate(zip(one, two, strict=True)):
        one_piece, another = (replace(each, pieces=(each.body,)) for each in (first, second))
        if one_piece != another:
            raise Leak(f"{place}: {first} and {second}")
    return one


async def test_a_model_imported_above_is_nothing_below() -> None:
    seen = await judge()
    assert [each.status for each in seen] == [201, 200, *[200, 200, 200, 200, 404, 200, 200, 400] * 2]
    assert seen[4].json["choices"][0]["message"]["content"] == "Helo wrd."


def one_folder(label: Any, name: str) -> str:
    """The files of all labels lie in one folder."""
    del label
    return name.replace("/", "_")


async def test_the_law_sees_files_that_lie_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "folder_of", one_folder)
    with pytest.raises(Leak):
        await judge()
