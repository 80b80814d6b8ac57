"""JSON, read again by descent along the schema: no space, sorted keys, one way to write each character.

It knows at each place what may stand there, so it never reads what the schema does not name.
"""

from __future__ import annotations

import re
from typing import Final

from casemate.transfer.guard.check.scalars import date, number, whole
from casemate.transfer.guard.check.text import decoded, plain
from casemate.transfer.guard.profile import Profile
from casemate.transfer.guard.schema import (
    Anything,
    Choice,
    Columns,
    Date,
    Each,
    Fields,
    Flag,
    Map,
    Maybe,
    Number,
    Row,
    Schema,
    Shape,
    Text,
    TextOr,
    Variants,
    Whole,
)
from casemate.transfer.guard.verdict import held

__all__ = ["document", "lines"]

_TEXT: Final = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\bfnrt]|u[0-9a-f]{4}))*+)"')
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-f]{4})|(.))")
_LEXEME: Final = re.compile(r"-?[0-9.]+")
_SHORT: Final = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LONG: Final = {value: key for key, value in _SHORT.items()}
_RAW: Final = Text(most=10_000_000, raw=True)


def document(canonical: bytes, profile: Profile, schema: Schema) -> bytes:
    """One value. Raises Refused."""
    if len(canonical) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    return _one(decoded(canonical), profile, schema).encode()


def lines(canonical: bytes, profile: Profile, schema: Schema) -> bytes:
    """A value on each line, each line ended. Raises Refused."""
    if len(canonical) > profile.size:
        raise held("guard-size", f"{profile.size:,} bytes")
    found = decoded(canonical).split("\n")
    if found.pop() or len(found) > profile.entries:
        raise held("guard-structure", "lines")
    return "".join(_one(line, profile, schema) + "\n" for line in found).encode()


def _one(text: str, profile: Profile, schema: Schema) -> str:
    if isinstance(schema, Columns):
        raise held("guard-schema", "table")
    reader = _Reader(text, profile)
    made = reader.value(schema, 0)
    if reader.at != len(text):
        raise held("guard-trailing", "after its value")
    return made


