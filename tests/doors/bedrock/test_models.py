"""The lists of models and profiles, and what is not here: each response by the service's own description."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.bedrock.described import CONTROL, parsed
from tests.doors.bedrock.sent import ARN, ID, LARGE, able, send
from tests.doors.wired import HIGH, OPEN, SECRET, Got, Wired


def get(region: Wired, path: str, floor: str = OPEN) -> Got:
    return send(region, "GET", path, floor=floor, ceiling=HIGH if floor == HIGH else SECRET)


def test_the_models_of_a_floor(region: Wired) -> None:
    listed = parsed(get(region, "/foundation-models"), "ListFoundationModels", CONTROL)["modelSummaries"]
    assert [m["modelId"] for m in listed] == [LARGE, ID]
    assert listed[1]["modelArn"] == "arn:aws:bedrock:port-sable::foundation-model/casemate.extractive-reader"
    assert all(len(m["modelName"]) <= 20 and len(m["providerName"]) <= 20 for m in listed)
    assert all(m["responseStreamingSupported"] for m in listed)
    assert {tuple(m["inputModalities"]) for m in listed} == {("TEXT",)}
    high = parsed(get(region, "/foundation-models", HIGH), "ListFoundationModels", CONTROL)["modelSummaries"]
    assert [m["modelId"] for m in high] == [ID]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("byProvider=acme", 1),
        ("byOutputModality=TEXT&byInferenceType=ON_DEMAND", 2),
        ("byInferenceType=ON_DEMAND&byOutputModality=TEXT", 2),
        ("byOutputModality=IMAGE", 0),
        ("byInferenceType=PROVISIONED", 0),
        ("byCustomizationType=FINE_TUNING", 0),
    ],
)
def test_the_protocols_own_filters(region: Wired, query: str, count: int) -> None:
    got = get(region, f"/foundation-models?{query}")
    assert len(parsed(got, "ListFoundationModels", CONTROL)["modelSummaries"]) == count
    assert got.marked()


@pytest.mark.parametrize("id", [ID, "casemate%2Fextractive-reader", f"us.{ID}", ARN + ID])
def test_one_model(region: Wired, id: str) -> None:
    got = get(region, f"/foundation-models/{id}")
    assert parsed(got, "GetFoundationModel", CONTROL)["modelDetails"]["modelId"] == ID
    missing = get(region, "/foundation-models/casemate.none")
    assert parsed(missing, "GetFoundationModel", CONTROL)["Error"]["Code"] == "ResourceNotFoundException"


def test_profiles(region: Wired) -> None:
    found = parsed(get(region, "/inference-profiles"), "ListInferenceProfiles", CONTROL)["inferenceProfileSummaries"]
    assert [p["inferenceProfileId"] for p in found] == [f"{p}.{m}" for m in (LARGE, ID) for p in ("us", "us-gov")]
    for profile in found:
        arn = profile["inferenceProfileArn"].replace(":", "%3A").replace("/", "%2F")
        for id in (profile["inferenceProfileId"], arn):
            one = parsed(get(region, f"/inference-profiles/{id}"), "GetInferenceProfile", CONTROL)
            one.pop("ResponseMetadata")
            assert one == profile
    none = get(region, "/inference-profiles?typeEquals=APPLICATION")
    assert none.json == {"inferenceProfileSummaries": []}
    first = get(region, "/inference-profiles?maxResults=3")
    assert (len(first.json["inferenceProfileSummaries"]), first.json["nextToken"]) == (3, "3")
    for id in (ID, "us.none", f"eu.{ID}"):
        got = get(region, f"/inference-profiles/{id}")
        assert parsed(got, "GetInferenceProfile", CONTROL)["Error"]["Code"] == "ResourceNotFoundException"
    hidden = get(region, f"/inference-profiles/us.{LARGE}", HIGH)
    assert hidden.status == 404


def test_a_model_that_takes_images_says_so(region: Wired) -> None:
    got = get(region, f"/foundation-models/{able(region)}")
    assert parsed(got, "GetFoundationModel", CONTROL)["modelDetails"]["inputModalities"] == ["TEXT", "IMAGE"]
    region.catalogue.refresh(card for card in region.catalogue.cards.values() if card.name != "acme/able")


@pytest.mark.parametrize(
    ("path", "operation", "name"),
    [
        ("/custom-models", "ListCustomModels", "modelSummaries"),
        ("/model-customization-jobs", "ListModelCustomizationJobs", "modelCustomizationJobSummaries"),
        ("/imported-models", "ListImportedModels", "modelSummaries"),
        ("/model-import-jobs", "ListModelImportJobs", "modelImportJobSummaries"),
        ("/provisioned-model-throughputs", "ListProvisionedModelThroughputs", "provisionedModelSummaries"),
    ],
)
def test_lists_of_what_is_not_here_are_empty(region: Wired, path: str, operation: str, name: str) -> None:
    assert parsed(get(region, path), operation, CONTROL)[name] == []
    if "provisioned" not in path:
        assert get(region, f"{path}/one").headers["x-amzn-errortype"] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "path", ["/model-customization-jobs", "/model-import-jobs", "/custom-models/create-custom-model"]
)
def test_what_would_make_one_is_told(region: Wired, path: str) -> None:
    body: dict[str, Any] = {"jobName": "x"}
    got = send(region, "POST", path, body)
    assert (got.status, got.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert "not available" in got.json["message"]


def test_logging_is_told_as_it_is(region: Wired) -> None:
    found = parsed(get(region, "/logging/modelinvocations"), "GetModelInvocationLoggingConfiguration", CONTROL)
    assert not any(found["loggingConfig"].values())
    for method, body in (("PUT", {"loggingConfig": {}}), ("DELETE", None)):
        got = send(region, method, "/logging/modelinvocations", body)
        assert (got.status, "ledger" in got.json["message"]) == (400, True)
