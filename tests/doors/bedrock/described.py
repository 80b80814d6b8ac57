"""What the service is described as, held against what we send: botocore's parser and validator, and no more members."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.awsrequest import HeadersDict
from botocore.eventstream import EventStream, EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.parsers import EventStreamJSONParser, create_parser
from botocore.validate import ParamValidator

from tests.doors.wired import Got

RUNTIME, CONTROL, AGENT = "bedrock-runtime", "bedrock", "bedrock-agent-runtime"


@cache
def service(name: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def parsed(got: Got, operation: str, name: str = RUNTIME) -> dict[str, Any]:
    """What boto3 would give its caller; nothing in it may break a bound of the shape, and nothing may be beside it."""
    shape = service(name).operation_model(operation).output_shape
    response = {"status_code": got.status, "headers": HeadersDict(got.headers), "body": got.body}
    found: dict[str, Any] = create_parser("rest-json").parse(response, shape)
    if got.status < 300 and shape is not None:
        payload = shape.serialization.get("payload")
        given = {k: v for k, v in found.items() if k != "ResponseMetadata"}
        report = ParamValidator().validate(given, shape)
        assert not report.has_errors(), report.generate_report()
        if payload is None:
            nothing_beside(got.json, shape)
    return found


def nothing_beside(value: Any, shape: Shape, place: str = "$") -> None:
    """Every member is one that the shape has, all the way down; a document is anybody's."""
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        assert set(value) <= set(names), f"{place}: {set(value) - set(names)}"
        if shape.is_tagged_union:
            assert len(value) == 1, f"{place}: {value}"
        for name, inner in value.items():
            nothing_beside(inner, names[name], f"{place}.{name}")
    elif isinstance(shape, ListShape):
        for inner in value:
            nothing_beside(inner, shape.member, f"{place}[]")
    elif isinstance(shape, MapShape):
        for inner in value.values():
            nothing_beside(inner, shape.value, f"{place}.*")


class _Raw:
    """What botocore reads an event stream from."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    def stream(self) -> Iterator[bytes]:
        yield from self.pieces

    def close(self) -> None:
        return None


def events(got: Got, operation: str = "ConverseStream", name: str = RUNTIME) -> list[dict[str, Any]]:
    """The events as boto3 gives them. Raises EventStreamError where the stream says that it failed."""
    model = service(name).operation_model(operation)
    assert got.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert model.output_shape is not None
    stream = model.output_shape.members[model.output_shape.serialization["payload"]]
    for kind, payload in frames(got):
        nothing_beside(payload, stream.members[kind], kind)
    found = []
    for event in EventStream(_Raw(got.pieces), stream, EventStreamJSONParser(), operation):
        report = ParamValidator().validate(event, stream)
        assert not report.has_errors(), report.generate_report()
        assert len(event) == 1
        found.append(event)
    return found


def frames(got: Got) -> list[tuple[str, Any]]:
    """Name and payload of every frame; botocore's own buffer checks lengths and checksums."""
    buffer = EventStreamBuffer()
    buffer.add_data(got.body)
    named = []
    for message in buffer:
        name = message.headers.get(":event-type") or message.headers[":exception-type"]
        assert message.headers[":content-type"] == "application/json"
        named.append((name, json.loads(message.payload)))
    assert not buffer._data
    return named


def chunks(got: Got) -> list[Any]:
    """The vendor's own events inside InvokeModelWithResponseStream."""
    assert got.headers["x-amzn-bedrock-content-type"] == "application/json"
    found = events(got, "InvokeModelWithResponseStream")
    return [json.loads(event["chunk"]["bytes"]) for event in found]


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
