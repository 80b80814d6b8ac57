"""The official boto3 package, signing for itself, against a real socket."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from casemate.models import READER
from tests.clients.conftest import Served
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, breaks_in_the_middle

QUESTION: list[Any] = [{"role": "user", "content": [{"text": "Où va le navire ?"}]}]
ID = "casemate.extractive-reader"
TOOL = {"toolSpec": {"name": "f", "inputSchema": {"json": {}}}}


def client(served: Served, name: str = "bedrock-runtime", floor: str = OPEN, **more: Any) -> Any:
    id, secret = served.region.key(floor, more.pop("ceiling", SECRET), client="boto3")
    return boto3.client(
        name,
        endpoint_url=served.url,
        region_name="gov-secret-1",
        aws_access_key_id=more.pop("id", id),
        aws_secret_access_key=more.pop("secret", secret),
        config=Config(retries={"max_attempts": 0}, proxies={}, read_timeout=20, **more),
    )


def failed(told: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = told.value.response
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["casemate-marking"]
    assert headers["casemate-label"]
    assert headers["casemate-ledger"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_converse(served: Served) -> None:
    found = client(served).converse(modelId=ID, messages=QUESTION)
    text, _, high = found["output"]["message"]["content"]
    assert text["text"].startswith("(U) Extract")
    assert high["citationsContent"]["citations"][0]["title"] == "(S//NF) Notice été"
    assert (found["stopReason"], found["usage"]["totalTokens"]) == ("end_turn", 18)
    assert found["metrics"]["latencyMs"] >= 0
    headers = found["ResponseMetadata"]["HTTPHeaders"]
    assert headers["casemate-marking"] == "SECRET//NOFORN"
    assert headers["casemate-label"] == served.region.clearance(SECRET).text
    assert served.region.exists(headers["casemate-ledger"])
    assert served.region.answers.asked[0].question == "Où va le navire ?"


@pytest.mark.parametrize(
    "id",
    [
        "casemate/extractive-reader",
        "us-gov.casemate.extractive-reader",
        "arn:aws:bedrock:gov-secret-1::foundation-model/casemate.extractive-reader",
        "arn:aws-us-gov:bedrock:gov-secret-1::foundation-model/casemate/extractive-reader",
    ],
)
def test_ids_and_arns(served: Served, id: str) -> None:
    client(served).converse(modelId=id, messages=QUESTION)
    assert served.region.answers.asked[0].model == READER
    details = client(served, "bedrock").get_foundation_model(modelIdentifier=id)["modelDetails"]
    assert details["modelId"] == ID


def test_everything_that_a_request_may_say(served: Served) -> None:
    client(served).converse(
        modelId=UPSTREAM,
        system=[{"text": "Be brief."}],
        messages=QUESTION,
        inferenceConfig={"maxTokens": 9, "temperature": 0.5, "topP": 0.5},
        requestMetadata={"knowledge": "cables,port", "mode": "single"},
        additionalModelRequestFields={"top_k": 3},
    )
    (asked,) = served.region.answers.asked
    assert (asked.knowledge, asked.mode, asked.max_tokens) == (("cables", "port"), "single", 9)
    assert [m.role for m in asked.messages] == ["system", "user"]


def test_an_answer_goes_back_in_as_history(served: Served) -> None:
    runtime = client(served)
    message = runtime.converse(modelId=ID, messages=QUESTION)["output"]["message"]
    runtime.converse(modelId=ID, messages=[*QUESTION, message, *QUESTION])
    assert served.region.answers.asked[1].messages[1].content == message["content"][0]["text"]
    assert served.region.answers.floors[1] is served.region.label(SECRET)


def test_the_acting_label_in_a_header_that_boto3_signs(served: Served) -> None:
    runtime = client(served)
    runtime.meta.events.register(
        "before-sign.bedrock-runtime.Converse",
        lambda request, **_: request.headers.add_header("Casemate-Acting-Label", OPEN),
    )
    found = runtime.converse(modelId=ID, messages=QUESTION)
    assert found["ResponseMetadata"]["HTTPHeaders"]["casemate-marking"] == "UNCLASSIFIED"


def test_the_same_header_added_on_the_way_is_denied(served: Served) -> None:
    runtime = client(served)

    def add(request: Any, **_: Any) -> None:
        request.headers["Casemate-Acting-Label"] = OPEN

    runtime.meta.events.register("before-send.bedrock-runtime.Converse", add)
    with pytest.raises(ClientError) as told:
        runtime.converse(modelId=ID, messages=QUESTION)
    assert failed(told) == ("AccessDeniedException", 403)


def test_the_list_of_models(served: Served) -> None:
    control = client(served, "bedrock")
    assert [m["modelId"] for m in control.list_foundation_models()["modelSummaries"]] == ["acme.large", ID]
    assert len(control.list_foundation_models(byProvider="acme", byOutputModality="TEXT")["modelSummaries"]) == 1
    high = client(served, "bedrock", HIGH, ceiling=HIGH).list_foundation_models()
    assert [m["modelId"] for m in high["modelSummaries"]] == [ID]
    assert high["ResponseMetadata"]["HTTPHeaders"]["casemate-marking"] == "TOP SECRET//SI//NOFORN"


def test_errors_are_those_of_the_client(served: Served) -> None:
    runtime = client(served)
    with pytest.raises(runtime.exceptions.ResourceNotFoundException) as told:
        runtime.converse(modelId="acme.none", messages=QUESTION)
    assert failed(told) == ("ResourceNotFoundException", 404)
    with pytest.raises(runtime.exceptions.ValidationException, match="toolConfig"):
        runtime.converse(modelId=ID, messages=QUESTION, toolConfig={"tools": [TOOL]})
    with pytest.raises(runtime.exceptions.AccessDeniedException):
        runtime.converse(modelId=ID, messages=[{"role": "user", "content": [{"text": "(TS//SI//NF) a"}]}])
    with pytest.raises(runtime.exceptions.AccessDeniedException):
        client(served, secret="0" * 40).converse(modelId=ID, messages=QUESTION)
    with pytest.raises(runtime.exceptions.AccessDeniedException):
        client(served, id="CMKNOBODY").converse(modelId=ID, messages=QUESTION)
    served.region.answers.script = breaks_in_the_middle
    with pytest.raises(runtime.exceptions.ModelErrorException) as broken:
        runtime.converse(modelId=ID, messages=QUESTION)
    assert failed(broken) == ("ModelErrorException", 424)


def test_what_is_not_offered_yet(served: Served) -> None:
    runtime = client(served)
    with pytest.raises(ClientError, match="does not stream here yet") as told:
        runtime.converse_stream(modelId=ID, messages=QUESTION)
    assert failed(told) == ("ValidationException", 400)
    with pytest.raises(ClientError) as invoked:
        runtime.invoke_model(modelId=ID, body=b"{}")
    assert failed(invoked) == ("ResourceNotFoundException", 404)
    with pytest.raises(ClientError) as custom:
        client(served, "bedrock").list_custom_models()
    assert failed(custom) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("seconds", [-400, 400])
def test_a_region_whose_clock_differs(served: Served, seconds: int) -> None:
    served.region.clock.forward(seconds)
    with pytest.raises(ClientError, match="Set the clock") as told:
        client(served).converse(modelId=ID, messages=QUESTION)
    assert failed(told) == ("AccessDeniedException", 403)


def test_an_expired_key(served: Served) -> None:
    served.region.clock.forward(-91 * 86_400)
    runtime = client(served)
    served.region.clock.forward(91 * 86_400)
    with pytest.raises(ClientError, match="valid until") as told:
        runtime.converse(modelId=ID, messages=QUESTION)
    assert failed(told) == ("AccessDeniedException", 403)
