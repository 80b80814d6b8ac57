"""Guardrails: made, versioned, tagged and removed; at work in ApplyGuardrail, Converse and InvokeModel."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.models import Delta, Thought, ToolPiece, Usage
from tests.doors.bedrock.described import CONTROL, chunks, events, parsed
from tests.doors.bedrock.sent import LARGE, ask, scripted, send
from tests.doors.wired import OPEN, SECRET, Got, Wired, never_asked

MESSAGES = {"blockedInputMessaging": "Not to be asked.", "blockedOutputsMessaging": "Not to be said."}
POLICIES: dict[str, Any] = {
    "topicPolicyConfig": {
        "topicsConfig": [{"name": "Moles", "definition": "Spies.", "examples": ["Who is the mole"], "type": "DENY"}]
    },
    "wordPolicyConfig": {"wordsConfig": [{"text": "Lantern"}, {"text": "fog", "inputEnabled": False}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [{"type": "EMAIL", "action": "ANONYMIZE"}],
        "regexesConfig": [
            {"name": "berth", "pattern": r"B-\d+", "action": "ANONYMIZE", "inputAction": "NONE"},
            {"name": "marks", "pattern": "casemate:marks", "action": "BLOCK"},
        ],
    },
}


def create(region: Wired, key: tuple[str, str], **more: Any) -> str:
    body = {"name": "harbour", **MESSAGES, **POLICIES, **more}
    got = send(region, "POST", "/guardrails", body, key)
    assert got.status == 202, got.json
    return str(parsed(got, "CreateGuardrail", CONTROL)["guardrailId"])


@pytest.fixture
def key(region: Wired) -> tuple[str, str]:
    return region.key(OPEN, client="boto3")


def get(region: Wired, key: tuple[str, str], id: str, version: str = "") -> dict[str, Any]:
    query = f"?guardrailVersion={version}" if version else ""
    return parsed(send(region, "GET", f"/guardrails/{id}{query}", key=key), "GetGuardrail", CONTROL)


def test_made_changed_versioned_and_removed(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key, description="First.", tags=[{"key": "team", "value": "port"}])
    told = get(region, key, id)
    assert (told["name"], told["version"], told["status"]) == ("harbour", "DRAFT", "READY")
    assert told["topicPolicy"]["topics"] == POLICIES["topicPolicyConfig"]["topicsConfig"]
    assert told["wordPolicy"]["words"] == POLICIES["wordPolicyConfig"]["wordsConfig"]
    sensitive = POLICIES["sensitiveInformationPolicyConfig"]
    assert told["sensitiveInformationPolicy"] == {
        "piiEntities": sensitive["piiEntitiesConfig"],
        "regexes": sensitive["regexesConfig"],
    }
    arn = told["guardrailArn"].replace(":", "%3A").replace("/", "%2F")
    assert get(region, key, arn)["guardrailId"] == id
    one = send(region, "POST", f"/guardrails/{id}", {"description": "As it was."}, key)
    assert parsed(one, "CreateGuardrailVersion", CONTROL)["version"] == "1"
    other = {"name": "quay", **MESSAGES, "wordPolicyConfig": {"wordsConfig": [{"text": "rope"}]}}
    parsed(send(region, "PUT", f"/guardrails/{id}", other, key), "UpdateGuardrail", CONTROL)
    assert (get(region, key, id)["name"], get(region, key, id, "1")["name"]) == ("quay", "harbour")
    assert get(region, key, id, "1")["description"] == "As it was."
    listed = send(region, "GET", f"/guardrails?guardrailIdentifier={id}", key=key)
    found = parsed(listed, "ListGuardrails", CONTROL)["guardrails"]
    assert [(g["version"], g["name"]) for g in found] == [("DRAFT", "quay"), ("1", "harbour")]
    drafts = parsed(send(region, "GET", "/guardrails", key=key), "ListGuardrails", CONTROL)["guardrails"]
    assert [g["id"] for g in drafts] == [id]
    gone = send(region, "DELETE", f"/guardrails/{id}?guardrailVersion=1", key=key)
    assert parsed(gone, "DeleteGuardrail", CONTROL)["ResponseMetadata"]["HTTPStatusCode"] == 202
    missing = send(region, "DELETE", f"/guardrails/{id}?guardrailVersion=1", key=key)
    assert parsed(missing, "DeleteGuardrail", CONTROL)["Error"]["Code"] == "ResourceNotFoundException"
    send(region, "DELETE", f"/guardrails/{id}", key=key)
    assert get(region, key, id)["Error"]["Code"] == "ResourceNotFoundException"


def test_tags(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key)
    arn = get(region, key, id)["guardrailArn"]

    def tags() -> list[dict[str, str]]:
        got = send(region, "POST", "/listTagsForResource", {"resourceARN": arn}, key)
        found: list[dict[str, str]] = parsed(got, "ListTagsForResource", CONTROL)["tags"]
        return found

    given = [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]
    parsed(send(region, "POST", "/tagResource", {"resourceARN": arn, "tags": given}, key), "TagResource", CONTROL)
    assert tags() == given
    untag = send(region, "POST", "/untagResource", {"resourceARN": arn, "tagKeys": ["a", "z"]}, key)
    parsed(untag, "UntagResource", CONTROL)
    assert tags() == given[1:]
    bad = send(region, "POST", "/tagResource", {"resourceARN": arn, "tags": [{"key": "", "value": ""}]}, key)
    assert (bad.status, "tags" in bad.json["message"]) == (400, True)
    assert send(region, "POST", "/tagResource", {"tags": given}, key).status == 400
    other = {"resourceARN": "arn:aws:bedrock:x:000000000000:custom-model/a.b/c"}
    got = send(region, "POST", "/listTagsForResource", other, key)
    assert got.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    send(region, "DELETE", f"/guardrails/{id}", key=key)


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"contentPolicyConfig": {"filtersConfig": [{}]}}, "contentPolicyConfig"),
        ({"contextualGroundingPolicyConfig": {"filtersConfig": [{}]}}, "contextualGroundingPolicyConfig"),
        ({"automatedReasoningPolicyConfig": {"policies": ["a"]}}, "automatedReasoningPolicyConfig"),
        ({"crossRegionConfig": {"guardrailProfileIdentifier": "a"}}, "crossRegionConfig"),
        ({"kmsKeyId": "k"}, "kmsKeyId"),
        ({"wordPolicyConfig": {"managedWordListsConfig": [{"type": "PROFANITY"}]}}, "managedWordLists"),
        ({"wordPolicyConfig": {"wordsConfig": [{"text": " "}]}}, "rule"),
        ({"wordPolicyConfig": {"wordsConfig": [{"text": "a", "inputAction": "ANONYMIZE"}]}}, "rule"),
        ({"name": ""}, "name"),
        ({"blockedInputMessaging": ""}, "messages"),
        ({"blockedInputMessaging": 3}, "blockedInputMessaging"),
        ({"topicPolicyConfig": None, "wordPolicyConfig": None, "sensitiveInformationPolicyConfig": None}, "rules"),
        ({"tags": [{"key": "x" * 129, "value": ""}]}, "tags"),
    ],
)
def test_what_cannot_be_kept_is_named(region: Wired, key: tuple[str, str], more: dict[str, Any], names: str) -> None:
    got = send(region, "POST", "/guardrails", {"name": "harbour", **MESSAGES, **POLICIES, **more}, key)
    assert (got.status, names in got.json["message"]) == (400, True), got.json


@pytest.mark.parametrize("rule", ["(", "a" * 501, "casemate:secret", "(?=a)"])
def test_patterns_that_are_not_taken(region: Wired, key: tuple[str, str], rule: str) -> None:
    sensitive = {"regexesConfig": [{"name": "odd", "pattern": rule, "action": "BLOCK"}]}
    body = {"name": "harbour", **MESSAGES, "sensitiveInformationPolicyConfig": sensitive}
    assert send(region, "POST", "/guardrails", body, key).status == 400
    pii = {"piiEntitiesConfig": [{"type": "NAME", "action": "BLOCK"}]}
    got = send(region, "POST", "/guardrails", {**body, "sensitiveInformationPolicyConfig": pii}, key)
    assert (got.status, "EMAIL" in got.json["message"]) == (400, True)


def test_it_is_used_from_above_and_changed_where_it_lies_by_its_owner(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key)
    high = region.key(SECRET, client="boto3")
    assert get(region, high, id)["guardrailId"] == id
    up = send(region, "DELETE", f"/guardrails/{id}", key=high)
    assert (up.status, up.json["rule"]) == (403, "no-write-down")
    other = send(region, "DELETE", f"/guardrails/{id}", key=region.key(OPEN, client="boto3", name="other"))
    assert (other.status, other.json["rule"]) == (403, "owner")
    above = create(region, high)
    assert get(region, key, above)["Error"]["Code"] == "ResourceNotFoundException"
    drafts = parsed(send(region, "GET", "/guardrails", key=key), "ListGuardrails", CONTROL)["guardrails"]
    assert above not in [g["id"] for g in drafts]
    shown = parsed(send(region, "GET", "/guardrails?maxResults=1", key=high), "ListGuardrails", CONTROL)
    rest = send(region, "GET", f"/guardrails?maxResults=1&nextToken={shown['nextToken']}", key=high)
    assert {shown["guardrails"][0]["id"], rest.json["guardrails"][0]["id"]} == {id, above}
    assert send(region, "GET", "/guardrails?maxResults=0", key=high).status == 400
    send(region, "DELETE", f"/guardrails/{id}", key=key)
    send(region, "DELETE", f"/guardrails/{above}", key=high)


# ---- at work --------------------------------------------------------------------------------------------------------


def apply(region: Wired, key: tuple[str, str], id: str, text: str, source: str = "INPUT", **more: Any) -> Got:
    body = {"source": source, "content": [{"text": {"text": text}}], **more}
    return send(region, "POST", f"/guardrail/{id}/version/DRAFT/apply", body, key)


@pytest.mark.parametrize(
    ("text", "source", "action", "outputs"),
    [
        ("The ferry sails at nine.", "INPUT", "NONE", []),
        ("who is the  MOLE?", "INPUT", "GUARDRAIL_INTERVENED", ["Not to be asked."]),
        ("a lantern!", "INPUT", "GUARDRAIL_INTERVENED", ["Not to be asked."]),
        ("lanterns", "INPUT", "NONE", []),
        ("the fog", "INPUT", "NONE", []),
        ("the fog", "OUTPUT", "GUARDRAIL_INTERVENED", ["Not to be said."]),
        ("ask a@b.example now", "INPUT", "GUARDRAIL_INTERVENED", ["ask {EMAIL} now"]),
        ("at B-17", "INPUT", "NONE", []),
        ("at B-17", "OUTPUT", "GUARDRAIL_INTERVENED", ["at {berth}"]),
        ("One.\n(U) Two.", "OUTPUT", "GUARDRAIL_INTERVENED", ["Not to be said."]),
        ("x " * 3000, "OUTPUT", "NONE", []),
    ],
)
def test_applied_alone(
    region: Wired, key: tuple[str, str], text: str, source: str, action: str, outputs: list[str]
) -> None:
    id = create(region, key)
    found = parsed(apply(region, key, id, text, source), "ApplyGuardrail")
    assert (found["action"], [one["text"] for one in found["outputs"]]) == (action, outputs)
    assert bool(found["assessments"]) == (action != "NONE")
    full = parsed(apply(region, key, id, text, source, outputScope="FULL"), "ApplyGuardrail")
    told = [entry for policy in full["assessments"][0].values() for kinds in policy.values() for entry in kinds]
    assert all(entry["detected"] for entry in told)
    assert ("B-17" in text) <= any(entry.get("match") == "B-17" for entry in told)
    send(region, "DELETE", f"/guardrails/{id}", key=key)


def test_what_a_guardrail_does_not_look_at(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key)
    image = send(
        region, "POST", f"/guardrail/{id}/version/DRAFT/apply", {"source": "INPUT", "content": [{"image": {}}]}, key
    )
    assert (image.status, "texts" in image.json["message"]) == (400, True)
    assert apply(region, key, id, "x", "BOTH").status == 400
    assert apply(region, key, id, "x" * 200_001).json["slug"] == "too-large"
    assert apply(region, key, "nobody", "x").headers["x-amzn-errortype"] == "ResourceNotFoundException"
    send(region, "DELETE", f"/guardrails/{id}", key=key)


def guarded(id: str, text: str, trace: str = "enabled") -> dict[str, Any]:
    config = {"guardrailIdentifier": id, "guardrailVersion": "DRAFT", "trace": trace}
    return {"messages": [{"role": "user", "content": [{"text": text}]}], "guardrailConfig": config}


def test_a_question_that_is_not_asked(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key)
    region.answers.script = never_asked
    body = guarded(id, "Where is the lantern?")
    found = parsed(ask(region, body, LARGE, key=key), "Converse")
    assert found["stopReason"] == "guardrail_intervened"
    assert found["output"]["message"]["content"] == [{"text": "Not to be asked."}]
    words = found["trace"]["guardrail"]["inputAssessment"][id]["wordPolicy"]["customWords"]
    assert words == [{"match": "Lantern", "action": "BLOCKED", "detected": True}]
    told = events(ask(region, body, LARGE, "converse-stream", key=key))
    assert told[1]["contentBlockDelta"]["delta"] == {"text": "Not to be asked."}
    assert told[-2]["messageStop"]["stopReason"] == "guardrail_intervened"
    send(region, "DELETE", f"/guardrails/{id}", key=key)


def test_a_question_with_what_is_not_to_be_seen_left_out(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key)
    region.answers.script = scripted([Delta(text="Yes.", finish="stop")])
    body = guarded(id, "Write to a@b.example.", "disabled")
    body["system"] = [{"text": "You are c@d.example."}]
    result = {"toolUseId": "t", "content": [{"text": "x@y.example"}]}
    use = {"toolUseId": "t", "name": "f", "input": {}}
    body["messages"] += [
        {"role": "assistant", "content": [{"toolUse": use}]},
        {"role": "user", "content": [{"text": "And"}, {"toolResult": result}]},
    ]
    found = parsed(ask(region, body, LARGE, key=key), "Converse")
    assert "trace" not in found
    (asked,) = region.answers.asked
    assert asked.messages[0].content == "You are c@d.example."
    assert asked.messages[1].content == "Write to {EMAIL}."
    assert asked.messages[3].parts[1].parts[0].text == "{EMAIL}"  # type: ignore[union-attr]
    send(region, "DELETE", f"/guardrails/{id}", key=key)


ANSWERS: list[tuple[list[Delta], str, str]] = [
    ([Delta(text="In the f"), Delta(text="og.")], "guardrail_intervened", "Not to be said."),
    ([Delta(text="At B-"), Delta(text="17.")], "end_turn", "At {berth}."),
    ([Delta(text="At nine.")], "end_turn", "At nine."),
    ([Delta(call=ToolPiece(0, '{"a":"fog"}', "t", "f"))], "guardrail_intervened", "Not to be said."),
    ([Delta(thought=Thought("B-17?", "s")), Delta(text="Nine.")], "end_turn", "Nine."),
]


@pytest.mark.parametrize(("deltas", "stop", "text"), ANSWERS)
def test_an_answer_as_it_may_be_seen(
    region: Wired, key: tuple[str, str], deltas: list[Delta], stop: str, text: str
) -> None:
    id = create(region, key)
    region.answers.script = scripted([*deltas, Delta(finish="stop", usage=Usage(1, 2))])
    body = guarded(id, "When?")
    got = ask(region, body, LARGE, key=key)
    found = parsed(got, "Converse")
    assert (found["stopReason"], found["output"]["message"]["content"]) == (stop, [{"text": text}])
    assert found["usage"]["outputTokens"] == 2
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert end.facts["guardrail"] == f"{id}:DRAFT"
    told = events(ask(region, body, LARGE, "converse-stream", key=key))
    assert "".join(e["contentBlockDelta"]["delta"]["text"] for e in told if "contentBlockDelta" in e) == text
    assert "guardrail" in told[-1]["metadata"]["trace"]
    send(region, "DELETE", f"/guardrails/{id}", key=key)


def test_invoke_with_a_guardrail_in_its_headers(region: Wired, key: tuple[str, str]) -> None:
    id = create(region, key)
    region.answers.script = scripted([Delta(text="In the fog."), Delta(finish="stop")])
    name = "x-amzn-bedrock-"
    headers = {
        f"{name}guardrailidentifier": id,
        f"{name}guardrailversion": "DRAFT",
        f"{name}trace": "ENABLED",
    }
    body = {"messages": [{"role": "user", "content": "When?"}]}
    told = ask(region, body, LARGE, "invoke", key=key, headers=headers).json
    assert told["choices"][0]["message"]["content"] == "Not to be said."
    assert told["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert "outputAssessments" in told["amazon-bedrock-trace"]["guardrail"]
    found = chunks(ask(region, body, LARGE, "invoke-with-response-stream", key=key, headers=headers))
    assert found[-2]["choices"][0]["finish_reason"] == "content_filter"
    quiet = {n: v for n, v in headers.items() if not n.endswith("trace")}
    assert "amazon-bedrock-trace" not in ask(region, body, LARGE, "invoke", key=key, headers=quiet).json
    send(region, "DELETE", f"/guardrails/{id}", key=key)


def test_citations_and_calls_are_looked_at_too(region: Wired, key: tuple[str, str]) -> None:
    quoted = {"regexesConfig": [{"name": "ship", "pattern": "navire", "action": "ANONYMIZE"}]}
    id = create(region, key, sensitiveInformationPolicyConfig=quoted, wordPolicyConfig=None, topicPolicyConfig=None)
    content = parsed(ask(region, guarded(id, "When?"), key=key), "Converse")["output"]["message"]["content"]
    assert "Le {ship} caché" in content[0]["text"]
    sources = [c["sourceContent"][0]["text"] for block in content[1:] for c in block["citationsContent"]["citations"]]
    assert any("Le {ship} caché" in source for source in sources)
    assert not any("navire" in source for source in sources)
    call = Delta(call=ToolPiece(0, '{"a":"navire"}', "t", "f"))
    region.answers.script = scripted([Delta(thought=Thought("Hm.", "s")), call, Delta(finish="tool")])
    told = events(ask(region, guarded(id, "When?"), LARGE, "converse-stream", key=key))
    deltas = [event["contentBlockDelta"]["delta"] for event in told if "contentBlockDelta" in event]
    assert deltas == [
        {"reasoningContent": {"text": "Hm."}},
        {"reasoningContent": {"signature": "s"}},
        {"toolUse": {"input": '{"a":"{ship}"}'}},
    ]
    assert told[-2]["messageStop"]["stopReason"] == "tool_use"
    send(region, "DELETE", f"/guardrails/{id}", key=key)


def test_there_is_a_bound_to_how_many_there_are(region: Wired) -> None:
    key = region.key("us:CONFIDENTIAL", client="boto3")
    made = [create(region, key) for _ in range(100)]
    body = {"name": "harbour", **MESSAGES, **POLICIES}
    got = send(region, "POST", "/guardrails", body, key)
    assert (got.status, "100" in got.json["message"]) == (400, True)
    assert send(region, "POST", f"/guardrails/{made[0]}", {"description": 3}, key).status == 400
    for id in made:
        send(region, "DELETE", f"/guardrails/{id}", key=key)
