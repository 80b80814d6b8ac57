"""Syslog as it comes: frames of a stream (RFC 6587), and messages of RFC 5424 and of RFC 3164 as records.

Pure. Nothing that was sent is refused for its form: what is neither is kept as a text. What must never happen: that
one message is taken for two, or a part of it for another's header.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from casemate.clock import iso, parse_iso

__all__ = ["LONGEST", "Frame", "Frames", "line_of", "record", "text_of"]

LONGEST = 64 << 10
"""Bytes of a message; what is beyond is left out, and the record says so (RFC 5424, 6.1)."""
_DIGITS = 9
_ENDS = re.compile(rb"[\n\x00]")
_PRIORITY = re.compile(r"<(0|[1-9][0-9]{0,2})>")
_HEADER = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) ")
_OLD = re.compile(r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([ 0-3][0-9]) ([0-9:]{8}) (\S{1,255}) ?")
_TAG = re.compile(r"([A-Za-z0-9_./-]{1,64})(?:\[([^\]\s]{1,64})\])?: ?")
_NAME = re.compile(r'[^\s="\]]{1,128}')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A message as it was sent. `cut`: it was longer."""

    data: bytes
    cut: bool = False


@dataclass(slots=True)
class Frames:
    """One connection's stream: each frame says its length, or ends with a line's end or NUL (RFC 6587, 3.4).

    Of a connection that has said a length that is none, `broken` is set, and nothing more can be read of it.
    """

    longest: int = LONGEST
    broken: bool = False
    _held: bytearray = field(default_factory=bytearray)
    _left: int = 0
    """Bytes of a counted frame, or -1 for those up to a line's end, that are passed over."""

    def feed(self, data: bytes) -> list[Frame]:
        """The messages that have ended by now. At most `longest` bytes and a header are held."""
        self._held += data
        found: list[Frame] = []
        while not self.broken and self._held:
            if self._left and not self._passed():
                break
            if not self._held:
                break
            if self._held[0] in b"\n\r\x00 ":
                del self._held[:1]
            elif not (self._counted(found) if self._held[:1].isdigit() else self._lined(found)):
                break
        if self.broken:
            self._held.clear()
        return found

    def rest(self) -> list[Frame]:
        """What came last, where the stream ended without a line's end. A counted frame that is not whole is cut."""
        if self.broken or self._left or not self._held:
            return []
        data = bytes(self._held)
        if data[:1].isdigit():
            data = data.partition(b" ")[2]
            return [Frame(data, cut=True)] if data else []
        return [Frame(data)]

    def _passed(self) -> bool:
        """Whether what is passed over has ended."""
        if self._left > 0:
            gone = min(self._left, len(self._held))
            del self._held[:gone]
            self._left -= gone
            return not self._left
        end = _ENDS.search(self._held)
        if end is None:
            self._held.clear()
            return False
        del self._held[: end.end()]
        self._left = 0
        return True

    def _counted(self, found: list[Frame]) -> bool:
        head, space, _ = bytes(self._held[: _DIGITS + 1]).partition(b" ")
        if not head.isdigit() or head.startswith(b"0") or (not space and len(self._held) > _DIGITS):
            self.broken = True
            return False
        if not space:
            return False
        start, size = len(head) + 1, int(head)
        taken = min(size, self.longest)
        if len(self._held) < start + taken:
            return False
        found.append(Frame(bytes(self._held[start : start + taken]), cut=taken < size))
        del self._held[: start + taken]
        self._left = size - taken
        return True

    def _lined(self, found: list[Frame]) -> bool:
        end = _ENDS.search(self._held, 0, self.longest + 1)
        if end is not None:
            found.append(Frame(bytes(self._held[: end.start()]).rstrip(b"\r")))
            del self._held[: end.end()]
            return True
        if len(self._held) <= self.longest:
            return False
        found.append(Frame(bytes(self._held[: self.longest]), cut=True))
        del self._held[: self.longest]
        self._left = -1
        return True


