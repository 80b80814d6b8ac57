"""The Event Collector's wire: what is sent lies in a bucket at the key's label before anybody is told so."""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import json
from typing import Any

import pytest

from casemate.doors.hec import send
from casemate.errors import Absent, StorageFull
from tests.doors.s3.signing import Caller, texts
from tests.doors.wired import HIGH, OPEN, SECRET, Got, Wired

NUMBERS = itertools.count()
EVENT = "/services/collector/event"
RAW = "/services/collector/raw"


@pytest.fixture
def bucket(region: Wired) -> str:
    name = f"logs-{next(NUMBERS)}"
    assert Caller(region).ask("PUT", f"/{name}").status == 200
    return name


@pytest.fixture
def token(region: Wired) -> str:
    return region.key(SECRET)[1]


def ask(region: Wired, token: str, path: str, body: bytes, **more: str) -> Got:
    headers = {"authorization": f"Splunk {token}", **{name.replace("_", "-"): one for name, one in more.items()}}
    return region.send("POST", path, body, headers.items())


def kept(region: Wired, bucket: str, acting: str = SECRET) -> list[bytes]:
    """What lies in the bucket, as that label sees it."""
    caller = Caller(region)
    keys = texts(caller.ask("GET", f"/{bucket}", casemate_acting_label=acting), "Contents/Key")
    return [caller.ask("GET", f"/{bucket}/{key}", casemate_acting_label=acting).body for key in keys]


def told(got: Got) -> tuple[int, Any, str]:
    return got.status, got.json.get("code"), got.json["text"]


def test_events_one_behind_the_other_are_lines_of_one_object(region: Wired, token: str, bucket: str) -> None:
    body = b'{"event":"one","time":1.5}{"event":{"EventID":1},"sourcetype":"xml"}\n [1]'[:-4]
    got = ask(region, token, f"{EVENT}?index={bucket}&host=h1", body)
    assert told(got) == (200, 0, "Success")
    assert got.marked()
    [whole] = kept(region, bucket)
    lines = [json.loads(line) for line in whole.splitlines()]
    assert lines[0] == {"time": 1.5, "host": "h1", "event": "one"}
    assert lines[1] == {"time": region.clock.now() / 1e6, "host": "h1", "event": {"EventID": 1}, "sourcetype": "xml"}
    assert region.entry(got.headers["casemate-ledger"]).facts["events"] == 2


def test_it_lies_at_the_label_of_the_key_and_below_there_is_nothing(region: Wired, token: str, bucket: str) -> None:
    assert told(ask(region, token, f"{EVENT}?index={bucket}", b'{"event":"x"}')) == (200, 0, "Success")
    assert len(kept(region, bucket)) == 1
    assert kept(region, bucket, OPEN) == []
    wide = region.key(OPEN, SECRET)[1]
    ask(region, wide, f"{EVENT}?index={bucket}", b'{"event":"low"}')
    assert len(kept(region, bucket, OPEN)) == 1
    high = ask(region, wide, f"{EVENT}?index={bucket}", b'{"event":"x"}', casemate_acting_label=HIGH)
    assert (high.status, high.json["rule"], "code" in high.json) == (403, "acting-label", False)


def test_raw_lines_are_kept_as_they_are(region: Wired, token: str, bucket: str) -> None:
    got = ask(region, token, f"{RAW}?index={bucket}&sourcetype=auditd", b"type=SYSCALL a\r\n\n\x00type=EXECVE b")
    assert told(got) == (200, 0, "Success")
    assert kept(region, bucket) == [b"type=SYSCALL a\ntype=EXECVE b\n"]
    [key] = texts(Caller(region).ask("GET", f"/{bucket}", casemate_acting_label=SECRET), "Contents/Key")
    assert key.startswith("hec/2026/")
    assert key.endswith(".log")
    seen = Caller(region).ask("HEAD", f"/{bucket}/{key}", casemate_acting_label=SECRET)
    assert seen.headers["x-amz-meta-sourcetype"] == "auditd"


