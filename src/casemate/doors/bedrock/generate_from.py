"""POST /retrieveAndGenerate and /retrieveAndGenerateStream: an answer from one base, with what each part of it cites.

The answer is that of every other wire: written in rungs, each from its own world. A part of it, with its place in
Unicode code points, reaches from the last citation, or from the beginning of its paragraph, to the citation that
stands behind it. Sessions keep nothing: each answer names a new one, and a request that goes on with one is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from casemate.doors.bedrock.desk import Desk, answered, facts_of
from casemate.doors.bedrock.eventstream import MEDIA, event, frame
from casemate.doors.bedrock.knowledge import base_of, convert, filter_of, offered, reference
from casemate.doors.bedrock.retrieve import Retrieval, Vectors
from casemate.doors.frame import Call, Reply, Stream
from casemate.errors import BadInput
from casemate.ids import short
from casemate.models import MOST_TOKENS, Chat, Citation, Course, Message, within
from casemate.models.filter import Narrowed
from casemate.words import say

__all__ = ["generate", "generate_stream", "parts"]

_STOPS = 4
READ = 24  # passages of a rung that an answer is made from at most
_GAP = "\n\n"  # between paragraphs, and nowhere else in an answer
_SESSION = "x-amzn-bedrock-knowledge-base-session-id"
_OUTPUT, _CITATION = event("output"), event("citation")
_encode = msgspec.json.Encoder().encode


class Input(msgspec.Struct, forbid_unknown_fields=True):
    """The question."""

    text: str


class Writing(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """How to write."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop_sequences: list[str] | None = None


