"""A plain HTTP client with the bodies of Splunk's collector, over a real socket, many at once."""

from __future__ import annotations

import gzip
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from tests.clients.conftest import Served
from tests.doors.s3.signing import Caller, texts
from tests.doors.wired import SECRET


def test_many_senders_at_once_and_nothing_that_was_acknowledged_is_missing(served: Served) -> None:
    region = served.region
    token = region.key(SECRET)[1]
    caller = Caller(region)
    assert caller.ask("PUT", "/sent").status == 200
    region.gatherer.seconds = 0.05
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(number: int) -> bytes:
        event = {"time": number, "host": "h", "sourcetype": "s", "index": "sent", "event": {"number": number}}
        request = urllib.request.Request(
            f"{served.url}/services/collector/event",
            gzip.compress(json.dumps(event).encode() * 2),
            {"Authorization": f"Splunk {token}", "Content-Encoding": "gzip"},
        )
        with opener.open(request, timeout=60) as got:
            return bytes(got.read())

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(send, range(40)))
    assert {(one["text"], one["code"]) for one in map(json.loads, told)} == {("Success", 0)}
    keys = texts(caller.ask("GET", "/sent", casemate_acting_label=SECRET), "Contents/Key")
    assert len(keys) < 40
    lines = [
        json.loads(line)
        for key in keys
        for line in caller.ask("GET", f"/sent/{key}", casemate_acting_label=SECRET).body.splitlines()
    ]
    assert sorted(line["event"]["number"] for line in lines) == sorted([*range(40), *range(40)])
