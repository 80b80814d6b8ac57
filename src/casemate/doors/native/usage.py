"""Usage: what was used, hour by hour, as FOCUS rows; and the records of an hour made anew from the ledger."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from casemate.accounts import HOUR, focus_csv, focus_rows, recount, used
from casemate.accounts.focus import VERSION
from casemate.clock import iso, parse_iso
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, reply
from casemate.errors import BadInput
from casemate.policy import Action

__all__ = ["routes"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSAFE = re.compile(r"[^A-Za-z0-9]+")


class RecountRequest(msgspec.Struct, frozen=True):
    """`hour`: a moment of it, RFC 3339 with an offset."""

    hour: str


def routes(rooms: Rooms) -> list[Route]:
    """Usage routes."""
    del rooms
    again = Action("recount", "usage")
    return [
        Route("GET", "/api/usage", "native", Action("read", "usage"), _export, gives=dict[str, Any]),
        Route("POST", "/api/usage/recount", "native", again, _recount, takes=RecountRequest, gives=dict[str, int]),
    ]


async def _export(call: Call) -> Reply:
    """FOCUS rows of the visible world: `from` and `to` (days or moments; this month), `format` json or csv.

    The marking of the acting label stands in the header, in the file's name and in every row.
    """
    flow, query = call.flow, call.query
    now = flow.gate.vault.clock.now()
    start = _moment(query.get("from") or f"{iso(now)[:7]}-01")
    end = _moment(query["to"]) if query.get("to") else now - now % HOUR + HOUR
    kind = query.get("format", "json")
    if kind not in ("json", "csv"):
        raise BadInput(what="The format is json or csv.")
    region = flow.gate.vault.region
    found = await used(flow, start, end)
    rows = focus_rows(found, region.policies, region.name, flow.label, flow.session.language)
    if kind == "json":
        return reply(flow, {"focus": VERSION, "from": iso(start), "to": iso(end), "rows": rows}, rows=len(rows))
    mark = _UNSAFE.sub("-", region.policies.banner(flow.label)).strip("-")
    name = f"{mark}_usage_{iso(start)[:10]}_{iso(end)[:10]}.csv"
    headers = (("Content-Disposition", f'attachment; filename="{name}"'),)
    return Reply(focus_csv(rows), "text/csv; charset=utf-8; header=present", 200, headers, facts={"rows": len(rows)})


def _moment(text: str) -> int:
    """Microseconds of a day's first moment (UTC), or of a moment. Raises BadInput."""
    try:
        return parse_iso(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except ValueError:
        raise BadInput(what=f"{text[:40]!r} is no day such as 2026-11-20 and no moment.") from None


async def _recount(call: Call) -> Reply:
    """Make the records of a past hour anew from what the ledger holds at the acting label."""
    return reply(call.flow, {"records": await recount(call.flow, _moment(call.body.hour))})