class Inference(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A union of one member."""

    text_inference_config: Writing | None = None


class Generation(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The prompt is the house's own: it holds the passages of one rung and nothing else."""

    inference_config: Inference | None = None
    additional_model_request_fields: dict[str, Any] | None = None
    guardrail_configuration: Any = None
    performance_config: Any = None
    prompt_template: Any = None


class Source(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The base and the model."""

    knowledge_base_id: str
    model_arn: str
    retrieval_configuration: Retrieval | None = None
    generation_configuration: Generation | None = None
    orchestration_configuration: Any = None


class Configuration(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """KNOWLEDGE_BASE alone is offered."""

    type: str
    knowledge_base_configuration: Source | None = None
    external_sources_configuration: Any = None


class Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The request of both operations."""

    input: Input
    retrieve_and_generate_configuration: Configuration
    session_id: str | None = None
    session_configuration: Any = None
    user_context: Any = None


async def generate(desk: Desk, call: Call) -> Reply:
    """Answer, whole."""
    chat, session = _asked(desk, call)
    answer, _, facts = await answered(desk, call, chat, None)
    told = {
        "sessionId": session,
        "output": {"text": answer.text},
        "citations": list(parts(answer.text, answer.cited, 0)),
    }
    return Reply(_encode(told), facts=facts)


async def generate_stream(desk: Desk, call: Call) -> Stream:
    """Answer in events. Its first delta is awaited: what fails before it is told as a plain response."""
    chat, session = _asked(desk, call)
    course = Course(desk.answerer.answer(call.flow, chat), chat)
    await course.first()
    course.facts |= facts_of(chat)
    return Stream(_pieces(course), MEDIA, headers=((_SESSION, session),), facts=course.facts)


def parts(text: str, cited: list[Citation], told: int) -> Iterator[dict[str, Any]]:
    """Each part of the text that ends in a citation, with what it cites; before `told` all is told already.

    Citations that stand one behind the other are of one part.
    """
    groups: list[tuple[int, int, list[Citation]]] = []
    for one in sorted(cited, key=lambda citation: (citation.start, citation.end, citation.number)):
        if groups and not text[groups[-1][1] : one.start].strip():
            start, end, same = groups.pop()
            groups.append((start, max(end, one.end), [*same, one]))
        else:
            groups.append((_begins(text, one, told), one.end, [one]))
        told = groups[-1][1]
    for start, end, same in groups:
        span = {"start": start, "end": end}
        yield {
            "generatedResponsePart": {"textResponsePart": {"text": text[start:end], "span": span}},
            "retrievedReferences": [_reference(one) for one in same],
        }


def _begins(text: str, cited: Citation, told: int) -> int:
    """Where the part begins that ends in this citation: not before its paragraph, nor with blanks."""
    gap = text.rfind(_GAP, 0, cited.start)
    begins = max(told, gap + len(_GAP)) if gap >= 0 else told
    part = text[begins : cited.end]
    return begins + len(part) - len(part.lstrip())


def _asked(desk: Desk, call: Call) -> tuple[Chat, str]:
    """The chat as it will be answered, and the session's id. Raises BadInput, UnknownModel, UnknownKnowledge."""
    language = call.flow.session.language
    body = convert(call.body, Body, language)
    configuration = body.retrieve_and_generate_configuration
    source = configuration.knowledge_base_configuration
    offered(
        {
            configuration.type[:40]: configuration.type != "KNOWLEDGE_BASE" or None,
            "externalSourcesConfiguration": configuration.external_sources_configuration,
            "sessionConfiguration": body.session_configuration,
            "userContext": body.user_context,
        },
        language,
    )
    if source is None:
        raise BadInput(what=say("bedrock.source", language))
    if body.session_id:
        raise BadInput(what=say("bedrock.session", language))
    _refused(source, language)
    base = base_of(source.knowledge_base_id)
    chat = desk.choose(call, _chat(body.input.text, source, language), {"knowledge": base})
    drawn = desk.gate.vault.entropy.draw(f"generate/{call.flow.access.id}/{call.flow.session.id}")
    return chat, short(drawn)


def _refused(source: Source, language: str) -> None:
    """Raises BadInput for what would change the answer and is not offered."""
    retrieval = source.retrieval_configuration or Retrieval()
    vectors = retrieval.vector_search_configuration or Vectors()
    generation = source.generation_configuration or Generation()
    searched = vectors.override_search_type
    offered(
        {
            "orchestrationConfiguration": source.orchestration_configuration,
            "managedSearchConfiguration": retrieval.managed_search_configuration,
            "overrideSearchType": None if searched == "HYBRID" else searched,
            "implicitFilterConfiguration": vectors.implicit_filter_configuration,
            "rerankingConfiguration": vectors.reranking_configuration,
            "guardrailConfiguration": generation.guardrail_configuration,
            "promptTemplate": generation.prompt_template,
            "performanceConfig": None
            if generation.performance_config == {"latency": "standard"}
            else generation.performance_config,
        },
        language,
    )


def _chat(question: str, source: Source, language: str) -> Chat:
    generation = source.generation_configuration or Generation()
    writing = (generation.inference_config or Inference()).text_inference_config or Writing()
    stops = tuple(writing.stop_sequences or ())
    within("maxTokens", writing.max_tokens, 1, MOST_TOKENS, language)
    within("temperature", writing.temperature, 0, 1, language)
    within("topP", writing.top_p, 0, 1, language)
    within("stopSequences", len(stops), 0, _STOPS, language)
    vectors = (source.retrieval_configuration or Retrieval()).vector_search_configuration or Vectors()
    within("numberOfResults", vectors.number_of_results, 1, READ, language)
    chosen = filter_of(vectors.filter, language)
    narrows = vectors.number_of_results is not None or chosen is not None
    more = generation.additional_model_request_fields
    return Chat(
        model=source.model_arn,
        messages=(Message("user", question),),
        max_tokens=writing.max_tokens or 1024,
        temperature=writing.temperature,
        top_p=writing.top_p,
        stop=stops,
        dialect="bedrock",
        extra={"additionalModelRequestFields": msgspec.Raw(_encode(more))} if more else {},
        language=language,
        narrowed=Narrowed(vectors.number_of_results or 0, chosen) if narrows else None,
    )


def _reference(cited: Citation) -> dict[str, Any]:
    ours = {"mark": cited.mark, "label": cited.label, "title": cited.title, "passage": cited.passage}
    return reference(cited.quote, cited.document, {}, page=cited.page, link=cited.link, **ours)


async def _pieces(course: Course) -> AsyncIterator[bytes]:
    """Whoever stops reading stops the answer: closing this closes what makes the deltas."""
    text, told = "", 0
    try:
        async for delta in course.deltas():
            text += delta.text
            piece = frame(_OUTPUT, _encode({"text": delta.text})) if delta.text else b""
            if delta.citations:
                for part in parts(text, list(delta.citations), told):
                    piece += frame(_CITATION, _encode(part))
                told = max(told, *(one.end for one in delta.citations))
            if piece:
                yield piece
    finally:
        await course.close()
