"""What this protocol has and a region does not: custom models, customisation, throughput, delivery of logs.

Their lists are empty, since there are none; what would make one is told that it is not available. The ledger records
every call whatever the logging configuration says, and what it keeps goes nowhere else: that is what is told.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route, strings
from casemate.errors import Absent, BadInput
from casemate.policy import Action
from casemate.words import say

__all__ = ["routes"]

_SEE, _MAKE = Action("list", "model"), Action("customise", "model")
_LISTS = {
    "/custom-models": "modelSummaries",
    "/model-customization-jobs": "modelCustomizationJobSummaries",
    "/imported-models": "modelSummaries",
    "/model-import-jobs": "modelImportJobSummaries",
    "/provisioned-model-throughputs": "provisionedModelSummaries",
}
_MAKERS = ("/model-customization-jobs", "/model-import-jobs", "/custom-models/create-custom-model")
_KINDS = {
    "/custom-models/{id}": "custom-model",
    "/model-customization-jobs/{id}": "model-customization-job",
    "/imported-models/{id}": "imported-model",
    "/model-import-jobs/{id}": "model-import-job",
}


def routes(plane: str) -> list[Route]:
    """The operations of what is not here."""
    logging = "/logging/modelinvocations"
    return [
        *(Route("GET", path, plane, _SEE, partial(_none, name)) for path, name in _LISTS.items()),
        *(Route("GET", path, plane, _SEE, partial(_absent, kind)) for path, kind in _KINDS.items()),
        *(Route("POST", path, plane, _MAKE, _refused, takes=dict[str, Any], texts=strings) for path in _MAKERS),
        Route("GET", logging, plane, _SEE, _logging),
        Route("PUT", logging, plane, _MAKE, _recorded, takes=dict[str, Any], texts=strings),
        Route("DELETE", logging, plane, _MAKE, _recorded),
    ]


async def _none(name: str, call: Call) -> Reply:
    del call
    return Reply(msgspec.json.encode({name: []}))


async def _absent(kind: str, call: Call) -> Reply:
    raise Absent(kind=kind, id=call.path["id"][:200])


async def _refused(call: Call) -> Reply:
    raise BadInput(what=say("bedrock.customise", call.flow.session.language))


async def _logging(call: Call) -> Reply:
    del call
    kinds = ("text", "image", "embedding", "video", "audio")
    return Reply(msgspec.json.encode({"loggingConfig": {f"{kind}DataDeliveryEnabled": False for kind in kinds}}))


async def _recorded(call: Call) -> Reply:
    raise BadInput(what=say("bedrock.logging", call.flow.session.language))
