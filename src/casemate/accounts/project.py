"""Agencies and projects: who pays, as officers and operators manage them.

A project belongs to an agency, and a key may name a project. Both lie at the label at which they were added and exist
for whom that label is visible: a project that was added above has no name below, also not in a usage record.
"""

from __future__ import annotations

import re

import msgspec

from casemate.access import Flow
from casemate.errors import BadInput, Conflict
from casemate.labels import Label
from casemate.objects import Found, Kind, Put

__all__ = [
    "AGENCY",
    "DEFAULT",
    "PROJECT",
    "Agency",
    "AgencyRequest",
    "Project",
    "ProjectRequest",
    "add_agency",
    "add_project",
    "agencies",
    "highest",
    "named_project",
    "projects",
]

DEFAULT = "default"  # the project of whoever names none; it belongs to the region's own agency
TITLE_LIMIT = 200
_PROJECT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_AGENCY = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,63}")


class AgencyRequest(msgspec.Struct, frozen=True):
    """`name` as labels write it: capitals, digits, `-` and `_`."""

    name: str
    title: str = ""


class ProjectRequest(msgspec.Struct, frozen=True):
    """`agency` is the region's own where it is empty."""

    name: str
    agency: str = ""
    title: str = ""


class Agency(msgspec.Struct, frozen=True):
    """Who is billed. `at`: when it was added, in microseconds."""

    name: str
    title: str = ""
    added_by: str = ""
    at: int = 0


class Project(msgspec.Struct, frozen=True):
    """What an agency's usage is counted under."""

    name: str
    agency: str
    title: str = ""
    added_by: str = ""
    at: int = 0


AGENCY = Kind("agency", Agency, snapshot=True)
PROJECT = Kind("project", Project, indexed=("agency",), snapshot=True)


def _titled(title: str) -> str:
    if len(title) > TITLE_LIMIT or not title.isprintable():
        raise BadInput(what=f"A title has at most {TITLE_LIMIT} printable characters.")
    return title


async def add_agency(flow: Flow, request: AgencyRequest) -> Agency:
    """A new agency. Raises BadInput; Conflict where one of that name is visible."""
    if not _AGENCY.fullmatch(request.name):
        raise BadInput(what="An agency's name has 1 to 64 capitals, digits, '-' and '_'.")
    own = flow.gate.vault.region.agency
    if request.name == own or await flow.read_each(AGENCY, request.name):
        raise Conflict(what=f"Agency {request.name}")
    by, at = flow.session.principal.name, flow.gate.vault.clock.now()
    agency = Agency(request.name, _titled(request.title), by, at)
    await flow.commit(Put(AGENCY, agency.name, agency, expect=0), facts={"agency": agency.name})
    return agency


async def agencies(flow: Flow) -> list[Agency]:
    """The region's own agency, then those that are visible, by name."""
    found = {f.value.name: f.value for f in await flow.every(AGENCY)}
    own = flow.gate.vault.region.agency
    return [found.pop(own, Agency(own)), *(found[name] for name in sorted(found))]


async def add_project(flow: Flow, request: ProjectRequest) -> Project:
    """A new project of an agency. Raises BadInput; Absent for an agency that is not visible; Conflict."""
    if not _PROJECT.fullmatch(request.name):
        raise BadInput(what="A project's name has 1 to 64 small letters, digits, '.', '-' and '_'.")
    agency = request.agency or flow.gate.vault.region.agency
    if agency != flow.gate.vault.region.agency and not await flow.read_each(AGENCY, agency):
        await flow.absent(AGENCY, agency)
    if request.name == DEFAULT or await flow.read_each(PROJECT, request.name):
        raise Conflict(what=f"Project {request.name}")
    by, at = flow.session.principal.name, flow.gate.vault.clock.now()
    project = Project(request.name, agency, _titled(request.title), by, at)
    await flow.commit(Put(PROJECT, project.name, project, expect=0), facts={"project": project.name, "agency": agency})
    return project


async def projects(flow: Flow) -> list[Found[Project]]:
    """The projects that are visible; where two labels hold one of the same name, the highest counts."""
    names: dict[str, list[Found[Project]]] = {}
    for found in await flow.every(PROJECT):
        names.setdefault(found.id, []).append(found)
    return [highest(names[name]) for name in sorted(names)]


async def named_project(flow: Flow, name: str) -> None:
    """Whether there is such a project here. Raises Absent."""
    if name != DEFAULT and not await flow.read_each(PROJECT, name):
        await flow.absent(PROJECT, name)


def highest(found: list[Found[Project]]) -> Found[Project]:
    """The one of the highest label; among labels of which none is above the other, the first by its text."""
    top = [f for f in found if not any(f.label <= o.label and f.label is not o.label for o in found)]
    return min(top, key=_text)


def _text(found: Found[Project]) -> str:
    label: Label = found.label
    return label.text
