"""From files to events: files are cut into units that any worker reads alone, in bounded memory.

What cannot be read is named with file and offset, and the rest goes on.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from casemate_cyber.events import auditd, evtx, network, windows

Flat = dict[str, Any]
UNIT = 4 << 20
LONGEST_LINE = 4 << 20
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of one file. `file`: its place among the inputs; a line belongs to the unit in which it begins."""

    number: int
    file: int
    path: Path
    form: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was not read: bytes at an offset of a file, and why."""

    file: str
    at: int
    what: str


def units(paths: list[Path], scratch: Path) -> tuple[list[Unit], list[Trouble]]:
    """The units of all files in order. A text in UTF-16 is written anew as UTF-8 into `scratch`."""
    found: list[Unit] = []
    troubles: list[Trouble] = []
    for number, given in enumerate(paths):
        path, size = given, given.stat().st_size
        with path.open("rb") as file:
            start = file.read(4096)
        if not start:
            troubles.append(Trouble(path.name, 0, "the file is empty"))
            continue
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            path, replaced = _in_utf8(path, scratch / f"utf8-{number}")
            size = path.stat().st_size
            start = path.open("rb").read(4096)
            if replaced:
                troubles.append(Trouble(paths[number].name, 0, f"{replaced} places are no UTF-16, read as U+FFFD"))
        form = _form(path, start)
        if form == "":
            troubles.append(Trouble(path.name, 0, "neither an event log, nor JSON lines, nor audit records"))
            continue
        first = evtx.first_chunk(start) if form == "evtx" else 0
        if first >= size:
            troubles.append(Trouble(path.name, 0, f"the event log is cut short in its header: {size} bytes"))
        step = UNIT // evtx.CHUNK * evtx.CHUNK if form == "evtx" else UNIT
        for at in range(first, size, step):
            found.append(Unit(len(found), number, path, form, at, min(at + step, size)))
    return found, troubles


def _form(path: Path, start: bytes) -> str:
    if start.startswith((evtx.FILE, evtx.MAGIC)) or path.suffix.lower() == ".evtx":
        return "evtx"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"{"):
        return "json"
    if b"type=" in text and b"msg=audit(" in text:
        return "audit"
    return ""


def _in_utf8(path: Path, target: Path) -> tuple[Path, int]:
    """The text again in UTF-8, and how many places were no UTF-16."""
    with path.open("rb") as file, target.open("w", encoding="utf-8", newline="") as out:
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        replaced = 0
        while block := file.read(1 << 20):
            text = decoder.decode(block)
            replaced += text.count("\ufffd")
            out.write(text)
        rest = decoder.decode(b"", final=True)
        out.write(rest)
    return target, replaced + rest.count("\ufffd")


def events(unit: Unit, name: str) -> Iterator[tuple[str, Flat, int] | Trouble]:
    """(source, event, position) of a unit, or what was not read. A position is an offset in bytes."""
    if unit.form == "evtx":
        for at, text, trouble in evtx.records(unit.path, unit.start, unit.end):
            if text is None:
                yield Trouble(name, at, trouble)
                continue
            found = _object(text)
            flat = windows.flat(found) if isinstance(found, dict) else None
            yield ("windows", flat, at) if flat is not None else Trouble(name, at, "a record without System")
        return
    if unit.form == "audit":
        troubles: list[Trouble] = []
        for source, event, at in auditd.events(_texts(unit, name, troubles)):
            yield (source, event, at) if event is not None else Trouble(name, at, "no audit record")
        yield from troubles
        return
    log = unit.path.name.split(".")[0]
    for at, line in _lines(unit):
        if isinstance(line, str):
            yield Trouble(name, at, line)
            continue
        found = _object(line)
        if isinstance(found, str):
            yield Trouble(name, at, found)
            continue
        yield _told(found, log, at) or Trouble(name, at, "an object that is none of the events read here")


def _told(found: dict[str, Any], log: str, at: int) -> tuple[str, Flat, int] | None:
    inner = found.get("event")
    if isinstance(inner, dict) and ("sourcetype" in found or "time" in found) and "event_type" not in found:
        found = inner  # the envelope of Splunk's HTTP Event Collector
    flat = windows.flat(found)
    if flat is not None:
        return "windows", flat, at
    named = network.suricata(found) or network.zeek(found, log)
    return (*named, at) if named else None


def _object(text: str | bytes) -> dict[str, Any] | str:
    """An object of JSON, or what is wrong with it."""
    try:
        found = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        if not isinstance(text, bytes):
            return f"no JSON: {fault}"[:200]
        try:
            found = _decode(text.decode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return f"no JSON: {fault}"[:200]
    return found if isinstance(found, dict) else "no object of JSON"


def _texts(unit: Unit, name: str, troubles: list[Trouble]) -> Iterator[tuple[int, str]]:
    for at, line in _lines(unit):
        if isinstance(line, bytes):
            yield at, line.decode("utf-8", "replace")
        else:
            troubles.append(Trouble(name, at, line))


def _lines(unit: Unit) -> Iterator[tuple[int, bytes | str]]:
    """Lines that begin in the unit; a text instead of bytes names a line that is too long."""
    with unit.path.open("rb") as file:
        at = unit.start
        if at:
            file.seek(at - 1)
            at += _rest(file) - 1
        while at < unit.end and (line := file.readline(LONGEST_LINE)):
            begun, at = at, at + len(line)
            if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
                at += _rest(file)
                yield begun, f"a line of {at - begun} bytes, longer than {LONGEST_LINE}"
            elif stripped := line.strip(b"\xef\xbb\xbf\r\n\t \x00"):
                yield begun, stripped


def _rest(file: Any) -> int:
    """Bytes to the end of the line, over which it steps."""
    passed = 0
    while block := file.readline(1 << 20):
        passed += len(block)
        if block.endswith(b"\n"):
            break
    return passed
