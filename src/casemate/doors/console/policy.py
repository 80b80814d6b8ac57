"""Who could read this, and why not, as a page: the answer stands under the question, and its address can be kept."""

from __future__ import annotations

from typing import Any

from casemate.doors.console.face import Face, Shown, page
from casemate.doors.frame import Call, Route
from casemate.doors.native.policy import TRY, TryRequest
from casemate.identity import ROLES

__all__ = ["routes"]

FIELDS = ("label", "id", "need", "clearance", "authorizations")


def routes(face: Face) -> list[Route]:
    """The one page."""

    async def show(call: Call) -> Shown:
        asked = {name: call.query.get(name, "").strip() for name in FIELDS}
        roles = tuple(role for role in ROLES if call.query.get(f"role_{role}")) or ("user",)
        data: Any = None
        facts: dict[str, Any] = {}
        if asked["label"] or asked["id"]:
            names = tuple(name.strip() for name in asked["authorizations"].split(",") if name.strip())
            body = TryRequest(
                label=asked["label"],
                id=asked["id"],
                need=asked["need"],
                clearance=asked["clearance"],
                authorizations=names,
                roles=roles,
            )
            data, facts = await face.ask("POST /api/policy/try", call, body)
        return Shown("policy.html", data, facts=facts, more={"asked": asked, "held": roles, "roles": ROLES})

    return page("GET", "/policy", TRY, show)
