"""The parts of a multipart form (RFC 7578), in memory alone: what somebody brings never lies on a disk unsealed."""

from __future__ import annotations

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from casemate.errors import BadInput

__all__ = ["read_form"]

MOST = 1000


@dataclass(slots=True)
class _Part:
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    headers: dict[str, bytes] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


class _Reader:
    """Gathers what the parser finds; its methods are the parser's callbacks."""

    def __init__(self) -> None:
        self.parts: list[_Part] = []
        self.whole = False

    def on_part_begin(self) -> None:
        if len(self.parts) >= MOST:
            raise BadInput(what=f"A form has at most {MOST} parts.")
        self.parts.append(_Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].value += data[start:end]

    def on_header_end(self) -> None:
        part = self.parts[-1]
        part.headers[part.header.decode("latin-1").lower()] = bytes(part.value)
        part.header, part.value = bytearray(), bytearray()

    def on_end(self) -> None:
        self.whole = True

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data += data[start:end]


def read_form(content_type: str, body: bytes) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    """Fields by name, and files with their names; a file that was not chosen is none. Raises BadInput."""
    media, options = parse_options_header(content_type.encode("latin-1"))
    boundary = options.get(b"boundary", b"")
    if media != b"multipart/form-data" or not boundary:
        raise BadInput(what="Files come as multipart/form-data.")
    reader = _Reader()
    callbacks = {name: getattr(reader, name) for name in dir(reader) if name.startswith("on_")}
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        parser.write(body)
    except FormParserError:
        reader.whole = False
    if not reader.whole:
        raise BadInput(what="The form is not whole.")
    return _sorted(reader.parts)


def _sorted(parts: list[_Part]) -> tuple[dict[str, str], list[tuple[str, bytes]]]:
    fields: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for part in parts:
        _, options = parse_options_header(part.headers.get("content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            fields[name] = part.data.decode("utf-8", "replace")
        elif options[b"filename"]:
            files.append((options[b"filename"].decode("utf-8", "replace"), bytes(part.data)))
    return fields, files
