"""The official openai package at a region of real processes, in the split form: vectors, files and a batch."""

from __future__ import annotations

import json
from pathlib import Path

import openai
import pytest

from casemate.engines.minilm_model import default_folder
from casemate.models import READER
from casemate.wiring.embedding import EMBEDDER
from tests.cli.running import Place, running, until


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    return Place(work, home)


def test_a_batch_and_vectors(place: Place) -> None:
    place.init(processes="split").set('embedder = "none"', 'embedder = "minilm"')
    chat = {"model": READER, "messages": [{"role": "user", "content": "When does the pier open?"}]}
    row = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": chat}
    with running(place) as up:
        secret = up.run("key", "issue", "--json").data["secret"]
        with openai.OpenAI(base_url=f"{up.wires}/openai/v1", api_key=secret, timeout=60) as client:
            file = client.files.create(file=("in.jsonl", json.dumps(row).encode()), purpose="batch")
            batch = client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )
            until(lambda: client.batches.retrieve(batch.id).status == "completed")
            found = client.batches.retrieve(batch.id)
            assert found.output_file_id is not None
            told = json.loads(client.files.content(found.output_file_id).text)
            assert told["response"]["body"]["choices"][0]["message"]["content"]
            if default_folder().exists():
                near = client.embeddings.create(model=EMBEDDER, input=["The pier opens.", "A quay is open."])
                assert [len(one.embedding) for one in near.data] == [384, 384]
