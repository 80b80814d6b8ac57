"""What users below ask for: documents and requests for jobs rise attributed to them, and nothing runs by itself."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.jobs.job import JOB
from casemate.policy import Action
from casemate.transfer.region import Content, Outgoing
from casemate.transfer.region.channel import REQUEST_TYPE
from tests.transfer.regions import LOW, Pair, a_pair

TEXT = '{"name":"tide","program":"python3 tide.py","why":"the ferry"}'
AT = "/api/transfer/requests"


async def kept(pair: Pair, purpose: str = "job-request", text: str = TEXT) -> str:
    """What a user of the low region asks for; its id."""
    body = {"purpose": purpose, "text": text}
    seen = await pair.low.call("user", "POST", "/api/dispatches", body, pair.below)
    assert seen.status == 201, seen.body
    return str(seen.json["data"]["id"])


async def asked(pair: Pair, who: str = "user") -> list[dict[str, Any]]:
    return list((await pair.high.call(who, "GET", AT, None, pair.above)).json["data"])


async def test_a_request_for_a_job_waits_for_a_person_and_runs_nothing() -> None:
    async with a_pair() as pair:
        sent, file = await pair.send(("request", await kept(pair)))
        assert sent.status == 201, sent.body
        assert (await pair.take(file))["verdict"] == "accept"
        await pair.high.step()
        [found] = await asked(pair)
        assert (found["by"], found["state"], found["label"]) == ("lowland:user", "waiting", pair.above)
        assert found["request"]["program"] == "python3 tide.py"
        gate = pair.high.house.gate
        access = gate.classes.of(gate.vault.region.policies.parse(pair.above))
        flow = await gate.open(gate.service("transfer", access), Action("take", "bundle"))
        assert await flow.every(JOB) == []
        for body in ({"accepts": True, "job": "job_none"}, {"accepts": "yes"}):
            seen = await pair.high.call("user", "POST", f"{AT}/{found['id']}", body, pair.above)
            assert seen.status in (400, 404)
        spec = {"spec": {"command": ["true"]}}
        mine = (await pair.high.call("user", "POST", "/api/jobs", spec, pair.above)).json["data"]["id"]
        await pair.high.person("other", pair.above, ("user",))
        yes = {"accepts": True, "job": mine}
        assert (await pair.high.call("other", "POST", f"{AT}/{found['id']}", yes, pair.above)).status == 400
        seen = await pair.high.call("user", "POST", f"{AT}/{found['id']}", yes, pair.above)
        assert (seen.status, seen.json["data"]["state"], seen.json["data"]["job"]) == (200, "accepted", mine)
        again = await pair.high.call("other", "POST", f"{AT}/{found['id']}", {"accepts": False}, pair.above)
        assert again.status == 409
        assert [each["settled_by"] for each in await asked(pair)] == ["user"]


async def test_who_does_not_see_a_request_cannot_settle_it() -> None:
    async with a_pair() as pair:
        _, file = await pair.send(("request", await kept(pair)))
        await pair.take(file)
        [found] = await asked(pair)
        top = f"{pair.above} + house:CONFIDENTIAL"
        for id, label in (("req_none", pair.above), (found["id"], top)):
            seen = await pair.high.call("user", "POST", f"{AT}/{id}", {"accepts": False}, label)
            assert seen.status == 404


async def test_only_requests_rise_and_only_in_their_form() -> None:
    async with a_pair() as pair:
        sent, _ = await pair.send(("request", await kept(pair, "gap-code", "7.3-9")))
        assert sent.status == 400
        for text, by in ((TEXT.replace(",", ", "), "ann"), ("{}", "ann"), (TEXT, "a\nb"), (TEXT, "x" * 999)):
            contents = (Content("by", by.encode()), Content("request.json", text.encode()))
            told = await pair.take(await pair.made([Outgoing("request-1", REQUEST_TYPE, LOW, contents)]))
            assert (told["verdict"], told["rule"]) == ("quarantine", "unfit")
        assert await asked(pair) == []


@pytest.mark.parametrize("name", ["user"])
async def test_a_document_is_attributed_to_whoever_brought_it_below(name: str) -> None:
    async with a_pair() as pair:
        _, file = await pair.send(("document", await pair.document()))
        assert (await pair.take(file))["verdict"] == "accept"
        [document] = await pair.come()
        assert f"lowland:{name}" in str(document)
