"""From casemate.toml to who looks at what goes to a model."""

from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.models import Rules
from casemate.settings import parse
from casemate.wiring import inspection
from casemate.wiring.inspection import inspection_of


def test_what_a_region_does_that_says_nothing() -> None:
    found = inspection_of(parse("").inspect)
    assert (found.secrets, found.personal) == (Rules("refuse", "note"), Rules("off", "off"))
    assert [(each.name, each.kind) for each in found.inspectors] == [("casemate", "secret"), ("casemate", "personal")]


def test_what_it_says() -> None:
    found = inspection_of(
        parse(
            '[inspect]\nseconds = 2.0\n[inspect.secrets]\noutside = "mask"\ninside = "off"\n'
            '[inspect.personal]\noutside = "refuse"\n'
        ).inspect
    )
    assert (found.secrets, found.personal, found.seconds) == (Rules("mask", "off"), Rules("refuse", "off"), 2.0)


@pytest.mark.parametrize(
    "text", ["[inspect]\nseconds = 0", "[inspect.secrets]\noutside = 'perhaps'", "[inspect]\nalso = ['other']"]
)
def test_what_cannot_be(text: str) -> None:
    with pytest.raises(Misconfigured):
        parse(text)


def test_an_inspector_that_is_not_installed_stops_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "find_spec", lambda name: None)
    for name in ("detect-secrets", "presidio"):
        with pytest.raises(Misconfigured, match="not installed"):
            inspection_of(parse(f"[inspect]\nalso = ['{name}']").inspect)


def test_one_that_is_joins_the_others() -> None:
    pytest.importorskip("detect_secrets", reason="detect-secrets is not installed (casemate[secrets])")
    found = inspection_of(parse("[inspect]\nalso = ['detect-secrets', 'detect-secrets']").inspect)
    assert [each.name for each in found.inspectors] == ["casemate", "casemate", "detect-secrets"]
