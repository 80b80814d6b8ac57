"""Comments for a DOCX, as a program of its own in a fenced child: `python -m casemate.cells.comment`.

    {data, comments: [(line, which of the equal lines, words), ...]} -> (copy, how many found their line)

A comment whose line is not in the body stands at its first paragraph.

The copy differs from the document by comments alone: the anchors are put between the bytes of word/document.xml, and no
byte of it is taken away or written anew. It must never change a word, and never read what the extractor would not.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import msgspec

from casemate.cells.extract.archive import Archive
from casemate.cells.extract.docx import BODY, Story
from casemate.cells.extract.draft import Draft, clean
from casemate.cells.extract.xml import NAMESPACES, Events, parse
from casemate.cells.serve import CannotRead, serve

__all__ = ["Request", "comment"]

_COMMENTS = "word/comments.xml"
_RELATIONS = "word/_rels/document.xml.rels"
_TYPES = "[Content_Types].xml"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_LINKED = {
    _MAIN: "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments",
    _STRICT: "http://purl.oclc.org/ooxml/officeDocument/relationships/comments",
}
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
_ID = "casemateComments"
_PREFIX = re.compile(rb"</?([\w.-]+):")
_NAME = re.compile(rb"<([\w.:-]+)")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Request(msgspec.Struct, frozen=True):
    """A DOCX and what is to be said: of a line, of the nth that reads like it (negative: of none), in these words."""

    data: bytes
    comments: list[tuple[str, int, str]]


@dataclass(slots=True)
class _Paragraph:
    """Where its words begin and end in the bytes, and its lines."""

    begin: int = -1
    end: int = -1
    lines: tuple[str, ...] = ()


class _Places(Story):
    """The paragraphs of the body in the extractor's order, with their places."""

    def __init__(self) -> None:
        super().__init__(Draft(), {})
        self.at = 0
        self.found: list[_Paragraph] = []
        self._begun: list[tuple[int, _Paragraph]] = []
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._begun:
            depth, paragraph = self._begun[-1]
            if self._depth == depth + 1 and name != "w:pPr" and paragraph.begin < 0:
                paragraph.begin = self.at
        super().start(name, attributes)
        if name == "w:p" and not self._hidden:
            self._begun.append((self._depth, _Paragraph()))

    def end(self, name: str) -> None:
        if name == "w:p" and not self._hidden:
            _, paragraph = self._begun.pop()
            paragraph.end = self.at
            paragraph.lines = tuple(clean("".join(self._open[-1][0])).split("\n"))
            if any(paragraph.lines):
                self.found.append(paragraph)
        super().end(name)
        self._depth -= 1


class _Root(Events):
    """Where the outermost element begins, where it ends, and the highest id of a comment inside."""

    def __init__(self) -> None:
        self.at = self.last = 0
        self.first = self.highest = -1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.first = self.at if self.first < 0 else self.first
        said = attributes.get("w:id", "")
        if name == "w:comment" and said.isdecimal() and len(said) < 10:
            self.highest = max(self.highest, int(said))

    def end(self, name: str) -> None:
        del name
        self.last = self.at


def comment(request: Request) -> tuple[bytes, int]:
    """The copy. Raises CannotRead."""
    archive = Archive(request.data)
    if BODY not in archive.names:
        raise CannotRead("Its archive holds no Word document.")
    body = archive.read(BODY)
    places = _Places()
    _located(body, places)
    if not places.found:
        raise CannotRead("It holds no text.")
    old = archive.read(_COMMENTS) if _COMMENTS in archive.names else b""
    root = _Root()
    if old:
        _located(old, root)
    chosen, placed = _placed(request.comments, places.found)
    first = root.highest + 1
    said = "".join(_said(first + at, words) for at, (_, words) in enumerate(chosen))
    space = _STRICT if _STRICT.encode() in body[:4096] else _MAIN
    written = {
        BODY: _anchored(body, [(first + at, paragraph) for at, (paragraph, _) in enumerate(chosen)], space),
        _COMMENTS: _inserted(old, root, _bound(said, space)) if old else _new(said, space),
        _TYPES: _typed(archive),
        _RELATIONS: _related(archive, space),
    }
    return _packed(request.data, written), placed


