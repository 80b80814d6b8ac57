"""What a mission says of itself, as plain data: the only thing that a region knows of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from casemate.errors import BadInput
from casemate.missions.form import filled, form_of
from casemate.missions.mission import Mission

__all__ = ["FORMAT", "described", "parameters_of"]

FORMAT = 1
_LANGUAGES = ("en", "fr")
SIZES = (0, 1, 10, 100, 1000, 10_000)


def described(mission: Mission[Any]) -> dict[str, Any]:
    """The description (format 1). Raises BadInput.

    `needs`: what a run with the defaults takes where each role is given so many MiB.
    """
    for name, texts in (("titles", mission.titles), ("about", mission.about)):
        if any(not texts.get(language) for language in _LANGUAGES):
            raise BadInput(what=f"{name} has a text in en and in fr.")
    form = form_of(mission.parameters)
    plain = parameters_of(mission, {})
    needs = [
        {"mb": mb, **dataclasses.asdict(mission.need(plain, {role.name: mb << 20 for role in mission.roles}))}
        for mb in SIZES
    ]
    return {
        "format": FORMAT,
        "name": mission.name,
        "version": mission.version,
        "titles": {language: mission.titles[language] for language in _LANGUAGES},
        "about": {language: mission.about[language] for language in _LANGUAGES},
        "parameters": form,
        "roles": [{**dataclasses.asdict(role), "formats": list(role.formats)} for role in mission.roles],
        "outputs": [dataclasses.asdict(output) for output in mission.outputs],
        "stands_on": [dataclasses.asdict(citation) for citation in mission.stands_on],
        "needs": needs,
    }


def parameters_of(mission: Mission[Any], given: Mapping[str, Any]) -> Any:
    """The mission's own dataclass, with what was given and the defaults. Raises BadInput."""
    values = filled(form_of(mission.parameters), given)
    return mission.parameters(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})