class _Reader:
    """One value of one text; `at` is where it is read."""

    def __init__(self, text: str, profile: Profile) -> None:
        self.text, self.profile, self.at, self._count = text, profile, 0, 0

    def value(self, shape: Shape, depth: int) -> str:
        """The value here, written again."""
        self._count += 1
        if depth > self.profile.depth:
            raise held("guard-depth", f"{self.profile.depth} deep")
        if self._count > 4 * self.profile.entries:
            raise held("guard-count", f"{self.profile.entries:,} values")
        match shape:
            case Maybe():
                return self._word("null") or self.value(shape.of, depth)
            case TextOr():
                text = self.text.startswith('"', self.at)
                return self.value(shape.text if text else shape.of, depth)
            case Variants():
                return self._variant(shape, depth)
            case Fields():
                return self._object(shape, depth)
            case Map():
                return self._map(shape, depth)
            case Each() | Row():
                return self._list(shape, depth)
            case Anything():
                return self._anything(depth)
            case Flag():
                return self._word("true") or self._word("false") or self._no("boolean")
            case Whole():
                return whole(self._lexeme(), shape)
            case Number():
                return number(self._lexeme(), shape)
            case Text():
                return self._text(shape)[1]
            case Date():
                return '"' + date(self._text(Text(most=10))[0]) + '"'
            case Choice():
                said, written = self._text(Text(most=1_000, raw=True))
                return written if said in shape.of else self._no("choice")

    def _no(self, why: str) -> str:
        raise held("guard-schema", why)

    def _word(self, word: str) -> str:
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return word
        return ""

    def _need(self, sign: str) -> str:
        return self._word(sign) or self._no(f"no {sign}")

    def _lexeme(self) -> str:
        found = _LEXEME.match(self.text, self.at)
        if found is None or len(found[0]) > 160:
            raise held("guard-schema", "number")
        self.at = found.end()
        return found[0]

    def _text(self, shape: Text) -> tuple[str, str]:
        """What it says, and how that is written."""
        found = _TEXT.match(self.text, self.at)
        if found is None:
            raise held("guard-schema", "text")
        self.at = found.end()
        said = _unescaped(found[1])
        raw = shape.raw and not self.profile.strict
        if len(said) > shape.most or ("\n" in said and not shape.lines and not raw):
            raise held("guard-schema", "text")
        if not raw:
            plain(said, self.profile)
        return said, _escaped(said, raw)

    def _variant(self, shape: Variants, depth: int) -> str:
        """Tried by the word that each variant requires of itself; the field is looked for where its order puts it."""
        quoted = re.compile(rf'[{{,]"{re.escape(shape.by)}":"([A-Za-z]+)"')
        for place in _outer(self.text, self.at):
            found = quoted.match(self.text, place)
            if found is not None and found[1] in shape.of:
                return self._object(shape.of[found[1]], depth)
        return self._no(shape.by[:40])

    def _object(self, shape: Fields, depth: int) -> str:
        made, before = [self._need("{")], ""
        seen: set[str] = set()
        while not self._word("}"):
            if made[-1] != "{":
                made.append(self._need(","))
            key, written = self._text(_RAW)
            if key not in shape.fields or (seen and key <= before):
                raise held("guard-schema", "fields")
            made += [written, self._need(":"), self.value(shape.fields[key], depth + 1)]
            seen.add(key)
            before = key
        if not set(shape.fields) - set(shape.optional) <= seen:
            raise held("guard-schema", "fields")
        return "".join((*made, "}"))

    def _map(self, shape: Map, depth: int) -> str:
        made, before, count = [self._need("{")], "", 0
        while not self._word("}"):
            if count:
                made.append(self._need(","))
            key, written = self._text(shape.keys)
            if count and key <= before:
                raise held("guard-schema", "order of keys")
            made += [written, self._need(":"), self.value(shape.of, depth + 1)]
            before, count = key, count + 1
            if count > shape.most:
                raise held("guard-schema", "map")
        return "".join((*made, "}"))

    def _list(self, shape: Each | Row, depth: int) -> str:
        made, count = [self._need("[")], 0
        most = shape.most if isinstance(shape, Each) else len(shape.of)
        while not self._word("]"):
            if count:
                made.append(self._need(","))
            if count >= most:
                raise held("guard-schema", "list")
            made.append(self.value(shape.of if isinstance(shape, Each) else shape.of[count], depth + 1))
            count += 1
        if isinstance(shape, Row) and count != most:
            raise held("guard-schema", "row")
        return "".join((*made, "]"))

    def _anything(self, depth: int) -> str:
        if self.profile.strict:
            raise held("guard-schema", "anything")
        first = self.text[self.at : self.at + 1]
        if first == "{":
            return self._map(Map(Anything(), _RAW, self.profile.entries), depth)
        if first == "[":
            return self._list(Each(Anything(), self.profile.entries), depth)
        if first == '"':
            return self._text(_RAW)[1]
        word = self._word("null") or self._word("true") or self._word("false")
        return word or number(self._lexeme(), Number(digits=40))


def _outer(text: str, start: int) -> list[int]:
    """Where the keys of the object at `start` begin, its brackets and texts skipped."""
    found, depth, at = [], 0, start
    signs = re.compile(r'[\[\]{},"]')
    while (sign := signs.search(text, at)) is not None:
        c, at = sign[0], sign.end()
        if c == '"':
            end = _TEXT.match(text, sign.start())
            if end is None:
                break
            at = end.end()
        elif c in "[{":
            depth += 1
            if depth == 1:
                found.append(sign.start())
        elif c in "]}":
            depth -= 1
            if depth == 0:
                break
        elif depth == 1:
            found.append(sign.start())
    return found


def _unescaped(body: str) -> str:
    if "\\" not in body:
        return body
    said = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _SHORT[m[2]], body)
    try:
        return said.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise held("guard-encoding", "half a character") from None


def _escaped(said: str, raw: bool) -> str:
    """The one way to write it: outside ASCII as it is, or, where it is raw, in escapes of UTF-16."""
    if said.isascii() and said.isprintable() and '"' not in said and "\\" not in said:
        return f'"{said}"'
    return '"' + "".join(_letter(c, raw) for c in said) + '"'


def _letter(c: str, raw: bool) -> str:
    if c in _LONG:
        return "\\" + _LONG[c]
    code = ord(c)
    if " " <= c <= "~" or (not raw and code > 0x7F):
        return c
    if code < 0x10000:
        return f"\\u{code:04x}" if code < 0x20 or raw else c
    code -= 0x10000
    return f"\\u{0xD800 | code >> 10:04x}\\u{0xDC00 | code & 0x3FF:04x}"
