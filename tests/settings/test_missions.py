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

EDGE = """
[missions.listeners.edge]
address = "[::1]:6514"
label = "SECRET"
bucket = "logs"
peers = ["10.0.0.0/8", "2001:db8::/32"]
"""


def test_what_may_be_said() -> None:
    desk = parse(DESK).missions.sinks["desk"]
    assert (desk.folder, desk.accreditation, desk.announces) == ("/srv/alerts", "SECRET", "")
    assert parse("").missions.sinks == {}


def test_listeners_are_off_until_somebody_says_who_sends_what_from_where() -> None:
    assert parse("").missions.listeners == {}
    assert parse("").missions.collector.bucket == ""
    edge = parse(EDGE).missions.listeners["edge"]
    assert (edge.host, edge.port, edge.udp, edge.write) == ("::1", 6514, False, "record")


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
        (EDGE.replace("edge", '"a b"'), "missions.listeners.a b"),
        (EDGE.replace('"SECRET"', '""'), "missions.listeners.edge.label"),
        (EDGE.replace('"logs"', '""'), "missions.listeners.edge.bucket"),
        (EDGE.replace('["10.0.0.0/8", "2001:db8::/32"]', "[]"), "missions.listeners.edge.peers"),
        (EDGE.replace("10.0.0.0/8", "10.0.0.1/8"), "missions.listeners.edge.peers"),
        (EDGE.replace("[::1]:6514", "localhost:6514"), "missions.listeners.edge.address"),
        (EDGE.replace("[::1]:6514", "127.0.0.1"), "missions.listeners.edge.address"),
        (EDGE.replace("[::1]:6514", "127.0.0.1:70000"), "missions.listeners.edge.address"),
        (EDGE + "tls = true\nudp = true", "missions.listeners.edge.udp"),
        (EDGE + 'client_ca = "ca.pem"', "missions.listeners.edge.tls"),
        (EDGE + "connections = 0", "missions.listeners.edge"),
        (EDGE + "rate = 0", "missions.listeners.edge"),
        (EDGE + "seconds = 61.0", "missions.listeners.edge.seconds"),
        (EDGE + EDGE.replace("edge", "two"), "missions.listeners"),
        ('[missions.collector]\nprefix = "/x"', "missions.collector.prefix"),
    ],
)
def test_what_could_not_be_is_named(text: str, setting: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse(text)
    assert refused.value.facts["setting"] == setting
