"""Linux audit records, one a line, and the process that several records of one event tell of.

Source: audit.log of auditd (`type=EXECVE msg=audit(1700000000.123:45): argc=2 a0="id" ...`). A record is an event of
"linux/auditd" under its own names. Records of one serial that hold an EXECVE make one more event of
"linux/process_creation": Image, CommandLine, User, ProcessId, ParentProcessId, CurrentDirectory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Flat = dict[str, Any]

_STAMP = re.compile(r"msg=audit\((\d{1,12})(?:\.(\d{1,9}))?:(\d{1,20})\):?")
_PAIR = re.compile(r"([A-Za-z][\w.-]{0,40})=(?:\"([^\"]*)\"|'([^']*)'|(\S*))")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_HELD_IN_HEX = re.compile(r"(?:a\d{1,4}|name|exe|comm|cwd|proctitle|data|path)\Z")
MOST_RECORDS = 200


def record(line: str) -> Flat | None:
    """One record as field -> text; None where the line is none."""
    stamp = _STAMP.search(line)
    if stamp is None or "type=" not in line[: stamp.start()]:
        return None
    moment = datetime.fromtimestamp(int(stamp[1]), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    out: Flat = {"_time": f"{moment}.{(stamp[2] or '0'):0<3}Z", "_serial": stamp[3]}
    for name, quoted, inner, bare in _PAIR.findall(line[: stamp.start()] + line[stamp.end() :]):
        if inner:
            for own, told, _, plain in _PAIR.findall(inner):
                out.setdefault(own, told or _open(own, plain))
        elif name != "msg":
            out.setdefault(name, quoted or _open(name, bare))
    return out


def _open(name: str, value: str) -> str:
    """auditd writes in hexadecimal what holds a space or a quotation mark."""
    if len(value) >= 4 and _HELD_IN_HEX.match(name) and _HEX.match(value):
        return bytes.fromhex(value).replace(b"\x00", b" ").decode("utf-8", "replace").rstrip()
    return value


def events(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, Flat | None, int]]:
    """(source, event, position) of lines with their positions; an event that is None names a line that is no record."""
    together: list[Flat] = []
    at = 0
    for position, line in lines:
        found = record(line)
        if found is None:
            yield "linux/auditd", None, position
            continue
        if together and (found["_serial"] != together[0]["_serial"] or len(together) >= MOST_RECORDS):
            yield from _process(together, at)
            together.clear()
        if not together:
            at = position
        together.append(found)
        yield "linux/auditd", found, position
    yield from _process(together, at)


def _process(records: list[Flat], at: int) -> Iterator[tuple[str, Flat, int]]:
    by_type = {str(found.get("type")): found for found in reversed(records)}
    if (execve := by_type.get("EXECVE")) is None:
        return
    call = by_type.get("SYSCALL", {})
    arguments = [str(execve[name]) for name in (f"a{number}" for number in range(MOST_RECORDS)) if name in execve]
    out = {
        "Image": call.get("exe") or (arguments[0] if arguments else None),
        "CommandLine": " ".join(arguments),
        "User": call.get("UID") or call.get("uid"),
        "ProcessId": call.get("pid"),
        "ParentProcessId": call.get("ppid"),
        "CurrentDirectory": by_type.get("CWD", {}).get("cwd"),
        "node": execve.get("node"),
        "_time": execve["_time"],
        "_serial": execve["_serial"],
    }
    yield "linux/process_creation", {name: value for name, value in out.items() if value is not None}, at
