"""Where notices may go is said in the settings, and what could not be is named."""

from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.settings import parse

DESK = """
[missions.sinks.desk]
folder = "/srv/alerts"
accreditation = "SECRET"
"""


def test_what_may_be_said() -> None:
    desk = parse(DESK).missions.sinks["desk"]
    assert (desk.folder, desk.accreditation, desk.announces) == ("/srv/alerts", "SECRET", "")
    assert parse("").missions.sinks == {}


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        (DESK.replace("desk", '"a b"'), "missions.sinks.a b"),
        (DESK.replace("SECRET", ""), "missions.sinks.desk.accreditation"),
        (DESK.replace('folder = "/srv/alerts"', ""), "missions.sinks.desk"),
        (DESK + 'url = "https://desk.example"', "missions.sinks.desk"),
        (DESK.replace("/srv/alerts", "alerts"), "missions.sinks.desk.folder"),
        (DESK.replace("/srv/alerts", "/srv/../etc"), "missions.sinks.desk.folder"),
        (DESK.replace('folder = "/srv/alerts"', 'url = "ftp://desk"'), "missions.sinks.desk.url"),
        (DESK.replace('folder = "/srv/alerts"', 'url = "https://"'), "missions.sinks.desk.url"),
    ],
)
def test_what_could_not_be_is_named(text: str, setting: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse(text)
    assert refused.value.facts["setting"] == setting
