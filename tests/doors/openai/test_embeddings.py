"""Embeddings: floats and base64, one text or several, and what is refused."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

import pytest

from casemate.engines.embedder_vectors import EmbedderVectors
from casemate.engines.hashing import HashingEmbedder
from casemate.models import READER, Card
from tests.doors.openai.asking import post
from tests.doors.wired import HIGH, OPEN, SECRET, Wired

MODEL = "acme/words"


@pytest.fixture
def embeds(region: Wired) -> Wired:
    vectors = EmbedderVectors(HashingEmbedder(), MODEL)
    level = region.clearance(SECRET)
    region.catalogue.add(Card(MODEL, "words", "acme", level, tasks=("embeddings",), vectors=vectors))
    return region


def embed(region: Wired, given: Any = "The ferry sails.", key: str = "", **more: Any) -> Any:
    return post(region, "/v1/embeddings", {"model": MODEL, "input": given} | more, key)


def test_floats_and_base64_are_the_same_vector(embeds: Wired) -> None:
    got = embed(embeds, encoding_format="float")
    (one,) = got.json["data"]
    assert (got.json["object"], one["object"], one["index"]) == ("list", "embedding", 0)
    assert len(one["embedding"]) == 384
    assert math.isclose(sum(x * x for x in one["embedding"]), 1.0, rel_tol=1e-9)
    packed = embed(embeds, encoding_format="base64").json["data"][0]["embedding"]
    floats = struct.unpack("<384f", base64.b64decode(packed))
    assert floats == pytest.approx(one["embedding"], abs=1e-7)
    assert got.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert got.json["model"] == MODEL
    assert got.headers["x-request-id"] == got.headers["casemate-ledger"]


def test_a_vector_is_its_texts_alone(embeds: Wired) -> None:
    both = embed(embeds, ["The ferry sails.", "Fog."], user="ann", dimensions=384).json["data"]
    assert [one["index"] for one in both] == [0, 1]
    assert both[1]["embedding"] == embed(embeds, "Fog.").json["data"][0]["embedding"]


def test_it_is_recorded_with_its_engine(embeds: Wired) -> None:
    got = embed(embeds)
    (end,) = embeds.ends(got.headers["casemate-ledger"])
    assert (end.action, end.outcome, end.facts["engines"], end.facts["texts"]) == ("text.embed", "complete", MODEL, 1)


@pytest.mark.parametrize(
    ("more", "status", "names"),
    [
        ({"input": ""}, 400, "input"),
        ({"input": []}, 400, "input"),
        ({"input": ["a", ""]}, 400, "input"),
        ({"input": ["a"] * 2049}, 400, "2048"),
        ({"input": [1, 2]}, 400, "token"),
        ({"input": [[1, 2]]}, 400, "token"),
        ({"input": [None]}, 400, "input"),
        ({"input": {}}, 400, "input"),
        ({"dimensions": 8}, 400, "384"),
        ({"encoding_format": "hex"}, 400, "encoding_format"),
        ({"input_type": "query"}, 400, "input_type"),
        ({"model": READER}, 400, "embeddings"),
        ({"model": "acme/none"}, 404, "acme/none"),
        ({"input": "(TS//SI//NF) What of it?"}, 403, "mark"),
    ],
)
def test_what_is_refused(embeds: Wired, more: dict[str, Any], status: int, names: str) -> None:
    got = embed(embeds, **{"given": more.pop("input", "x"), **more})
    assert got.status == status
    assert names in got.json["error"]["message"]


def test_above_its_accreditation_it_does_not_exist(embeds: Wired) -> None:
    assert embed(embeds, key=embeds.key(HIGH)[1]).status == 404
    assert embed(embeds, key=embeds.key(OPEN)[1]).status == 200


def test_it_does_not_chat(embeds: Wired) -> None:
    got = post(embeds, "/v1/chat/completions", {"model": MODEL, "messages": [{"role": "user", "content": "x"}]})
    assert (got.status, got.json["error"]["code"]) == (400, "malformed")
