"""The tool `file_search`: answers from vector stores alone, in rungs, that cite their files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from casemate.models import READER
from tests.doors.openai.storing import SECRET, Client, clients
from tests.laws.world import Seen

QUESTION = "When does the ferry sail?"
RESULTS = "file_search_call.results"


def tool(*stores: str, **more: Any) -> dict[str, Any]:
    return {"type": "file_search", "vector_store_ids": list(stores), **more}


async def asked(who: Client, *tools: dict[str, Any], **more: Any) -> Any:
    body = {"model": READER, "input": QUESTION, "tools": list(tools)} | more
    return await who.post("/v1/responses", **body)


def text(response: Any) -> str:
    return str(response["output"][-1]["content"][0]["text"])


def events(seen: Seen) -> list[dict[str, Any]]:
    blocks = seen.body.decode().split("\n\n")
    return [json.loads(block.partition("data: ")[2]) for block in blocks[:-2]]


async def test_an_answer_is_made_from_these_stores_and_cites_their_files() -> None:
    async with clients("ann") as [ann]:
        store, other = await ann.store(), await ann.store()
        file = await ann.brought(store, "The ferry sails at nine.", "ferry.txt", attributes={"port": "Sable"})
        await ann.brought(other, "The ferry sails at noon.")
        told = await asked(ann, tool(store), include=[RESULTS])
        assert told["tools"] == [tool(store)]
        call, message = told["output"]
        assert call["id"].startswith("fs_")
        assert (call["type"], call["status"], call["queries"]) == ("file_search_call", "completed", [QUESTION])
        [result] = call["results"]
        assert (result["file_id"], result["filename"], result["score"]) == (file, "ferry.txt", 1.0)
        assert (result["text"], result["attributes"]) == ("The ferry sails at nine.", {"port": "Sable"})
        [cited] = message["content"][0]["annotations"]
        assert (cited["type"], cited["file_id"], cited["filename"]) == ("file_citation", file, "ferry.txt")
        assert text(told)[cited["index"] :].startswith("[1]")
        assert cited["mark"] == "(U)"
        assert "nine" in text(told)
        assert "noon" not in text(told)
        both = await asked(ann, tool(store, other, store))
        assert "noon" in text(both)
        assert both["output"][0]["results"] is None, "results are told where they are asked for"


async def test_every_rung_is_made_from_its_own_world() -> None:
    async with clients("ann") as [ann]:
        store, secret = await ann.store(), ann.at(SECRET)
        await ann.brought(store, "The ferry sails at nine.")
        low = text(await asked(ann, tool(store)))
        await secret.brought(store, "The ferry sails at midnight, unseen.")
        assert text(await asked(ann, tool(store))) == low
        high = text(await asked(secret, tool(store)))
        assert high.startswith(low + "\n\n(S//NF) ")
        assert "midnight" in high


async def test_what_narrows_a_search_narrows_the_answer() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        for port, when in (("Sable", "nine"), ("Noir", "noon")):
            await ann.brought(store, f"The ferry sails at {when}.", f"{port}.txt", attributes={"port": port})
        only = {"type": "eq", "key": "port", "value": "Noir"}
        told = await asked(ann, tool(store, filters=only, max_num_results=5), include=[RESULTS])
        assert "noon" in text(told)
        assert "nine" not in text(told)
        assert [one["filename"] for one in told["output"][0]["results"]] == ["Noir.txt"]
        first = await asked(ann, tool(store, max_num_results=1), include=[RESULTS])
        assert len(first["output"][0]["results"]) == 1
        assert len(first["output"][1]["content"][0]["annotations"]) == 1
        best = tool(store, ranking_options={"score_threshold": 1.0})
        least = await asked(ann, best, include=[RESULTS], input="Does the ferry sail at noon?")
        assert len(least["output"][0]["results"]) == len(least["output"][1]["content"][0]["annotations"]) == 1


async def test_a_store_in_which_nothing_lies_has_no_answer() -> None:
    async with clients("ann") as [ann]:
        told = await asked(ann, tool(await ann.store()), include=[RESULTS])
        assert told["output"][0]["results"] == []
        assert told["output"][1]["content"][0]["annotations"] == []
        assert "nine" not in text(told)


async def test_a_stream_tells_the_search_first() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        file = await ann.brought(store, "The ferry sails at nine.")
        body = {"model": READER, "input": QUESTION, "tools": [tool(store)], "include": [RESULTS]}
        told = events(await ann.call("POST", "/v1/responses", body | {"stream": True}))
        assert [event["sequence_number"] for event in told] == list(range(len(told)))
        kinds = [event["type"] for event in told]
        assert kinds[2:8] == [
            "response.output_item.added",
            "response.file_search_call.in_progress",
            "response.file_search_call.searching",
            "response.file_search_call.completed",
            "response.output_item.done",
            "response.output_item.added",
        ]
        assert (told[2]["item"]["status"], told[2]["item"]["results"]) == ("in_progress", None)
        assert len({event.get("item_id", told[2]["item"]["id"]) for event in told[2:7]}) == 1
        assert [one["file_id"] for one in told[6]["item"]["results"]] == [file]
        [cited] = [event["annotation"] for event in told if event["type"].endswith("annotation.added")]
        assert (cited["type"], cited["file_id"]) == ("file_citation", file)
        whole = await ann.post("/v1/responses", **body)
        done = told[-1]["response"]["output"]
        assert [strip(item) for item in done] == [strip(item) for item in whole["output"]]


def strip(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "id"}


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "file_search"}])
async def test_files_are_searched_whenever_the_tool_is_offered(choice: Any) -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        told = await asked(ann, tool(store), tool_choice=choice)
        assert told["output"][0]["type"] == "file_search_call"
        assert told["tool_choice"] == choice


async def test_no_choice_leaves_the_search_out() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        told = await asked(ann, tool(store), tool_choice="none")
        assert [item["type"] for item in told["output"]] == ["message"]


async def test_a_store_above_is_no_store() -> None:
    async with clients("ann") as [ann]:
        high = await ann.at(SECRET).store()
        for store in (high, "vs_never", "law"):
            body = {"model": READER, "input": QUESTION, "tools": [tool(store)]}
            seen = await ann.call("POST", "/v1/responses", body)
            assert (seen.status, seen.json["error"]["code"]) == (404, "unknown-knowledge")


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [tool()]},
        {"tools": [tool("all")]},
        {"tools": [tool("none")]},
        {"tools": [tool(*(f"vs_{n}" for n in range(17)))]},
        {"tools": [tool("STORE"), tool("STORE")]},
        {"tools": [tool("STORE", max_num_results=51)]},
        {"tools": [tool("STORE", filters={"type": "like"})]},
        {"tools": [tool("STORE", ranking_options={"hybrid_search": {"embedding_weight": 1, "text_weight": 1}})]},
        {"tools": [tool("STORE", server_url="https://x.test")]},
        {"tools": [tool("STORE"), {"type": "function", "name": "f"}]},
        {"tools": [tool("STORE")], "metadata": {"knowledge": "law"}},
        {"tools": [tool("STORE")], "tool_choice": {"type": "function", "name": "f"}},
        {"tools": [], "include": [RESULTS]},
    ],
)
async def test_what_is_refused(more: dict[str, Any]) -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        raw = json.dumps({"model": READER, "input": QUESTION} | more).replace("STORE", store)
        assert (await ann.call("POST", "/v1/responses", raw.encode())).status == 400


async def test_what_a_search_once_found_may_be_sent_back() -> None:
    async with clients("ann") as [ann]:
        store = await ann.store()
        await ann.brought(store, "The ferry sails at nine.")
        told = await asked(ann, tool(store), include=[RESULTS])
        again = {"role": "user", "content": QUESTION}
        history = [{"role": "user", "content": "Hello?"}, *told["output"], again]
        assert text(await asked(ann, tool(store), input=history)) == text(told)


async def test_a_chat_completion_has_no_such_tool() -> None:
    async with clients("ann") as [ann]:
        body = {"model": READER, "messages": [{"role": "user", "content": QUESTION}], "tools": [tool("law")]}
        assert (await ann.call("POST", "/v1/chat/completions", body)).status in (400, 403)
