"""The Bedrock wire: Converse and the list of models, signed with AWS Signature Version 4, as boto3 1.44 speaks them.

Model ids arrive percent-encoded and as ARNs; the frame routes on the path as it was sent. Shapes are those of
botocore's service-2.json; its own parser reads every response in the tests.
"""

from __future__ import annotations

from functools import partial

from casemate.access import Gate
from casemate.doors.bedrock import converse, credential, models, problem
from casemate.doors.frame import Plane, Route
from casemate.models import Answerer, Catalogue
from casemate.policy import Action

__all__ = ["PLANE", "routes"]

PLANE = Plane("bedrock", "/model", credential.signed, problem.tell, problem.event)


def routes(gate: Gate, catalogue: Catalogue, answerer: Answerer) -> list[Route]:
    """The operations of this wire; the clock is the gate's."""
    ask, see = Action("ask", "answer"), Action("list", "model")
    desk = converse.Desk(gate, catalogue, answerer)
    return [
        Route(
            "POST",
            "/model/{model}/converse",
            PLANE.name,
            ask,
            partial(converse.converse, desk),
            takes=converse.Request,
            texts=converse.texts,
            asks=True,
        ),
        Route("POST", "/model/{model}/converse-stream", PLANE.name, ask, converse.stream),
        Route("GET", "/foundation-models", PLANE.name, see, partial(models.listing, catalogue)),
        Route("GET", "/foundation-models/{model}", PLANE.name, see, partial(models.one, catalogue)),
    ]
