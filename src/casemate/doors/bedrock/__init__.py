"""The Bedrock wire: runtime, control and agent-runtime, as boto3 1.44 and the AWS command line speak them.

Requests are signed with Signature Version 4 or bear an API key. Model ids arrive percent-encoded and as ARNs; the frame
routes on the path as it was sent. Shapes are those of botocore's service-2.json; its own parser reads every response
and every event in the tests.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from casemate.access import Gate
from casemate.doors.bedrock import (
    apply,
    converse,
    count,
    credential,
    elsewhere,
    generate_from,
    guardrails,
    invoke,
    jobs,
    models,
    problem,
    problem_agent,
    retrieve,
)
from casemate.doors.bedrock.desk import Desk
from casemate.doors.bedrock.invocations import Invocations
from casemate.doors.frame import Handler, Plane, Route, strings
from casemate.models import Answerer, Catalogue
from casemate.models.shelf import Shelf
from casemate.policy import Action

__all__ = ["AGENT", "PLANE", "Invocations", "routes", "wire"]

PLANE = Plane("bedrock", "/model", credential.shown, problem.tell, problem.event)
AGENT = Plane("bedrock-agent", "/knowledgebases", credential.shown, problem_agent.tell, problem_agent.event)
LIMIT = 12 << 20  # bytes of a body: images travel in it

_SEE = Action("list", "model")
_Body = dict[str, Any]


def wire(gate: Gate, catalogue: Catalogue, answerer: Answerer) -> Invocations:
    """What answers the lines of invocation jobs, for the loop of batches."""
    return Invocations(Desk(gate, catalogue, answerer))


def routes(gate: Gate, catalogue: Catalogue, answerer: Answerer, shelf: Shelf | None = None) -> list[Route]:
    """The operations of this wire; the clock is the gate's. Without a shelf there is no knowledge to ask."""
    desk = Desk(gate, catalogue, answerer)
    ask = Action("ask", "answer")
    return [
        _asks("/model/{model}/converse", ask, partial(converse.converse, desk)),
        _asks("/model/{model}/converse-stream", ask, partial(converse.converse_stream, desk)),
        _asks("/model/{model}/invoke", ask, partial(invoke.invoke, desk)),
        _asks("/model/{model}/invoke-with-response-stream", ask, partial(invoke.invoke_stream, desk)),
        Route(
            "POST",
            "/model/{model}/count-tokens",
            PLANE.name,
            ask,
            partial(count.count, desk),
            takes=_Body,
            texts=count.texts,
            asks=True,
            limit=LIMIT,
        ),
        _asks("/guardrail/{guardrail}/version/{version}/apply", Action("apply", "guardrail"), apply.apply),
        Route("GET", "/foundation-models", PLANE.name, _SEE, partial(models.listing, catalogue)),
        Route("GET", "/foundation-models/{model}", PLANE.name, _SEE, partial(models.one, catalogue)),
        Route("GET", "/inference-profiles", PLANE.name, _SEE, partial(models.profiles, catalogue)),
        Route("GET", "/inference-profiles/{profile}", PLANE.name, _SEE, partial(models.one_profile, catalogue)),
        *_guardrails(),
        *_jobs(desk),
        *(_knowledge(desk, shelf) if shelf is not None else ()),
        *elsewhere.routes(PLANE.name),
    ]


def _guardrails() -> list[Route]:
    add, read, change = Action("add", "guardrail"), Action("read", "guardrail"), Action("change", "guardrail")
    one = "/guardrails/{guardrail}"
    return [
        _takes("POST", "/guardrails", add, guardrails.create),
        Route("GET", "/guardrails", PLANE.name, read, guardrails.listing),
        Route("GET", one, PLANE.name, read, guardrails.one),
        _takes("PUT", one, change, guardrails.change),
        _takes("POST", one, change, guardrails.version),
        Route("DELETE", one, PLANE.name, change, guardrails.remove),
        _takes("POST", "/tagResource", change, guardrails.tag),
        _takes("POST", "/untagResource", change, guardrails.untag),
        _takes("POST", "/listTagsForResource", read, guardrails.tags),
    ]


def _jobs(desk: Desk) -> list[Route]:
    add, one = Action("add", "batch"), "/model-invocation-job/{job}"
    return [
        _takes("POST", "/model-invocation-job", add, partial(jobs.create, desk)),
        Route("GET", "/model-invocation-jobs", PLANE.name, Action("list", "batch"), jobs.listing),
        Route("GET", one, PLANE.name, Action("read", "batch"), jobs.one),
        Route("POST", f"{one}/stop", PLANE.name, add, jobs.stop),
    ]


def _knowledge(desk: Desk, shelf: Shelf) -> list[Route]:
    """Those of agent-runtime; its exceptions have other names in a stream, so its plane is another."""
    ask, find = Action("ask", "answer"), Action("search", "knowledge")
    return [
        _takes("POST", "/knowledgebases/{base}/retrieve", find, partial(retrieve.retrieve, shelf), AGENT),
        _asks("/retrieveAndGenerate", ask, partial(generate_from.generate, desk), AGENT),
        _asks("/retrieveAndGenerateStream", ask, partial(generate_from.generate_stream, desk), AGENT),
    ]


def _takes(method: Any, path: str, action: Action, handler: Handler, plane: Plane = PLANE) -> Route:
    """Everything that such a body holds is looked at."""
    return Route(method, path, plane.name, action, handler, takes=_Body, texts=strings, plain=True)


def _asks(path: str, action: Action, handler: Handler, plane: Plane = PLANE) -> Route:
    return Route(
        "POST", path, plane.name, action, handler, takes=_Body, texts=strings, plain=True, asks=True, limit=LIMIT
    )
