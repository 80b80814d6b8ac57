"""Need to know on the command line, and through the wires of both process forms."""

from __future__ import annotations

import json
from pathlib import Path

from casemate.cli.client import Answer, remote
from tests.cli.running import Up
from tests.cli.test_client import GOOD, client, reply, server

RANGE = ("--ceiling", "us:SECRET//NOFORN")
TEXT = b"SECRET//NOFORN\n\n(S//NF) The lantern of the north pier burns blue.\n\nSECRET//NOFORN\n"


def asked(region: Up, key: str, words: str, needs: str = "") -> Answer:
    """A question put to the wires by somebody with that key."""
    asking = remote(region.wires, key, lambda _: None)
    asking.needs = needs
    messages = [{"role": "user", "content": words}]
    body = {"model": "casemate/extractive-reader", "messages": messages, "metadata": {"knowledge": "all"}}
    return asking.raw("POST", "/v1/chat/completions", body)


def test_the_client_says_with_what_it_acts() -> None:
    with server(reply("200 OK", GOOD), reply("200 OK", GOOD)) as (url, heard):
        asking, _ = client(url)
        asking.get("/a")
        asking.needs = "ALPHA,BRAVO"
        asking.get("/a")
    assert b"Acting-Needs" not in heard[0]
    assert b"Casemate-Acting-Needs: ALPHA,BRAVO" in heard[1]


def test_whoever_has_none_is_told_so(region: Up, tmp_path: Path) -> None:
    paper = tmp_path / "paper.txt"
    paper.write_bytes(TEXT)
    for words, rule in (
        (("add", paper, "--need", "ALPHA"), "need-stated"),
        (("ask", "where", "--need", "ALPHA"), "acting-needs"),
        (("key", "issue", "--need", "ALPHA"), "acting-needs"),
    ):
        ran = region.run(*words, "--json")
        assert (ran.code, ran.json["problem"]["rule"] if "problem" in ran.json else ran.json["rule"]) == (3, rule), ran
    assert region.run("add", paper, "--need", "ALPHA&").code == 2
    assert region.run("principal", "grant", "owner", "--clearance", "us:SECRET", "--need", "ALPHA").code != 0


def test_it_is_granted_used_and_shown(region: Up) -> None:
    name = f"ann-{region.process.pid}"
    cleared = ("--clearance", "us:SECRET//NOFORN")
    assert region.run("principal", "add", name, *cleared, "--need", "ALPHA", "--need", "BRAVO").code == 0
    listed = region.run("principal", "list").out
    assert "SECRET//NOFORN · ALPHA · BRAVO" in listed
    issued = region.run("key", "issue", "--principal", name, *RANGE, "--need", "ALPHA", "--json").data
    assert "need=ALPHA" in issued["key"]["floor"]
    assert "need=BRAVO" not in issued["key"]["ceiling"]
    plain = region.run("key", "issue", "--principal", name, *RANGE, "--json").data["secret"]
    assert "· ALPHA" in region.run("key", "list").out

    told = asked(region, issued["secret"], "harbour")
    assert told.status == 200
    assert "need=ALPHA" in told.label
    assert "need" not in told.marking
    assert "need" not in asked(region, plain, "harbour").label
    refused = asked(region, plain, "harbour", "ALPHA")
    assert refused.status == 403
    assert "ALPHA" in json.dumps(refused.data)
    assert asked(region, issued["secret"], "harbour", "ALPHA").status == 200
    assert asked(region, issued["secret"], "harbour", "BRAVO").status == 403