def record(frame: Frame, peer: str, received: int) -> dict[str, Any]:
    """What a message says, by name. `form` is 5424, 3164 or none; `received` in microseconds."""
    text = text_of(frame)
    told: dict[str, Any] = {"received": iso(received), "peer": peer, "form": "none"}
    priority = _PRIORITY.match(text)
    if priority is not None and int(priority[1]) <= 191:
        told |= {"facility": int(priority[1]) >> 3, "severity": int(priority[1]) & 7}
        text = text[priority.end() :]
        header = _HEADER.match(text)
        told |= _new(header, text) if header is not None else _old(text, received)
    told.setdefault("message", text)
    if frame.cut:
        told["cut"] = True
    return told


def line_of(told: dict[str, Any]) -> bytes:
    """The record as a line of JSON."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def text_of(frame: Frame) -> str:
    """The message as text; bytes that are no UTF-8 are U+FFFD."""
    return frame.data.rstrip(b"\r\n\x00").decode("utf-8", "replace")


def _new(header: re.Match[str], text: str) -> dict[str, Any]:
    """RFC 5424, section 6. What is no structured data stays in the message."""
    said = dict(zip(("time", "host", "app", "process", "kind"), header.groups(), strict=True))
    told: dict[str, Any] = {"form": "5424", **{name: one for name, one in said.items() if one != "-"}}
    if "time" in told:
        try:
            told["time"] = iso(parse_iso(told["time"]))
        except (ValueError, OverflowError, OSError):
            told["said_time"] = told.pop("time")
    data, at = _structured(text, header.end())
    if data:
        told["data"] = data
    return told | {"message": text[at:].removeprefix(" ").removeprefix("\ufeff")}


def _structured(text: str, at: int) -> tuple[dict[str, dict[str, str]], int]:
    """The elements that stand there and where they end; none where they are not whole."""
    if text.startswith("-", at):
        return {}, at + 1
    found: dict[str, dict[str, str]] = {}
    here = at
    while text.startswith("[", here):
        name = _NAME.match(text, here + 1)
        if name is None:
            return {}, at
        here = name.end()
        values = found.setdefault(name[0], {})
        while text.startswith(" ", here):
            name = _NAME.match(text, here + 1)
            if name is None or not text.startswith('="', name.end()):
                return {}, at
            value, here = _value(text, name.end() + 2)
            if here < 0:
                return {}, at
            values[name[0]] = value
        if not text.startswith("]", here):
            return {}, at
        here += 1
    return found, here


def _value(text: str, at: int) -> tuple[str, int]:
    """A value up to its quote, `\\"`, `\\\\` and `\\]` undone; and the place behind, or -1 where none ends it."""
    parts: list[str] = []
    start = at
    while at < len(text):
        if text[at] == '"':
            parts.append(text[start:at])
            return "".join(parts), at + 1
        if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\", "]"):
            parts.append(text[start:at])
            start, at = at + 1, at + 2
            continue
        at += 1
    return "", -1


def _old(text: str, received: int) -> dict[str, Any]:
    """RFC 3164, section 4: no year, no zone. The year is the one that is nearest, the zone is taken for UTC."""
    told: dict[str, Any] = {}
    header = _OLD.match(text)
    if header is not None:
        time = _near(header, received)
        told |= {"form": "3164", "host": header[4], **({"time": time} if time else {"said_time": header[0][:15]})}
        text = text[header.end() :]
    tag = _TAG.match(text)
    if tag is not None:
        told |= {"form": "3164", "app": tag[1], **({"process": tag[2]} if tag[2] else {})}
        text = text[tag.end() :]
    return {**told, "message": text}


def _near(header: re.Match[str], received: int) -> str:
    """The moment nearest to `received` that reads so; "" for a day or time that is none."""
    month, day, time = _MONTHS.index(header[1]) + 1, header[2].replace(" ", "0"), header[3]
    year = int(iso(received)[:4])
    found: list[int] = []
    for each in (year - 1, year, year + 1):
        try:
            found.append(parse_iso(f"{each:04d}-{month:02d}-{day}T{time}Z"))
        except ValueError:
            continue
    best = min(found, key=lambda at: abs(at - received), default=None)
    return "" if best is None or abs(best - received) > 400 * _DAY else iso(best)
