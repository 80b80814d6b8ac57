"""Retrieve, RetrieveAndGenerate and its stream: botocore's own parser and bounds hold every answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from casemate.doors.bedrock.problem_agent import event as failure
from casemate.errors import Absent, BadInput, CasemateError, Conflict, EngineFailed, Internal, QuotaExceeded, Stale
from casemate.models.filter import Narrowed
from casemate.models.shelf import Compare, Every, Search, Some
from casemate.words import problem
from tests.doors.bedrock.described import AGENT, events, parsed
from tests.doors.bedrock.sent import ID, send
from tests.doors.shelved import hit
from tests.doors.wired import HIGH, SECRET, Got, Wired, breaks_in_the_middle

ARN = "arn%3Aaws-us-gov%3Abedrock%3Agov-secret-1%3A000000000000%3Aknowledge-base%2F"
QUERY: dict[str, Any] = {"retrievalQuery": {"text": "When does the ferry sail?"}}
WHOLE, STREAM = "/retrieveAndGenerate", "/retrieveAndGenerateStream"


@pytest.fixture(autouse=True)
def on_the_shelf(region: Wired) -> Iterator[None]:
    region.shelf.hits, region.shelf.asked = [hit(n) for n in range(3)], []
    yield
    region.shelf.hits = []


def ask(region: Wired, base: str = "harbour", **more: Any) -> Got:
    return send(region, "POST", f"/knowledgebases/{base}/retrieve", QUERY | more)


def vectors(**more: Any) -> dict[str, Any]:
    return {"retrievalConfiguration": {"vectorSearchConfiguration": more}}


def generation(base: str = "harbour", model: str = ID, /, **more: Any) -> dict[str, Any]:
    source = {"knowledgeBaseId": base, "modelArn": model, **more}
    told = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": source}
    return {"input": {"text": "When does the ferry sail?"}, "retrieveAndGenerateConfiguration": told}


def refused(got: Got, status: int = 400, name: str = "ValidationException") -> str:
    """What a client is told."""
    assert got.marked()
    told = parsed(got, "Retrieve", AGENT)["Error"]
    assert (got.status, told["Code"]) == (status, name)
    return str(told["Message"])


def test_what_is_found(region: Wired) -> None:
    region.shelf.hits = [
        hit(0, page=3, attributes={"year": 2024.0, "casemate-mark": "(X)"}, file="file-1", heading="Hours"),
        hit(1, mark="(S//NF)", label="high"),
    ]
    got = ask(region)
    first, second = parsed(got, "Retrieve", AGENT)["retrievalResults"]
    assert first == {
        "content": {"type": "TEXT", "text": "The ferry sails at 0."},
        "location": {"type": "CUSTOM", "customDocumentLocation": {"id": "doc_0"}},
        "documentId": "doc_0",
        "score": 1.0,
        "metadata": {
            "year": 2024.0,
            "casemate-mark": "(U)",
            "casemate-label": "low",
            "casemate-title": "Notice été",
            "casemate-heading": "Hours",
            "casemate-base": "harbour",
            "casemate-passage": "psg_0",
            "casemate-file": "file-1",
            "casemate-page": 3,
        },
    }
    assert (second["metadata"]["casemate-mark"], second["score"]) == ("(S//NF)", 0.5)
    assert "nextToken" not in got.json
    assert region.shelf.asked == [Search(("When does the ferry sail?",), ("harbour",), 6)]
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    assert region.entry(got.headers["casemate-ledger"]).facts["results"] == 2


def test_pages(region: Wired) -> None:
    region.shelf.hits = [hit(n) for n in range(250)]
    found, token, pages = [], {}, 0
    while pages == 0 or token:
        got = parsed(ask(region, **vectors(numberOfResults=90), **token), "Retrieve", AGENT)
        found += [one["documentId"] for one in got["retrievalResults"]]
        token = {"nextToken": got["nextToken"]} if "nextToken" in got else {}
        pages += 1
    assert found == [f"doc_{n}" for n in range(200)]
    assert [search.k for search in region.shelf.asked] == [91, 181, 200]


@pytest.mark.parametrize("token", ["", "0", "200", "٣", "x", "-1", "9999"])
def test_a_token_of_somewhere_else(region: Wired, token: str) -> None:
    assert "nextToken" in refused(ask(region, nextToken=token))


def test_a_base_by_its_arn(region: Wired) -> None:
    assert ask(region, ARN + "harbour").status == 200
    assert region.shelf.asked[0].bases == ("harbour",)
    for base in ("nowhere", ARN, "harbour%2Cport", "none"):
        refused(ask(region, base), 404, "ResourceNotFoundException")


@pytest.mark.parametrize(("said", "method"), [("HYBRID", "hybrid"), ("SEMANTIC", "dense")])
def test_how_it_is_searched(region: Wired, said: str, method: str) -> None:
    assert ask(region, **vectors(overrideSearchType=said)).status == 200
    assert region.shelf.asked[0].method == method


VALUES = {"equals": "eq", "notEquals": "ne", "listContains": "eq"}
NUMBERS = {"greaterThan": "gt", "greaterThanOrEquals": "gte", "lessThan": "lt", "lessThanOrEquals": "lte"}
STRINGS = {"startsWith": "prefix", "stringContains": "contains"}


@pytest.mark.parametrize(
    ("name", "value", "operator", "kept"),
    [
        *((name, value, to, value) for name, to in VALUES.items() for value in ("a", True, 2.5)),
        *((name, 7, to, 7.0) for name, to in NUMBERS.items()),
        *((name, "a", to, "a") for name, to in STRINGS.items()),
        ("in", ["a", 1, False], "in", ("a", 1.0, False)),
        ("notIn", ["a"], "nin", ("a",)),
    ],
)
def test_a_comparison(region: Wired, name: str, value: Any, operator: Any, kept: Any) -> None:
    assert ask(region, **vectors(filter={name: {"key": "port", "value": value}})).status == 200
    found = region.shelf.asked[0].filter
    assert found == Compare("attr.port", operator, kept)
    assert isinstance(found, Compare)
    assert type(found.value) is type(kept)


def test_filters_joined(region: Wired) -> None:
    one, two = {"equals": {"key": "a", "value": "b"}}, {"lessThan": {"key": "n", "value": 3}}
    assert ask(region, **vectors(filter={"andAll": [one, {"orAll": [one, two]}]})).status == 200
    left, right = Compare("attr.a", "eq", "b"), Compare("attr.n", "lt", 3.0)
    assert region.shelf.asked[0].filter == Every((left, Some((left, right))))


def deep(depth: int) -> dict[str, Any]:
    one = {"equals": {"key": "a", "value": "b"}}
    return {"andAll": [one, deep(depth - 1)]} if depth else one


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        {"equals": {"key": "a", "value": 1}, "notEquals": {"key": "a", "value": 1}},
        {"near": {"key": "a", "value": 1}},
        {"equals": {"key": "a"}},
        {"equals": "a"},
        {"equals": {"key": "", "value": 1}},
        {"equals": {"key": "k" * 65, "value": 1}},
        {"equals": {"key": 1, "value": 1}},
        {"equals": {"key": "a", "value": None}},
        {"equals": {"key": "a", "value": ["a"]}},
        {"lessThan": {"key": "a", "value": "b"}},
        {"lessThan": {"key": "a", "value": True}},
        {"lessThan": {"key": "a", "value": 10**400}},
        {"startsWith": {"key": "a", "value": 1}},
        {"in": {"key": "a", "value": "b"}},
        {"in": {"key": "a", "value": []}},
        {"in": {"key": "a", "value": [{}]}},
        {"andAll": [{"equals": {"key": "a", "value": 1}}]},
        {"orAll": {"equals": {"key": "a", "value": 1}}},
        {"andAll": [{"equals": {"key": "a", "value": 1}}] * 101},
        deep(5),
    ],
)
def test_a_filter_that_is_none(region: Wired, given: Any) -> None:
    refused(ask(region, **vectors(filter=given)))
    assert region.shelf.asked == []


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"guardrailConfiguration": {"guardrailId": "g", "guardrailVersion": "1"}}, "guardrailConfiguration"),
        ({"userContext": {"userId": "u"}}, "userContext"),
        ({"retrievalQuery": {"text": "a", "image": {"format": "png", "inlineContent": "aa"}}}, "image"),
        ({"retrievalQuery": {"text": "a", "type": "IMAGE"}}, "IMAGE"),
        ({"retrievalConfiguration": {"managedSearchConfiguration": {"numberOfResults": 3}}}, "managedSearch"),
        (vectors(implicitFilterConfiguration={"modelArn": "x"}), "implicitFilterConfiguration"),
        (vectors(rerankingConfiguration={"type": "BEDROCK_RERANKING_MODEL"}), "rerankingConfiguration"),
        (vectors(overrideSearchType="LEXICAL"), "LEXICAL"),
        (vectors(numberOfResults=0), "numberOfResults"),
        (vectors(numberOfResults=101), "numberOfResults"),
        (vectors(somethingNew=1), "somethingNew"),
        ({"retrievalQuery": {"text": "  "}}, "retrievalQuery.text"),
        ({"retrievalQuery": {"text": "a" * 20_001}}, "retrievalQuery.text"),
        ({"retrievalQuery": "a"}, "retrievalQuery"),
    ],
)
def test_what_is_not_offered_is_told_by_name(region: Wired, more: dict[str, Any], named: str) -> None:
    assert named in refused(ask(region, **more))
    assert region.shelf.asked == []


def test_a_mark_above_the_request_is_refused_before_anything_is_asked(region: Wired) -> None:
    got = ask(region, retrievalQuery={"text": "(TS//SI//NF) The ferry."})
    refused(got, 403, "AccessDeniedException")
    assert region.shelf.asked == []


def test_an_answer_with_what_it_cites(region: Wired) -> None:
    got = send(region, "POST", WHOLE, generation())
    told = parsed(got, "RetrieveAndGenerate", AGENT)
    text = told["output"]["text"]
    low, high = told["citations"]
    for part in (low, high):
        written = part["generatedResponsePart"]["textResponsePart"]
        assert written["text"] == text[written["span"]["start"] : written["span"]["end"]]
        assert written["text"].endswith("[1]")
    assert high["generatedResponsePart"]["textResponsePart"]["text"].startswith("(S//NF) Extract")
    assert high["retrievedReferences"] == [
        {
            "content": {"type": "TEXT", "text": "Le navire caché part à l’aube."},
            "location": {"type": "CUSTOM", "customDocumentLocation": {"id": "doc_a"}},
            "metadata": {
                "casemate-mark": "(S//NF)",
                "casemate-label": "high",
                "casemate-title": "Notice été",
                "casemate-passage": "psg_high",
                "casemate-link": "/passages/psg_high",
            },
        }
    ]
    (asked,) = region.answers.asked
    assert (asked.knowledge, asked.mode, asked.model) == (("harbour",), "rungs", "casemate/extractive-reader")
    assert got.headers["casemate-marking"] == "SECRET//NOFORN"
    again = parsed(send(region, "POST", WHOLE, generation()), "RetrieveAndGenerate", AGENT)
    assert again["sessionId"] != told["sessionId"]


def test_the_same_answer_in_events(region: Wired) -> None:
    whole = parsed(send(region, "POST", WHOLE, generation()), "RetrieveAndGenerate", AGENT)
    got = send(region, "POST", STREAM, generation())
    assert parsed_header(got)
    found = events(got, "RetrieveAndGenerateStream", AGENT)
    assert "".join(one["output"]["text"] for one in found if "output" in one) == whole["output"]["text"]
    assert [one["citation"] for one in found if "citation" in one] == whole["citations"]
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert (end.outcome, end.facts["finish"]) == ("complete", "stop")


def parsed_header(got: Got) -> str:
    return got.headers["x-amzn-bedrock-knowledge-base-session-id"]


def test_how_to_write_reaches_the_model(region: Wired) -> None:
    writing = {"maxTokens": 9, "temperature": 0.5, "topP": 0.4, "stopSequences": ["."]}
    inference = {"textInferenceConfig": writing}
    more = {
        "inferenceConfig": inference,
        "additionalModelRequestFields": {"top_k": 3},
        "performanceConfig": {"latency": "standard"},
    }
    hybrid = {"vectorSearchConfiguration": {"overrideSearchType": "HYBRID"}}
    arn = "arn:aws:bedrock:port-sable:000000000000:knowledge-base/harbour"
    model = f"arn:aws:bedrock:port-sable::foundation-model/{'acme.large'}"
    body = generation(arn, model, generationConfiguration=more, retrievalConfiguration=hybrid)
    assert send(region, "POST", WHOLE, body).status == 200
    (asked,) = region.answers.asked
    assert (asked.model, asked.knowledge) == ("acme/large", ("harbour",))
    assert (asked.max_tokens, asked.temperature, asked.top_p, asked.stop) == (9, 0.5, 0.4, (".",))
    assert bytes(asked.extra["additionalModelRequestFields"]) == b'{"top_k":3}'


def test_what_the_answer_is_made_from_is_narrowed(region: Wired) -> None:
    chosen = {"equals": {"key": "year", "value": 1934}}
    assert send(region, "POST", WHOLE, source(**vectors(numberOfResults=3, filter=chosen))).status == 200
    assert send(region, "POST", WHOLE, generation()).status == 200
    narrowed, plain = (asked.narrowed for asked in region.answers.asked)
    assert narrowed == Narrowed(3, Compare("attr.year", "eq", 1934.0))
    assert plain is None


def source(**more: Any) -> dict[str, Any]:
    return generation(**more)


def writing(**more: Any) -> dict[str, Any]:
    return generation(generationConfiguration={"inferenceConfig": {"textInferenceConfig": more}})


EXTERNAL = {"type": "EXTERNAL_SOURCES", "externalSourcesConfiguration": {"modelArn": ID, "sources": []}}


@pytest.mark.parametrize("path", [WHOLE, STREAM])
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**generation(), "retrieveAndGenerateConfiguration": EXTERNAL}, "EXTERNAL_SOURCES"),
        ({**generation(), "retrieveAndGenerateConfiguration": {"type": "KNOWLEDGE_BASE"}}, "knowledgeBaseConf"),
        ({"input": {"text": "a"}}, "retrieveAndGenerateConfiguration"),
        ({**generation(), "sessionId": "s1"}, "sessionId"),
        ({**generation(), "sessionConfiguration": {"kmsKeyArn": "k"}}, "sessionConfiguration"),
        ({**generation(), "userContext": {"userId": "u"}}, "userContext"),
        ({**generation(), "input": {"text": " "}}, "message"),
        (
            source(orchestrationConfiguration={"queryTransformationConfiguration": {"type": "QUERY_DECOMPOSITION"}}),
            "orchestrationConfiguration",
        ),
        (source(generationConfiguration={"guardrailConfiguration": {"guardrailId": "g"}}), "guardrailConfiguration"),
        (source(generationConfiguration={"promptTemplate": {"textPromptTemplate": "x"}}), "promptTemplate"),
        (source(generationConfiguration={"performanceConfig": {"latency": "optimized"}}), "performanceConfig"),
        (source(**vectors(numberOfResults=25)), "numberOfResults"),
        (source(**vectors(filter={"near": {"key": "year", "value": 1}})), "filter"),
        (source(**vectors(implicitFilterConfiguration={"modelArn": ID})), "implicitFilterConfiguration"),
        (source(**vectors(overrideSearchType="SEMANTIC")), "overrideSearchType"),
        (source(**vectors(rerankingConfiguration={"type": "x"})), "rerankingConfiguration"),
        (writing(temperature=2), "temperature"),
        (writing(maxTokens=0), "maxTokens"),
        (writing(stopSequences=["a"] * 5), "stopSequences"),
    ],
)
def test_what_is_not_offered_in_an_answer(region: Wired, path: str, body: dict[str, Any], named: str) -> None:
    assert named in refused(send(region, "POST", path, body))
    assert region.answers.asked == []


@pytest.mark.parametrize("path", [WHOLE, STREAM])
def test_no_such_model_and_no_such_base(region: Wired, path: str) -> None:
    refused(send(region, "POST", path, generation("harbour", "acme.none")), 404, "ResourceNotFoundException")
    refused(send(region, "POST", path, generation("", ID)), 404, "ResourceNotFoundException")
    high = send(region, "POST", path, generation("harbour", "acme.large"), floor=HIGH, ceiling=HIGH)
    refused(high, 404, "ResourceNotFoundException")


def test_what_breaks_off(region: Wired) -> None:
    region.answers.script = breaks_in_the_middle
    refused(send(region, "POST", WHOLE, generation()), 424, "DependencyFailedException")
    got = send(region, "POST", STREAM, generation())
    with pytest.raises(EventStreamError, match=r"dependencyFailedException.*hung up"):
        events(got, "RetrieveAndGenerateStream", AGENT)
    (end,) = region.ends(got.headers["casemate-ledger"])
    assert end.outcome == "failed"


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (BadInput(what="x"), "validationException"),
        (EngineFailed(engine="e", why="w"), "dependencyFailedException"),
        (QuotaExceeded(), "throttlingException"),
        (Stale(age=1, most=1), "badGatewayException"),
        (Conflict(), "conflictException"),
        (Absent(kind="a", id="b"), "resourceNotFoundException"),
        (Internal(), "internalServerException"),
    ],
)
def test_every_failure_has_a_name_that_the_stream_describes(error: CasemateError, name: str) -> None:
    got = Got(200, {"content-type": "application/vnd.amazon.eventstream"}, [failure(problem(error))])
    with pytest.raises(EventStreamError, match=name):
        events(got, "RetrieveAndGenerateStream", AGENT)


def test_nothing_above_the_floor_of_the_wire(region: Wired) -> None:
    """The shelf is asked with the request's own flow: its acting label, and no other."""
    got = send(region, "POST", "/knowledgebases/harbour/retrieve", QUERY, floor=SECRET)
    assert got.headers["casemate-label"] == region.clearance(SECRET).text