def test_gzip_is_unpacked_and_bounded(region: Wired, token: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(b'{"event":"a"}') + gzip.compress(b'{"event":"b"}')
    where = f"{EVENT}?index={bucket}"
    assert told(ask(region, token, where, packed, content_encoding="gzip"))[1] == 0
    assert len(kept(region, bucket)[0].splitlines()) == 2
    for wrong in (b"no gzip", packed[:-5]):
        assert told(ask(region, token, where, wrong, content_encoding="gzip"))[:2] == (400, 6)
    assert told(ask(region, token, where, b"x", content_encoding="br"))[:2] == (400, 6)
    monkeypatch.setattr(send, "BODY", 1000)
    bomb = gzip.compress(b" " * 5000)
    assert told(ask(region, token, where, bomb, content_encoding="gzip"))[:2] == (413, 27)


@pytest.mark.parametrize(
    ("body", "code", "number"),
    [
        (b"", 5, None),
        (b" \n", 5, None),
        (b'{"event":"x"}{', 6, 1),
        (b'{"event":"x"}[]', 6, 1),
        (b'{"time":1}', 12, 0),
        (b'{"event":null}', 12, 0),
        (b'{"event":"x"}{"event":" "}', 13, 1),
        (b'{"event":"x","fields":[]}', 15, 0),
        (b'{"event":"x","fields":{"a":{}}}', 15, 0),
        (b'{"event":"x","time":"noon"}', 6, 0),
        (b'{"event":"x","time":true}', 6, 0),
        (b'{"event":"x","host":1}', 6, 0),
        (b'{"event":1e999}', 6, 0),
        (b'{"event":NaN}', 6, 0),
        (b'{"event":' + b"[" * 100 + b"]" * 100 + b"}", 6, 0),
        (b'{"event":' + b"[" * 100_000, 6, 0),
        (b'{"event":"\xff"}', 6, None),
    ],
)
def test_what_is_no_event_is_told_by_its_number_and_nothing_is_kept(
    region: Wired, token: str, bucket: str, body: bytes, code: int, number: int | None
) -> None:
    got = ask(region, token, f"{EVENT}?index={bucket}", body)
    assert (got.status, got.json["code"], got.json.get("invalid-event-number")) == (400, code, number)
    assert kept(region, bucket) == []


def test_whoever_is_nobody_is_told_so_in_their_codes(region: Wired, token: str, bucket: str) -> None:
    body, where = b'{"event":"x"}', f"{EVENT}?index={bucket}"

    def coded(headers: dict[str, str], more: str = "") -> tuple[int, Any]:
        got = region.send("POST", where + more, body, headers.items())
        return got.status, got.json["code"]

    basic = base64.b64encode(f"x:{token}".encode()).decode()
    assert coded({"authorization": f"Splunk {token}"}) == (200, 0)
    assert coded({"authorization": f"Basic {basic}"}) == (200, 0)
    assert coded({"authorization": f"Bearer {token}"}) == (200, 0)
    assert coded({}) == (401, 2)
    assert coded({}, f"&token={token}") == (400, 16)
    assert coded({"authorization": "Digest x"}) == (401, 3)
    assert coded({"authorization": "Splunk "}) == (401, 3)
    assert coded({"authorization": "Splunk x"}) == (403, 4)
    assert coded({"authorization": "Basic !"}) == (403, 4)
    assert coded({"authorization": "Basic eA=="}) == (403, 4)
    assert coded({"authorization": f"Splunk {token}", "x-api-key": "other"}) == (403, 4)


def test_an_index_is_a_bucket_and_one_that_is_hidden_is_one_that_never_was(region: Wired, bucket: str) -> None:
    high, low = region.key(HIGH)[1], region.key(OPEN)[1]
    hidden = f"logs-{next(NUMBERS)}"
    high_caller = Caller(region, HIGH, HIGH)
    assert high_caller.ask("PUT", f"/{hidden}").status == 200
    seen = [
        ask(region, low, f"{EVENT}?index={name}", b'{"event":"x"}') for name in (hidden, "logs-neverr"[: len(hidden)])
    ]
    assert [told(got) for got in seen] == [(400, 7, "Incorrect index")] * 2
    assert ask(region, high, f"{EVENT}?index={hidden}", b'{"event":"x"}').status == 200
    many = b"".join(b'{"event":"x","index":"i%d"}' % n for n in range(9))
    assert told(ask(region, low, EVENT, many))[:2] == (400, 7)
    assert told(ask(region, low, EVENT, b'{"event":"x"}'))[:2] == (400, 7)  # the settings' own is not there yet
    assert told(ask(region, low, f"{EVENT}?host={'x' * 300}", b'{"event":"x"}'))[:2] == (400, 6)
    two = b'{"event":"x"}{"event":"y","index":"%s"}' % bucket.encode()
    assert told(ask(region, low, EVENT, two))[:2] == (400, 7)
    assert kept(region, bucket, OPEN) == []


@pytest.mark.parametrize("path", [EVENT, RAW])
def test_a_mark_above_the_key_refuses_all_of_it(region: Wired, bucket: str, path: str) -> None:
    low = region.key(OPEN)[1]
    body = b'{"event":"plain"}\n{"event":"(TS//SI) the ship"}' if path == EVENT else b"plain\n(TS//SI) the ship\n"
    got = ask(region, low, f"{path}?index={bucket}", body)
    assert (got.status, got.json.get("rule")) == (403, "mark-above")
    got = ask(region, low, f"{path}?index={bucket}&host=(TS//SI)%20ship", body.splitlines()[0])
    assert (got.status, got.json.get("rule")) == (403, "mark-above")
    assert kept(region, bucket, OPEN) == []


def test_acknowledgement_is_off_since_the_answer_is_one(region: Wired, token: str) -> None:
    got = ask(region, token, "/services/collector/ack?channel=1", b'{"acks":[0]}')
    assert told(got) == (400, 14, "ACK is disabled")
    health = region.send("GET", "/services/collector/health")
    assert told(health) == (200, 17, "HEC is healthy")
    nowhere = ask(region, token, "/services/collector/nothing", b"")
    assert (nowhere.status, "code" in nowhere.json) == (404, False)


def test_where_nothing_can_be_kept_nothing_is_acknowledged(
    region: Wired, token: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFull

    with monkeypatch.context() as patched:
        patched.setattr(region.buckets, "put", full, raising=False)
        patched.setattr(type(region.buckets), "put", full)
        got = ask(region, token, f"{EVENT}?index={bucket}", b'{"event":"x"}')
    assert told(got) == (503, 9, "Server is busy")
    monkeypatch.setattr(region.gatherer, "most", 5)
    assert told(ask(region, token, f"{EVENT}?index={bucket}", b'{"event":"x"}'))[:2] == (503, 9)
    assert kept(region, bucket) == []


def test_what_comes_together_is_one_object(region: Wired, token: str, bucket: str) -> None:
    """All are answered at the same end, and none before it."""
    head = [("authorization", f"Splunk {token}")]

    async def together() -> list[Got]:
        region.gatherer.seconds = 0.05
        try:
            asked = [
                region._send("POST", f"{EVENT}?index={bucket}", b'{"event":"%d"}' % n, head, None) for n in range(7)
            ]
            return await asyncio.gather(*asked)
        finally:
            region.gatherer.seconds = 0.0

    assert {told(got) for got in asyncio.run(together())} == {(200, 0, "Success")}
    [whole] = kept(region, bucket)
    assert sorted(json.loads(line)["event"] for line in whole.splitlines()) == [str(n) for n in range(7)]


def test_a_problem_without_its_error_is_still_told() -> None:
    from casemate.doors.frame import Request
    from casemate.doors.hec import problem
    from casemate.words import problem as words

    request = Request("POST", EVENT, "", {}, None)
    told = [json.loads(problem.tell(words(error, "en"), request).body) for error in (Absent(kind="bucket", id="x"),)]
    assert told[0]["code"] == 7
    assert problem.event(words(Absent(kind="bucket", id="x"), "en")) == b""
