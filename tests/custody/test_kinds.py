"""Every kind that is stored says whether it is traced, or why not: whoever adds one has to think of it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import pytest

import casemate
from casemate.custody.kinds import Kinds, Link, Traced, Untraced
from casemate.objects import Kind
from casemate.wiring.custody import kinds
from tests.custody.spilled import NOTE


def every() -> dict[str, Kind[Any]]:
    """The kinds of all modules of the package; engines and cells declare none, and some need what is not installed."""
    found: dict[str, Kind[Any]] = {}
    for module in pkgutil.walk_packages(casemate.__path__, "casemate."):
        if ".cells." in module.name or ".engines." in module.name or module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        for value in vars(loaded).values():
            if isinstance(value, Kind):
                found[value.name] = value
    return found


def told(registered: Kinds) -> list[Traced | Untraced]:
    return [*registered.traced.values(), *registered.untraced.values()]


def test_every_kind_is_registered_and_no_other() -> None:
    registered = kinds()
    names = {each.kind.name for each in told(registered)}
    assert names == set(every())
    for each in told(registered):
        assert every()[each.kind.name] is each.kind


def test_what_is_not_traced_says_why() -> None:
    for each in kinds().untraced.values():
        assert len(each.why.split()) > 2


def test_what_a_link_asks_for_is_a_field_that_can_be_asked_for() -> None:
    for traced in kinds().traced.values():
        for link in traced.links:
            assert link.field in ("", "id", *traced.kind.indexed), (traced.kind.name, link)


def test_a_kind_that_bears_blobs_is_traced() -> None:
    """Its bytes could otherwise not be found when they have to go."""
    for kind in every().values():
        if kind.blobs.__name__ != "_none":
            assert kind.name in kinds().traced


def test_two_registrations_or_an_unknown_source_are_defects() -> None:
    with pytest.raises(ValueError, match="twice"):
        Kinds.of(Traced(NOTE), Untraced(NOTE, "a note of the tests"))
    with pytest.raises(ValueError, match="nobody has registered"):
        Kinds.of(Traced(NOTE, (Link("nowhere"),)))
