"""Missions with a face: what is installed, a form from its description, an estimate before the start, and a run.

A report is opened as a page of its own, which can run nothing and reach nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from casemate.doors.console.document import acting
from casemate.doors.console.ensembles import ensemble_in
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.errors import BadInput, CasemateError
from casemate.missions.form import typed
from casemate.missions.host import EnsembleRequest, RunRequest
from casemate.policy import Action

__all__ = ["asked_in", "routes"]

LIST, READ, SUBMIT = Action("list", "mission"), Action("read", "job"), Action("submit", "job")
PARAMETER, ROLE = "p.", "i."


def routes(face: Face) -> list[Route]:
    """What is installed, one mission, one run; what one, or many at once, would take; and the deeds."""
    at, one = _Missions(face), "/mission-runs/{id}"
    return [
        *page("GET", "/missions", LIST, at.show),
        *page("GET", "/missions/{name}", LIST, at.one),
        *page("POST", "/missions/{name}/estimate", SUBMIT, at.estimate, takes=dict[str, str], texts=_written),
        part("POST", "/missions/{name}/run", SUBMIT, at.run, takes=dict[str, str], texts=_written),
        *page(
            "POST", "/missions/{name}/ensemble-estimate", SUBMIT, at.estimate_all, takes=dict[str, str], texts=_written
        ),
        part("POST", "/missions/{name}/ensemble", SUBMIT, at.run_all, takes=dict[str, str], texts=_written),
        *page("GET", one, READ, at.ran),
        part("GET", f"{one}/report", READ, at.report),
        part("GET", f"{one}/tables/{{name}}", READ, at.table),
        part("POST", f"{one}/again", SUBMIT, at.again),
    ]


def _written(form: dict[str, str]) -> Iterable[str]:
    return (*form, *form.values())


class _Missions:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        data, facts = await self._face.ask("GET /api/missions", call)
        return Shown("missions.html", data, facts=facts)

    async def one(self, call: Call) -> Shown:
        """A mission, its form as it begins, and its runs."""
        return await self._page(call, {}, None)

    async def estimate(self, call: Call) -> Shown:
        """What the form would take, above the form as it was filled in."""
        told = await self._face.data("GET /api/missions/{name}", replace(call, body=None))
        asked = asked_in(told["described"], call.body)
        need, facts = await self._face.ask("POST /api/missions/{name}/estimate", call, asked)
        return replace(await self._page(call, call.body, need["resources"]), facts=facts)

    async def run(self, call: Call) -> Reply:
        told = await self._face.data("GET /api/missions/{name}", replace(call, body=None))
        asked = asked_in(told["described"], call.body)
        data, facts = await self._face.ask("POST /api/missions/{name}/runs", call, asked)
        return go(f"/mission-runs/{data['id']}", acting=acting(call), facts=facts)

    async def estimate_all(self, call: Call) -> Shown:
        """What all members of the ensemble would take together, above the form as it was filled in."""
        need, facts = await self._face.ask(
            "POST /api/missions/{name}/ensemble-estimate", call, await self._varied(call)
        )
        return replace(await self._page(call, call.body, None, need["whole"]), facts=facts)

    async def run_all(self, call: Call) -> Reply:
        """Begin it; its own page is that of the job that makes the table."""
        data, facts = await self._face.ask("POST /api/missions/{name}/ensembles", call, await self._varied(call))
        return go(f"/jobs/{data['id']}", acting=acting(call), facts=facts)

    async def _varied(self, call: Call) -> EnsembleRequest:
        told = (await self._face.data("GET /api/missions/{name}", replace(call, body=None)))["described"]
        return ensemble_in(told, call.body, asked_in(told, call.body), call.flow.session.language)

    async def ran(self, call: Call) -> Shown:
        """A run; of one that was made again also whether it came out alike."""
        data, facts = await self._face.ask("GET /api/mission-runs/{id}", replace(call, query={}))
        alike: bool | None = None
        if data["again"] and data["result"] is not None:
            try:
                asked = replace(call, query={"with": data["again"]})
                alike = (await self._face.ask("GET /api/mission-runs/{id}/compare", asked))[0]["alike"]
            except CasemateError:
                alike = None  # the first one is gone, or left nothing
        more = {"follow": "follow" in call.query, "alike": alike, "id": data["job"]["id"]}
        return Shown("mission_run.html", data, part="missions/standing.html", facts=facts, more=more)

    async def report(self, call: Call) -> Reply:
        """The file itself, with the policy that lets nothing in it run."""
        return await self._face.whole("GET /api/mission-runs/{id}/report", call)

    async def table(self, call: Call) -> Reply:
        return await self._face.whole("GET /api/mission-runs/{id}/tables/{name}", call)

    async def again(self, call: Call) -> Reply:
        data, facts = await self._face.ask("POST /api/mission-runs/{id}/again", call)
        return go(f"/mission-runs/{data['id']}", acting=acting(call), facts=facts)

    async def _page(self, call: Call, form: dict[str, str], need: Any, whole: Any = None) -> Shown:
        asked = replace(call, body=None, query={})
        data, facts = await self._face.ask("GET /api/missions/{name}", asked)
        data["runs"] = (await self._face.ask("GET /api/missions/{name}/runs", asked))[0]
        spoken = call.flow.session.language
        fields = [
            {**each, "said": each[spoken], "value": _shown(each, form)} for each in data["described"]["parameters"]
        ]
        roles = [
            {**each, "said": each[spoken], "value": form.get(ROLE + each["name"], "")}
            for each in data["described"]["roles"]
        ]
        more = {"fields": fields, "roles": roles, "need": need, "whole": whole, "form": form}
        return Shown("mission.html", data, facts=facts, more=more)


def asked_in(described: dict[str, Any], form: dict[str, str]) -> RunRequest:
    """The filled form. Raises BadInput that names what does not fit."""
    texts = {name.removeprefix(PARAMETER): text for name, text in form.items() if name.startswith(PARAMETER)}
    inputs = {name.removeprefix(ROLE): tuple(text.split()) for name, text in form.items() if name.startswith(ROLE)}
    numbers = dict[str, int]()
    for name in ("seed", "memory_mb"):
        text = form.get(name, "").strip() or "0"
        if not text.isdecimal() or len(text) > 12:
            raise BadInput(what=f"{name} is a number.")
        numbers[name] = int(text)
    sources = {role: given for role, given in inputs.items() if given}
    values = typed(described["parameters"], texts)
    return RunRequest(parameters=values, inputs=sources, seed=numbers["seed"], memory_mb=numbers["memory_mb"])


def _shown(field: dict[str, Any], form: dict[str, str]) -> str:
    """What stands in a field: what was written, or its default."""
    if PARAMETER + field["name"] in form:
        return form[PARAMETER + field["name"]]
    default = field["default"]
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ",".join(map(str, default)) if isinstance(default, list) else str(default)
