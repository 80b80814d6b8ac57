"""Inputs as they come: five kinds of log, and what is broken in them is named while the rest is read."""

from __future__ import annotations

import io
import json
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest

from casemate_cyber.events import evtx, read
from casemate_cyber.events.read import Trouble, events, units
from casemate_cyber.rules import read as rules


def all_of(path: Path, scratch: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[Trouble]]:
    cut, troubles = units([path], scratch)
    found = []
    for unit in cut:
        for event in events(unit, path.name):
            if isinstance(event, Trouble):
                troubles.append(event)
            else:
                found.append((event[0], event[1]))
    return found, troubles


def written(tmp_path: Path, raw: bytes, name: str = "logs") -> tuple[list[tuple[str, dict[str, Any]]], list[Trouble]]:
    path = tmp_path / name
    path.write_bytes(raw)
    return all_of(path, tmp_path)


def test_windows_events_of_three_writers(tmp_path: Path) -> None:
    rows = [
        {"Event": {"System": {"EventID": {"#text": 1}, "Channel": "c", "Provider": {"#attributes": {"Name": "p"}}},
                   "EventData": {"Threat Name": "t", "Data": {"#text": ["x", "y"]}, "gone": None}}},
        {"winlog": {"channel": "c", "event_id": "1", "event_data": {"Image": "i"}}, "@timestamp": "2026-01-01"},
        {"EventID": 1, "Channel": "c", "Hostname": "h", "Image": "i"},
        {"Event": {"System": {"EventID": 7, "Channel": "c"}, "UserData": {"Out": {"Inner": "v", "#attributes": {}}}}},
    ]  # fmt: skip
    found, troubles = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert troubles == []
    assert [source for source, _ in found] == ["windows"] * 4
    first, second, third, fourth = (event for _, event in found)
    assert (first["EventID"], first["ThreatName"], first["Data"], first["Provider_Name"]) == (1, "t", "x\ny", "p")
    assert "gone" not in first
    assert (second["Image"], second["SystemTime"]) == ("i", "2026-01-01")
    assert third["Computer"] == "h"
    assert fourth["Inner"] == "v"


def test_audit_records_and_the_process_they_tell_of(tmp_path: Path) -> None:
    lines = [
        'type=SYSCALL msg=audit(1700000000.123:7): pid=9 ppid=1 uid=0 exe="/bin/sh"',
        'type=EXECVE msg=audit(1700000000.123:7): argc=2 a0="sh" a1=2D63206964',
        "no record",
        "type=USER_AUTH msg=audit(1700000001.000:8): pid=1 msg='op=login acct=\"root\" res=failed'",
    ]
    found, troubles = written(tmp_path, "\n".join(lines).encode())
    process = [event for source, event in found if source == "linux/process_creation"]
    assert [event["CommandLine"] for event in process] == ["sh -c id"]
    assert process[0]["Image"] == "/bin/sh"
    assert process[0]["_time"] == "2023-11-14T22:13:20.123Z"
    assert next(event for _, event in found if event.get("type") == "USER_AUTH")["acct"] == "root"
    assert [trouble.what for trouble in troubles] == ["no audit record"]


def test_zeek_and_suricata_keep_their_names_and_gain_sigmas(tmp_path: Path) -> None:
    rows = [
        {"_path": "http", "ts": 1.5, "uid": "C", "host": "h", "uri": "/x", "id.orig_h": "192.0.2.1"},
        {"time": 1, "sourcetype": "xml", "event": {"EventID": 1, "Channel": "c"}},
        {"timestamp": "2026-01-01T00:00:00Z", "event_type": "dns", "src_ip": "192.0.2.1", "dns": {"rrname": "n.test"}},
    ]
    found, troubles = written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows).encode())
    assert troubles == []
    assert found[0][0] == "zeek/http"
    assert (found[0][1]["c-uri"], found[0][1]["uri"]) == ("/x", "/x")
    assert found[1][0] == "windows"
    assert (found[2][0], found[2][1]["query"]) == ("suricata/dns", "n.test")


