"""The list of models: what may be used at the request's floor, and nothing of the rest."""

from __future__ import annotations

import pytest

from casemate.models import READER
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, Got, Wired


def get(region: Wired, path: str, secret: str, method: str = "GET") -> Got:
    return region.send(method, path, b"", [("Authorization", f"Bearer {secret}")])


def test_the_models_of_a_floor(region: Wired) -> None:
    low = get(region, "/v1/models", region.key(OPEN, SECRET)[1])
    assert low.status == 200
    assert low.json["object"] == "list"
    assert [m["id"] for m in low.json["data"]] == [UPSTREAM, READER]
    assert low.json["data"][0] == {"id": UPSTREAM, "object": "model", "created": 0, "owned_by": "acme"}
    high = get(region, "/v1/models", region.key(HIGH)[1])
    assert [m["id"] for m in high.json["data"]] == [READER]


@pytest.mark.parametrize("id", ["acme/large", "acme%2Flarge"])
def test_one_model_by_an_id_with_a_slash(region: Wired, id: str) -> None:
    got = get(region, f"/v1/models/{id}", region.key(OPEN)[1])
    assert (got.status, got.json["id"]) == (200, UPSTREAM)


def test_a_hidden_model_is_as_unknown_as_one_that_never_was(region: Wired) -> None:
    _, high = region.key(HIGH)
    hidden, never = get(region, "/v1/models/acme/large", high), get(region, "/v1/models/acme/larch", high)
    assert (hidden.status, hidden.json["error"]["code"], hidden.json["error"]["param"]) == (
        404,
        "model_not_found",
        "model",
    )
    for told in (hidden, never):
        assert told.headers.pop("casemate-ledger") == told.headers.pop("x-request-id")
    assert hidden.headers == never.headers


def test_lists_and_errors_bear_their_marks_and_are_recorded(region: Wired) -> None:
    _, secret = region.key(OPEN, SECRET)
    for got in (
        get(region, "/v1/models", secret),
        get(region, "/v1/models/none", secret),
        get(region, "/v1/x", secret),
    ):
        assert got.marked()
        assert region.exists(got.headers["casemate-ledger"])
    assert get(region, "/v1/models", "nobody").marked()


def test_a_head_has_no_body(region: Wired) -> None:
    got = get(region, "/v1/models", region.key(OPEN)[1], "HEAD")
    assert (got.status, got.body) == (200, b"")
    assert int(got.headers["content-length"]) > 0
