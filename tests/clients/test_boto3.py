"""The official boto3 package, signing for itself, against a real socket."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from casemate.models import READER
from tests.clients.conftest import Served
from tests.doors.bedrock.sent import THINKS, TOOL, scripted
from tests.doors.bedrock.test_jobs import kept
from tests.doors.bedrock.test_retrieve import generation
from tests.doors.shelved import hit
from tests.doors.wired import HIGH, OPEN, SECRET, UPSTREAM, breaks_in_the_middle

QUESTION: list[Any] = [{"role": "user", "content": [{"text": "Où va le navire ?"}]}]
ID = "casemate.extractive-reader"


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
    with pytest.raises(runtime.exceptions.ValidationException, match="tools"):
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


def test_converse_stream(served: Served) -> None:
    runtime = client(served)
    whole = runtime.converse(modelId=ID, messages=QUESTION)["output"]["message"]["content"][0]["text"]
    found = runtime.converse_stream(modelId=ID, messages=QUESTION)
    events = list(found["stream"])
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta.get("text", "") for delta in deltas) == whole
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 18
    assert found["ResponseMetadata"]["HTTPHeaders"]["casemate-marking"] == "SECRET//NOFORN"


def test_tools_in_a_stream(served: Served) -> None:
    served.region.answers.script = scripted(THINKS)
    found = client(served).converse_stream(modelId="acme.large", messages=QUESTION, toolConfig={"tools": [TOOL]})
    events = list(found["stream"])
    starts = [event["contentBlockStart"]["start"]["toolUse"] for event in events if "contentBlockStart" in event]
    assert [start["name"] for start in starts] == ["tide", "tide"]
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"


def test_what_breaks_in_a_stream(served: Served) -> None:
    served.region.answers.script = breaks_in_the_middle
    with pytest.raises(EventStreamError, match="modelStreamErrorException"):
        list(client(served).converse_stream(modelId=ID, messages=QUESTION)["stream"])


def test_invoke_model(served: Served) -> None:
    served.region.answers.script = scripted(THINKS)
    runtime = client(served)
    turns = [{"role": "user", "content": "When?"}]
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 5, "messages": turns})
    told = runtime.invoke_model(modelId="acme.large", body=body, requestMetadata='{"team":"port"}')
    assert told["contentType"] == "application/json"
    assert json.loads(told["body"].read())["stop_reason"] == "tool_use"
    found = runtime.invoke_model_with_response_stream(modelId="acme.large", body=body)
    events = [json.loads(event["chunk"]["bytes"]) for event in found["body"]]
    assert (events[0]["type"], events[-1]["type"]) == ("message_start", "message_stop")


def test_count_tokens(served: Served) -> None:
    runtime = client(served)
    assert runtime.count_tokens(modelId="acme.large", input={"converse": {"messages": QUESTION}})["inputTokens"] == 5
    inner = {"invokeModel": {"body": b'{"prompt":"abcd"}'}}
    assert runtime.count_tokens(modelId="acme.large", input=inner)["inputTokens"] == 1


def test_guardrails(served: Served) -> None:
    control, runtime = client(served, "bedrock", ceiling=OPEN), client(served, ceiling=OPEN)
    made = control.create_guardrail(
        name="harbour",
        wordPolicyConfig={"wordsConfig": [{"text": "fog"}]},
        sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}]},
        blockedInputMessaging="No.",
        blockedOutputsMessaging="No.",
        tags=[{"key": "a", "value": "b"}],
    )
    id, arn = made["guardrailId"], made["guardrailArn"]
    assert control.create_guardrail_version(guardrailIdentifier=arn)["version"] == "1"
    assert control.get_guardrail(guardrailIdentifier=arn, guardrailVersion="1")["status"] == "READY"
    assert [g["id"] for g in control.list_guardrails()["guardrails"]] == [id]
    assert control.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "a", "value": "b"}]
    control.tag_resource(resourceARN=arn, tags=[{"key": "c", "value": ""}])
    control.untag_resource(resourceARN=arn, tagKeys=["a"])
    content = [{"text": {"text": "to a@b.example"}}]
    named = {"guardrailIdentifier": arn, "guardrailVersion": "1"}
    told = runtime.apply_guardrail(**named, source="OUTPUT", content=content)
    assert (told["action"], told["outputs"]) == ("GUARDRAIL_INTERVENED", [{"text": "to {EMAIL}"}])
    fog: list[Any] = [{"role": "user", "content": [{"text": "The fog?"}]}]
    found = runtime.converse(modelId="acme.large", messages=fog, guardrailConfig={**named, "trace": "enabled"})
    assert (found["stopReason"], found["output"]["message"]["content"]) == ("guardrail_intervened", [{"text": "No."}])
    body = b'{"messages":[{"role":"user","content":"The fog?"}]}'
    invoked = runtime.invoke_model(modelId="acme.large", body=body, **named)
    assert json.loads(invoked["body"].read())["amazon-bedrock-guardrailAction"] == "INTERVENED"
    control.update_guardrail(
        guardrailIdentifier=id,
        name="quay",
        wordPolicyConfig={"wordsConfig": [{"text": "rope"}]},
        blockedInputMessaging="No.",
        blockedOutputsMessaging="No.",
    )
    control.delete_guardrail(guardrailIdentifier=id)
    with pytest.raises(control.exceptions.ResourceNotFoundException):
        control.get_guardrail(guardrailIdentifier=id)


def test_profiles(served: Served) -> None:
    control = client(served, "bedrock")
    found = control.list_inference_profiles()["inferenceProfileSummaries"]
    assert "us-gov.acme.large" in [profile["inferenceProfileId"] for profile in found]
    for profile in found:
        control.get_inference_profile(inferenceProfileIdentifier=profile["inferenceProfileArn"])
        client(served).converse(modelId=profile["inferenceProfileArn"], messages=QUESTION)


def test_an_invocation_job(served: Served) -> None:
    control = client(served, "bedrock", ceiling=OPEN)
    lines = b'{"recordId":"r","modelInput":{"messages":[{"role":"user","content":"When?"}]}}'
    source = f"s3://casemate/{kept(served.region, lines)}"
    asked = {
        "jobName": "night",
        "roleArn": "arn:aws:iam::000000000000:role/none",
        "modelId": "acme.large",
        "inputDataConfig": {"s3InputDataConfig": {"s3Uri": source}},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://casemate/out/"}},
    }
    arn = control.create_model_invocation_job(**asked)["jobArn"]
    assert control.get_model_invocation_job(jobIdentifier=arn)["status"] == "Validating"
    assert [job["jobName"] for job in control.list_model_invocation_jobs()["invocationJobSummaries"]] == ["night"]
    control.stop_model_invocation_job(jobIdentifier=arn)
    assert control.get_model_invocation_job(jobIdentifier=arn)["status"] == "Stopping"
    elsewhere = {"s3InputDataConfig": {"s3Uri": "s3://bucket/in.jsonl"}}
    with pytest.raises(control.exceptions.ValidationException, match="no other bucket"):
        control.create_model_invocation_job(**{**asked, "inputDataConfig": elsewhere})


def test_what_is_not_here(served: Served) -> None:
    control = client(served, "bedrock")
    assert control.list_custom_models()["modelSummaries"] == []
    with pytest.raises(control.exceptions.ResourceNotFoundException):
        control.get_custom_model(modelIdentifier="none")
    logging = control.get_model_invocation_logging_configuration()["loggingConfig"]
    assert not logging["textDataDeliveryEnabled"]
    with pytest.raises(ClientError) as told:
        control.list_evaluation_jobs()
    assert failed(told) == ("ResourceNotFoundException", 404)


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


AGENT = "bedrock-agent-runtime"
BASE = "arn:aws:bedrock:gov-secret-1:000000000000:knowledge-base/harbour"


def test_retrieve_by_pages(served: Served) -> None:
    served.region.shelf.hits = [hit(n, attributes={"year": 2024.0}) for n in range(7)]
    agent = client(served, AGENT)
    searched = {"numberOfResults": 3, "overrideSearchType": "HYBRID"}
    filtered = {**searched, "filter": {"greaterThan": {"key": "year", "value": 2000}}}
    asked = {
        "knowledgeBaseId": BASE,
        "retrievalQuery": {"text": "Où va le navire ?"},
        "retrievalConfiguration": {"vectorSearchConfiguration": filtered},
    }
    pages = list(agent.get_paginator("retrieve").paginate(**asked))
    found = [one for page in pages for one in page["retrievalResults"]]
    assert [len(page["retrievalResults"]) for page in pages] == [3, 3, 1]
    assert [one["location"]["customDocumentLocation"]["id"] for one in found] == [f"doc_{n}" for n in range(7)]
    assert found[0]["metadata"]["casemate-mark"] == "(U)"
    assert pages[0]["ResponseMetadata"]["HTTPHeaders"]["casemate-marking"] == "SECRET//NOFORN"
    with pytest.raises(agent.exceptions.ResourceNotFoundException) as told:
        agent.retrieve(knowledgeBaseId=BASE.replace("harbour", "hidden"), retrievalQuery={"text": "a"})
    assert failed(told) == ("ResourceNotFoundException", 404)
    with pytest.raises(agent.exceptions.ValidationException, match="userContext"):
        agent.retrieve(knowledgeBaseId=BASE, retrievalQuery={"text": "a"}, userContext={"userId": "x"})


def test_retrieve_and_generate(served: Served) -> None:
    agent = client(served, AGENT)
    found = agent.retrieve_and_generate(**generation("harbour"))
    low, high = found["citations"]
    assert found["output"]["text"].startswith("(U) Extract")
    assert low["generatedResponsePart"]["textResponsePart"]["span"]["start"] == 0
    assert high["retrievedReferences"][0]["metadata"]["casemate-mark"] == "(S//NF)"
    stream = agent.retrieve_and_generate_stream(**generation("harbour"))
    events = list(stream["stream"])
    assert stream["sessionId"] != found["sessionId"]
    assert "".join(e["output"]["text"] for e in events if "output" in e) == found["output"]["text"]
    assert [e["citation"] for e in events if "citation" in e] == found["citations"]
    with pytest.raises(agent.exceptions.ValidationException, match="sessionId"):
        agent.retrieve_and_generate(**generation("harbour"), sessionId=found["sessionId"])
    served.region.answers.script = breaks_in_the_middle
    with pytest.raises(agent.exceptions.DependencyFailedException):
        agent.retrieve_and_generate(**generation("harbour"))
    with pytest.raises(EventStreamError, match="dependencyFailedException"):
        list(agent.retrieve_and_generate_stream(**generation("harbour"))["stream"])