def _located(data: bytes, events: Any) -> None:
    """Send the events of a document, each with its place in the bytes."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise CannotRead("Its XML is not written in UTF-8.")
    parse(data, Events())  # well formed, bounded, and without a document type
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        events.at = parser.CurrentByteIndex
        events.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        events.at = parser.CurrentByteIndex
        events.end(_named(name))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = events.text
    parser.Parse(data, True)


def _named(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return f"{NAMESPACES.get(space, '?')}:{local}" if space else local


def _placed(
    comments: list[tuple[str, int, str]], paragraphs: list[_Paragraph]
) -> tuple[list[tuple[_Paragraph, str]], int]:
    """Each comment with the paragraph of its line, the first one where there is none; and how many found theirs."""
    lines: dict[str, list[_Paragraph]] = {}
    for paragraph in paragraphs:
        for line in paragraph.lines:
            lines.setdefault(line, []).append(paragraph)
    chosen: list[tuple[_Paragraph, str]] = []
    placed = 0
    for line, which, words in comments:
        equal = lines.get(line, [])
        if 0 <= which < len(equal):
            placed += 1
            chosen.append((equal[which], words))
        else:
            chosen.append((paragraphs[0], words))
    return chosen, placed


def _anchored(body: bytes, comments: list[tuple[int, _Paragraph]], space: str) -> bytes:
    """The body with anchors between its bytes."""
    inserted: list[tuple[int, bytes]] = []
    for id, paragraph in comments:
        prefix = _prefix(body, paragraph.end)
        bound = "" if prefix else f' xmlns:w="{space}"'
        w = prefix or "w"
        inserted.append((paragraph.begin, f'<{w}:commentRangeStart{bound} {w}:id="{id}"/>'.encode()))
        reference = f'<{w}:r{bound}><{w}:commentReference {w}:id="{id}"/></{w}:r>'
        inserted.append((paragraph.end, f'<{w}:commentRangeEnd{bound} {w}:id="{id}"/>{reference}'.encode()))
    pieces, last = [], 0
    for at, piece in sorted(inserted, key=_first):
        pieces += [body[last:at], piece]
        last = at
    return b"".join([*pieces, body[last:]])


def _first(pair: tuple[int, bytes]) -> int:
    return pair[0]


def _prefix(data: bytes, at: int) -> str:
    """The prefix of the element that begins or ends there."""
    found = _PREFIX.match(data, at)
    return found[1].decode("ascii", "replace") if found else ""


def _said(id: int, words: str) -> str:
    """A comment as XML, in ASCII: whatever the encoding around it says."""
    shown = _FORBIDDEN.sub("?", words)
    text = "".join(f"&#{ord(c)};" if ord(c) > 126 or c in '<>&"' else c for c in shown)
    paragraphs = "".join(f'<w:p><w:r><w:t xml:space="preserve">{line}</w:t></w:r></w:p>' for line in text.split("\n"))
    return f'<w:comment w:id="{id}" w:author="Casemate" w:initials="C">{paragraphs}</w:comment>'


def _new(said: str, space: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return f'{head}<w:comments xmlns:w="{space}">{said}</w:comments>'.encode()


def _bound(said: str, space: str) -> bytes:
    """Comments that bring their namespace with them: the document may call it otherwise."""
    return said.replace("<w:comment ", f'<w:comment xmlns:w="{space}" ').encode()


def _inserted(old: bytes, root: _Root, more: bytes) -> bytes:
    """More children at the end of the outermost element; one that closes itself is opened for them."""
    if old.startswith(b"</", root.last):
        return old[: root.last] + more + old[root.last :]
    named = _NAME.match(old, root.first)
    assert named is not None  # an element begins there, and ends with "/>" in front of `last`
    return old[: root.last - 2] + b">" + more + b"</" + named[1] + b">" + old[root.last :]


def _typed(archive: Archive) -> bytes:
    """The list of types, with comments in it."""
    if _TYPES not in archive.names:
        raise CannotRead("Its archive lacks the list of its types.")
    old = archive.read(_TYPES)
    if b'"/word/comments.xml"' in old:
        return old
    override = f'<Override xmlns="{_PACKAGE}/content-types" PartName="/word/comments.xml" ContentType="{_TYPE}"/>'
    return _grown(old, override)


def _related(archive: Archive, space: str) -> bytes:
    """The relations of the body, with comments among them."""
    link = f'<Relationship xmlns="{_PACKAGE}/relationships" Id="{_ID}" Type="{_LINKED[space]}" Target="comments.xml"/>'
    if _RELATIONS not in archive.names:
        return f'<Relationships xmlns="{_PACKAGE}/relationships">{link}</Relationships>'.encode()
    old = archive.read(_RELATIONS)
    return old if b'relationships/comments"' in old else _grown(old, link)


def _grown(old: bytes, more: str) -> bytes:
    root = _Root()
    _located(old, root)
    return _inserted(old, root, more.encode())


def _packed(data: bytes, written: dict[str, bytes]) -> bytes:
    """The archive again, member by member, with these in the place of the old ones and the new ones last."""
    out = io.BytesIO()
    left = dict(written)
    archive = Archive(data)
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            info = zipfile.ZipInfo(member.filename, member.date_time)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = member.external_attr
            kept = b"" if member.is_dir() or member.filename in left else archive.read(member.filename)
            new.writestr(info, left.pop(member.filename, kept))
        for name, words in left.items():
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), words, zipfile.ZIP_DEFLATED)
    return out.getvalue()


if __name__ == "__main__":
    serve(Request, comment)
