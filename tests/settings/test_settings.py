"""casemate.toml: defaults, what is refused, and the template that `init` writes."""

from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.settings import Settings, parse, template


def test_an_empty_file_is_the_defaults() -> None:
    assert parse("") == Settings()


def test_the_template_is_what_it_says() -> None:
    found = parse(template("fort", "EXERCISE", ("us", "nato"), 9000))
    assert (found.region.name, found.region.agency, found.region.policies) == ("fort", "EXERCISE", ("us", "nato"))
    assert (found.listen.host, found.listen.port, found.listen.processes) == ("127.0.0.1", 9000, "all")


def test_an_upstream_is_two_lines() -> None:
    found = parse('[upstreams.local]\nurl = "http://127.0.0.1:1/v1"\nmodel = "m"\n')
    assert found.upstreams["local"].accreditation == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[region", "casemate.toml"),
        ("[region]\nnmae = 'x'", "casemate.toml"),
        ("[listen]\nport = 'x'", "casemate.toml"),
        ("[listen]\nport = 70000", "listen.port"),
        ("[listen]\nprocesses = 'three'", "casemate.toml"),
        ("[region]\npolicies = []", "region.policies"),
        ("[upstreams.x]\nurl = 'u'", "upstreams.x.model"),
        ("[knowledge]\nmemory_mb = 15", "knowledge.memory_mb"),
        ("[snapshot]\nrate_seconds = 0.01", "snapshot.rate_seconds"),
        ("[snapshot]\nrate_seconds = 61", "snapshot.rate_seconds"),
        ("[snapshot]\nnot_after_hours = 0.01", "snapshot.not_after_hours"),
        ("[snapshot]\nends_hours = 23", "snapshot.not_after_hours"),
        ("[snapshot]\nends_hours = 9000", "snapshot.not_after_hours"),
        ("[snapshot]\nrate_seconds = nan", "snapshot.rate_seconds"),
        ("[snapshot]\nends_hours = inf", "snapshot.not_after_hours"),
    ],
)
def test_what_cannot_be_is_named(text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        parse(text)
    assert raised.value.facts["setting"] == said


@pytest.mark.parametrize(("at", "minutes"), [("03:00", 180), ("00:00", 0), ("23:59", 1439), ("", None)])
def test_the_hour_of_the_nightly_proof(at: str, minutes: int | None) -> None:
    asked = f'prove_at = "{at}"\nprove_questions = "asked.txt"' if at else ""
    found = parse(f'[region]\nname = "x"\nagency = "X"\n[knowledge]\n{asked}\n').knowledge
    assert found.prove_minutes == minutes


@pytest.mark.parametrize(
    "said", ['prove_at = "3:00"', 'prove_at = "24:00"', 'prove_at = "03:00"', 'prove_questions = "x"']
)
def test_a_nightly_proof_has_an_hour_and_questions(said: str) -> None:
    with pytest.raises(Misconfigured, match=r"knowledge\.prove"):
        parse(f'[region]\nname = "x"\nagency = "X"\n[knowledge]\n{said}\n')
