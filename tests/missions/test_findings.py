"""Findings: what a run saw comes down by the release door, and what it was found by does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.missions.host.findings import WORDS
from casemate.missions.withheld import stripped
from tests.attacks.releasing import both, carry, people, refused
from tests.attacks.scene import LOW, SECRET, kept, log
from tests.doors.native.test_jobs import ended
from tests.doors.native.test_jobs import kept as job_kept
from tests.doors.native.test_missions import a_run
from tests.laws.world import Seen, World

RULE = {
    "id": "0f4c1d6e-7a58-4a0e-9f0c-2f6b1d7c9a11",
    "name": "Midnight lantern in the memory of lsass",
    "author": "Ada Quill",
    "pattern": "\\lantern.exe",
    "tag": "attack.t1003.001",
}
SAW = {
    "host": "ws0142.example.test",
    "user": "EXERCISE\\\\mara",
    "count": 3,
    "first": "2026-11-20T01:00:00Z",
    "last": "2026-11-20T03:00:00Z",
    "file": "windows.jsonl",
    "record": "88142",
}


def line(key: str = "a1", **saw: Any) -> dict[str, Any]:
    return {"key": key, "saw": {**SAW, **saw}, "withheld": list(RULE.values())}


async def ran(world: World, *lines: dict[str, Any], raw: bytes = b"", label: str = SECRET) -> str:
    """A run at SECRET, over logs from below and rules from there; its id."""
    data = raw or b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    await job_kept(world, "ann", "job_cyber", a_run(), label, **{"out/files/releasable.jsonl": data})
    return "job_cyber"


async def keep(world: World, run: str, key: str = "a1", label: str = SECRET, who: str = "ann") -> Seen:
    return await world.call(who, "POST", f"/api/mission-runs/{run}/findings", {"key": key}, label)


async def findings(world: World, label: str, who: str = "ann") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.call(who, "GET", "/api/mission-findings", acting=label)).json["data"]
    return found


async def asked(world: World, finding: str, **more: Any) -> Seen:
    body = {"kind": "mission-finding", "id": finding, "to": LOW, "reason": "the watch below", **more}
    return await world.call("ann", "POST", "/api/releases", body, SECRET)


async def test_an_alert_comes_down_without_its_rule(world: World) -> None:
    """Logs rise, rules match above, two people sign, and below there is a host, a time and a record."""
    await people(world)
    await world.person("low", LOW)
    odd = line("b2", user="MIDNIGHT  Lantern in the memory of lsass", file="c:\\temp\\lantern.exe", host="Ada Quill's")
    run = await ran(world, line("zz"), odd)
    made = await keep(world, run, "b2")
    assert (made.status, made.json["data"]["label"]) == (201, SECRET)
    id, text = made.json["data"]["id"], made.json["data"]["finding"]["text"]
    assert text.splitlines() == [f"{name}: {SAW[name]}" for name in ("count", "first", "last", "record")]
    assert await findings(world, LOW, "low") == []
    request = (await asked(world, id)).json["data"]["id"]
    refused(await carry(world, request), "release-approvals")
    await both(world, request)
    shown = (await world.call("ben", "GET", f"/api/releases/{request}", acting=SECRET)).json["data"]
    assert shown["text"] == text
    before = len(log(world, LOW))
    assert (await carry(world, request)).status == 200
    [low] = await findings(world, LOW, "low")
    told = low["finding"]
    assert (told["text"], told["by"], told["run"], told["mission"], told["key"]) == (
        text,
        "service:release",
        "",
        "",
        "",
    )
    below = str(low) + "".join(map(str, log(world, LOW)[before:])) + kept(world, LOW).decode()
    for word in (*RULE.values(), id, run, request, "b2", "ann", "ben"):
        assert word.casefold() not in below.casefold(), word


async def test_a_finding_is_its_labels_and_its_runs(world: World) -> None:
    await people(world)
    await world.person("low", LOW)
    run = await ran(world, line())
    assert (await keep(world, run)).status == 201
    [one] = await findings(world, SECRET)
    assert (one["finding"]["run"], one["finding"]["key"], one["finding"]["by"]) == (run, "a1", "ann")
    hidden, never = await keep(world, run, who="low", label=LOW), await keep(world, "job_never", who="low", label=LOW)
    assert (hidden.status, never.status) == (404, 404)
    told = [{name: value for name, value in each.json.items() if name != "entry"} for each in (hidden, never)]
    assert str(told[0]).replace(run, "") == str(told[1]).replace("job_never", "")
    lineage = await world.call("ann", "GET", f"/api/lineage/job/{run}", acting=SECRET)
    assert one["id"] in str(lineage.json["data"])


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 404),
        (b'{"key": "a1"', 400),
        (b'{"key": "a1", "saw": {}, "withheld": []}', 400),
        (b'{"key": "a1", "saw": {"host": "' + b"x" * 501 + b'"}, "withheld": []}', 400),
        (b'{"key": "a1", "saw": {"Host<": "x"}, "withheld": []}', 400),
        (b'{"key": "a1", "saw": {"host": "x"}, "withheld": ' + json.dumps(["w"] * (WORDS + 1)).encode() + b"}", 400),
        (b'"a1"' + b"x" * (65 << 10), 400),
        (b'{"key": "a1", "saw": {"host": "the pier"}, "withheld": ["PIER"]}', 400),
        (b'{"key": "b2", "saw": {"host": "\\"a1\\""}, "withheld": []}\n', 404),
    ],
)
async def test_what_is_no_list_of_findings(world: World, raw: bytes, status: int) -> None:
    """A program of strangers wrote it: it is read as data, and what cannot be said without the rule is not said."""
    await world.person("ann", SECRET)
    run = await ran(world, raw=raw or b"\n")
    seen = await keep(world, run)
    assert seen.status == status, seen.body
    assert await findings(world, SECRET) == []


async def test_of_what_was_never_left_nothing_is_kept(world: World) -> None:
    await world.person("ann", SECRET)
    await job_kept(world, "ann", "job_plain", ended(), SECRET)
    await job_kept(world, "ann", "job_bare", a_run(), SECRET)
    for run, key, status in (("job_plain", "a1", 404), ("job_bare", "a1", 404), ("job_bare", "no key", 400)):
        assert (await keep(world, run, key)).status == status


WORD = st.text("abcdeEÉ .\\*", min_size=1, max_size=8)


@given(st.dictionaries(st.sampled_from("hgfk"), st.text("abcdeEÉ .\\*\n\t", max_size=30), max_size=4), st.lists(WORD))
def test_no_line_holds_a_withheld_word(saw: dict[str, str], withheld: list[str]) -> None:
    """Whatever was seen and whatever the words: no word of four letters stands in what is said, no shorter one is a
    whole value; and nothing else is lost."""
    text = stripped(saw, withheld)
    said = [each.partition(": ") for each in text.splitlines()]
    words = [" ".join(word.split()).casefold() for word in withheld]
    for _, _, value in said:
        assert not any(
            word and (word in value.casefold() if len(word) > 3 else word == value.casefold()) for word in words
        )
    if not any(words):
        assert [name for name, _, _ in said] == [name for name, value in saw.items() if value.split()]
