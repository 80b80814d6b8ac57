"""The wire of Splunk's HTTP Event Collector: what forwarders, log drivers and libraries send, kept at the key's label.

The token is one of the region's API keys. What comes is put into a bucket, together with what comes beside it, and is
answered once it is durable. What must never happen: that an event is acknowledged and lies nowhere.
"""

from __future__ import annotations

from functools import partial

import msgspec

from casemate.buckets import Gatherer
from casemate.doors.frame import Call, Handler, Plane, Reply, Request, Route
from casemate.doors.hec import credential, problem, send
from casemate.doors.hec.problem import BODY
from casemate.policy import Action

__all__ = ["PLANE", "SEND", "routes"]

PLANE = Plane("hec", "/services", credential.shown_by, problem.tell, problem.event, coded=problem.coded)
SEND = Action("send", "event")
_COLLECTOR = "/services/collector"


def routes(gatherer: Gatherer, bucket: str = "", prefix: str = "hec/") -> list[Route]:
    """The operations of this wire. `bucket`: where events go that name no index; "" and such are refused."""
    desk = send.Desk(gatherer, bucket, prefix)
    events, raw = partial(send.events, desk), partial(send.raw, desk)
    return [
        *(_takes(f"{_COLLECTOR}{end}", events) for end in ("", "/event", "/event/1.0")),
        *(_takes(f"{_COLLECTOR}{end}", raw) for end in ("/raw", "/raw/1.0")),
        Route("POST", f"{_COLLECTOR}/ack", PLANE.name, SEND, send.acknowledged, acts=_acting),
        *(
            Route("GET", f"{_COLLECTOR}{end}", PLANE.name, Action("health", "region"), _health, public=True)
            for end in ("/health", "/health/1.0")
        ),
    ]


def _takes(path: str, handler: Handler) -> Route:
    return Route("POST", path, PLANE.name, SEND, handler, limit=BODY, acts=_acting)


def _acting(request: Request, path: dict[str, str]) -> str:
    """What the header says, else the floor of the key: with a key of one label there is nothing to say."""
    del path
    return request.headers.get("casemate-acting-label", "")


async def _health(call: Call) -> Reply:
    del call
    return Reply(msgspec.json.encode({"text": "HEC is healthy", "code": 17}))
