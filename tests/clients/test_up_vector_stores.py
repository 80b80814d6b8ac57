"""The official openai package at a region of real processes, in the split form: vector stores and file_search.

What the client calls polling works as it is: a file is in progress until the region's own loop has read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from casemate.models import READER
from tests.cli.running import Place, running

QUESTION = "When does the ferry sail?"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    path = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patched:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            patched.delenv(name, raising=False)
        home, work = path / "home", path / "work"
        home.mkdir()
        work.mkdir()
        place = Place(work, home)
        place.init(processes="split")
        with running(place) as up:
            secret = up.run("key", "issue", "--json").data["secret"]
            with openai.OpenAI(base_url=f"{up.wires}/v1", api_key=secret, timeout=60, max_retries=0) as found:
                yield found


def test_a_store_from_its_making_to_its_end(client: openai.OpenAI) -> None:
    store = client.vector_stores.create(
        name="Harbour", metadata={"port": "Sable"}, expires_after={"anchor": "last_active_at", "days": 7}
    )
    assert (store.name, store.status, store.metadata) == ("Harbour", "completed", {"port": "Sable"})
    assert store.expires_after is not None
    assert store.expires_at == (store.last_active_at or 0) + 7 * 24 * 3600
    file = client.files.create(file=("ferry.txt", b"The ferry sails at nine."), purpose="assistants")
    held = client.vector_stores.files.create_and_poll(
        file.id, vector_store_id=store.id, attributes={"kind": "ferry", "year": 2026, "draft": False}
    )
    assert (held.status, held.last_error) == ("completed", None)
    assert held.attributes == {"kind": "ferry", "year": 2026, "draft": False}
    assert held.chunking_strategy is not None
    assert held.chunking_strategy.type == "other"
    found = client.vector_stores.retrieve(store.id)
    assert found.file_counts.model_dump() == {
        "completed": 1, "failed": 0, "in_progress": 0, "cancelled": 0, "total": 1,
    }  # fmt: skip
    assert found.usage_bytes == held.usage_bytes > 0
    assert store.id in [one.id for one in client.vector_stores.list()]
    changed = client.vector_stores.update(store.id, name="Port", expires_after=None)
    assert (changed.name, changed.expires_at, changed.metadata) == ("Port", None, {"port": "Sable"})
    told = client.vector_stores.files.update(file.id, vector_store_id=store.id, attributes={"kind": "boat"})
    assert told.attributes == {"kind": "boat"}
    assert [one.text for one in client.vector_stores.files.content(file.id, vector_store_id=store.id)] == [
        "The ferry sails at nine."
    ]
    gone = client.vector_stores.files.delete(file.id, vector_store_id=store.id)
    assert (gone.id, gone.deleted) == (file.id, True)
    assert list(client.vector_stores.files.list(store.id)) == []
    assert client.vector_stores.delete(store.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.retrieve(store.id)


def test_files_uploaded_and_polled(client: openai.OpenAI) -> None:
    store = client.vector_stores.create(name="Cables")
    one = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", b"A lantern burns."))
    assert one.status == "completed"
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id, files=[("b.txt", b"Fog lies on the pier."), ("c.zip", b"no archive")], poll_interval_ms=100
    )
    assert (batch.status, batch.file_counts.completed, batch.file_counts.failed) == ("completed", 1, 1)
    [failed] = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="failed")
    assert failed.last_error is not None
    assert failed.last_error.code == "unsupported_file"
    assert len(list(client.vector_stores.files.list(store.id, limit=1))) == 3, "the client goes from page to page"
    cancelled = client.vector_stores.file_batches.cancel(batch.id, vector_store_id=store.id)
    assert cancelled.file_counts.cancelled == 0, "all of it was read"


def test_search_and_file_search(client: openai.OpenAI) -> None:
    store = client.vector_stores.create(name="Timetables")
    ids = {}
    for port, text in (("Sable", b"The ferry sails at nine."), ("Noir", b"The ferry sails at noon.")):
        file = client.files.create(file=(f"{port}.txt", text), purpose="user_data")
        client.vector_stores.files.create_and_poll(file.id, vector_store_id=store.id, attributes={"port": port})
        ids[port] = file.id
    only: Any = {"type": "eq", "key": "port", "value": "Noir"}
    [hit] = client.vector_stores.search(store.id, query=QUESTION, filters=only, max_num_results=3)
    assert (hit.file_id, hit.filename, hit.attributes) == (ids["Noir"], "Noir.txt", {"port": "Noir"})
    assert hit.content[0].text == "The ferry sails at noon."
    assert 0 < hit.score <= 1
    tool: Any = {"type": "file_search", "vector_store_ids": [store.id], "filters": only}
    response = client.responses.create(model=READER, input=QUESTION, tools=[tool], include=["file_search_call.results"])
    call, message = response.output
    assert call.type == "file_search_call"
    assert call.queries == [QUESTION]
    assert [one.file_id for one in call.results or ()] == [ids["Noir"]]
    assert message.type == "message"
    [part] = message.content
    assert part.type == "output_text"
    assert "noon" in part.text
    assert "nine" not in part.text
    [cited] = part.annotations
    assert cited.type == "file_citation"
    assert (cited.file_id, cited.filename) == (ids["Noir"], "Noir.txt")
    assert part.text[cited.index :].startswith("[1]")
    history: Any = [{"role": "user", "content": QUESTION}, *response.output, {"role": "user", "content": QUESTION}]
    assert "noon" in client.responses.create(model=READER, input=history, tools=[tool]).output_text


def test_file_search_in_a_stream(client: openai.OpenAI, tmp_path: Path) -> None:
    store = client.vector_stores.create(name="Stream")
    (tmp_path / "ferry.txt").write_text("The ferry sails at nine.")
    client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=tmp_path / "ferry.txt")
    tool: Any = {"type": "file_search", "vector_store_ids": [store.id]}
    with client.responses.stream(model=READER, input=QUESTION, tools=[tool]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    steps = [kind for kind in kinds if "file_search_call" in kind]
    assert steps == [f"response.file_search_call.{step}" for step in ("in_progress", "searching", "completed")]
    assert kinds.index(steps[-1]) < kinds.index("response.output_text.delta")
    assert [item.type for item in final.output] == ["file_search_call", "message"]
    assert "nine" in final.output_text
