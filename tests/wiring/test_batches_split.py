"""Batches in the split form: begun at the data process, answered where assistants are, read at the data process."""

from __future__ import annotations

import asyncio
import json

from casemate.models import READER
from tests.laws.openai_operations import FORM, form
from tests.laws.world import Seen, a_world
from tests.wiring.split import Split, a_split, loop_of

SECRET = "us:SECRET//NOFORN"
NOTE = "(S//NF) The ferry Ambrelle leaves Port Sable at nine."
ASKED = "When does the ferry Ambrelle leave Port Sable?"


def rows() -> bytes:
    chat = {"model": READER, "messages": [{"role": "user", "content": ASKED}]}
    row = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": chat}
    return json.dumps(row).encode()


def test_a_batch_in_the_split_form() -> None:
    async def run() -> None:
        async with a_world(policies=("us",)) as world:
            await world.person("analyst", SECRET)
            await world.call("analyst", "POST", "/api/documents?name=note.txt", NOTE.encode(), SECRET)
            await world.step("knowledge.ingest")
            async with a_split(world, answer=True) as split:
                await answered(split)

    asyncio.run(run())


async def answered(split: Split) -> None:
    async def call(method: str, target: str, body: object = None, *headers: tuple[str, str]) -> Seen:
        seen = await split.call("analyst", method, target, body, acting=SECRET, headers=headers)
        assert seen.status == 200, seen.body
        return seen

    file = (await call("POST", "/v1/files", form(rows(), "batch"), FORM)).json["id"]
    made = {"input_file_id": file, "endpoint": "/v1/chat/completions"}
    id = (await call("POST", "/v1/batches", made)).json["id"]
    assert split.answer is not None
    assert not [loop for loop in split.data.loops if loop.name == "models.batch"]
    batches = loop_of(split.answer, "models.batch")
    while (found := (await call("GET", f"/v1/batches/{id}")).json)["status"] != "completed":
        assert await batches.step() or found["status"] in ("validating", "in_progress")
    (row,) = (await call("GET", f"/v1/files/{found['output_file_id']}/content")).body.splitlines()
    text = json.loads(row)["response"]["body"]["choices"][0]["message"]["content"]
    assert text.startswith("(S//NF) ")
    assert "nine" in text
    vector = (await call("POST", "/v1/embeddings", {"model": "casemate/hashing", "input": "Fog."})).json
    assert len(vector["data"][0]["embedding"]) == 384