def test_broken_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    good = b'{"EventID":1,"Channel":"x"}\n'
    raw = good + b'{"EventID":\n{"EventID":3,"Channel":"\xff\xfe"}\n[1]\n{"a":1}\n' + b'{"x":' * 100_000 + b"\n" + good
    found, troubles = written(tmp_path, raw)
    assert len(found) == 3
    assert len(troubles) == 4


def test_a_line_without_an_end_is_bounded(tmp_path: Path) -> None:
    good = b'{"EventID":1,"Channel":"x"}\n'
    found, troubles = written(tmp_path, good + b'{"b":"' + b"a" * (read.LONGEST_LINE * 2) + b'"}\n' + good)
    assert len(found) == 2
    assert "longer than" in troubles[0].what


def test_utf_16_is_read_and_what_is_none_is_named(tmp_path: Path) -> None:
    good = '{"EventID":1,"Channel":"x"}\n'.encode("utf-16-le")
    half = '{"EventID":2,"Channel":"'.encode("utf-16-le") + b"\x00\xd8" + '"}\n'.encode("utf-16-le")
    found, troubles = written(tmp_path, b"\xff\xfe" + good + half + good)
    assert len(found) >= 2
    assert "no UTF-16" in troubles[0].what


def test_lines_belong_to_one_unit_wherever_it_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b'{"EventID":%d,"Channel":"x"}\n' % number for number in range(300))
    for step in (7, 27, 28, 29, 1000):
        monkeypatch.setattr(read, "UNIT", step)
        found, _ = written(tmp_path, rows)
        assert [event["EventID"] for _, event in found] == list(range(300))


@pytest.mark.parametrize("raw", [b"", b"hello\n", evtx.FILE + b"\0" * 90])
def test_what_is_no_log_is_named(tmp_path: Path, raw: bytes) -> None:
    found, troubles = written(tmp_path, raw)
    assert (found, len(troubles)) == ([], 1)


def test_evtx_without_its_header_carved_cut_and_flipped(recordings: Path, tmp_path: Path) -> None:
    whole = sorted(recordings.rglob("*.evtx"))[3].read_bytes()
    wanted, troubles = written(tmp_path, whole)
    assert (len(wanted), troubles) == (5, [])
    assert written(tmp_path, b"\0" * evtx.HEAD + whole[evtx.HEAD :], "a.evtx")[0] == wanted
    assert written(tmp_path, whole[evtx.HEAD :], "b.evtx")[0] == wanted
    for cut in (700, 3000, 60_000):
        assert "cut short" in written(tmp_path, whole[: evtx.HEAD + cut])[1][0].what
    drawn = random.Random(5)
    for _ in range(40):
        raw = bytearray(whole)
        for _ in range(20):
            raw[drawn.randrange(evtx.HEAD + 512, evtx.HEAD + 3000)] ^= drawn.randrange(1, 256)
        found, named = written(tmp_path, bytes(raw + whole[evtx.HEAD :]))
        assert "checksums" in named[0].what
        assert found[-5:] == wanted


@pytest.mark.parametrize(
    ("most", "member"), [("LARGEST_RULES", "a.yml"), ("LARGEST_ARCHIVE", "a.txt"), ("MOST_MEMBERS", "a.txt")]
)
def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, monkeypatch, most, member):
    """A kilobyte of it is a megabyte: whoever sends rules does not choose what a run takes."""
    with tarfile.open(tmp_path / "rules.tar.gz", "w:gz") as archive:
        for _ in range(12):
            told = tarfile.TarInfo(member)
            told.size = 1 << 16
            archive.addfile(told, io.BytesIO(bytes(1 << 16)))
    assert len(list(rules.files([tmp_path / "rules.tar.gz"]))) == (12 if member == "a.yml" else 0)
    monkeypatch.setattr(rules, most, 10)
    with pytest.raises(ValueError, match="unpacks to more"):
        list(rules.files([tmp_path / "rules.tar.gz"]))
