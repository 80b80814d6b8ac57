"""A message (RFC 5322, MIME): its subject and people, its text, and its attachments as documents of their own.

Of a text that is sent twice, plain and as HTML, the plain one is read; the other one too where it says a word more.
Lines at the edges of each message, where banners stand, count for all that is in the file. What cannot be read makes
the whole message unreadable: an attachment, a picture without text recognition, what is encrypted.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass, field
from email.errors import MessageError, MessageParseError
from email.header import decode_header
from email.message import Message

from casemate.cells.extract import bounds, html
from casemate.cells.extract.draft import Draft, NoText, one_line
from casemate.cells.extract.nested import Nest
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, PARAGRAPH, Extracted, Paragraph, Part
from casemate.cells.extract.sniff import MAIL
from casemate.cells.extract.text import decode, paragraphs
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_EDGE = 4  # lines at each end of a message that may be its banner
_PEOPLE = ("From", "To", "Cc", "Date")
_MARKINGS = ("Classification", "X-Classification", "Security-Label", "X-Security-Label", "X-Protective-Marking")
_SIGNATURES = frozenset(
    (
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
    )
)
_SEALED = frozenset(
    ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted", "application/pgp-encrypted")
)
_SUFFIXES = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/calendar": ".txt",
    "text/vcard": ".txt",
    "text/x-vcard": ".txt",
    "message/rfc822": ".eml",
    "message/delivery-status": ".txt",
    "text/rfc822-headers": ".txt",
    "application/pdf": ".pdf",
    "application/json": ".json",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/tiff": ".tiff",
}
_AS_TEXT = (".ics", ".vcf", ".log", ".asc")
_CHARSETS = re.compile(
    r"(?:us-)?ascii|utf-?8|utf-16(?:le|be)?|(?:iso-?|latin-?)[\d-]{1,8}|(?:windows-|cp)?125\d|koi8-[ru]|gb(?:k|2312|18030)|"
    r"big5|shift[_-]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)"
)
_CODINGS = frozenset(("", "7bit", "8bit", "binary", "base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue"))
_WORD = re.compile(r"\w+")
_LABEL = re.compile(r"marking\s*=\s*\"((?:[^\"\\]|\\.)*)\"", re.IGNORECASE)  # RFC 7444


@dataclass(slots=True)
class _Bodies:
    """What a message holds, in its order."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    attached: list[tuple[str, bytes]] = field(default_factory=list)
    count: int = 0


def read(data: bytes, nest: Nest) -> Extracted:
    """The message, then what is attached to it. Raises CannotRead."""
    # every line of a message is compared with the boundaries of all bodies around it
    bounds.within(data.lower().count(b"boundary"), bounds.BODIES, "bodies")
    try:
        message = email.message_from_bytes(data)
    except (MessageError, ValueError, LookupError, AttributeError, TypeError, IndexError):
        raise CannotRead("It is not a message that can be read.") from None
    if not any(name in message for name in ("From", "To", "Subject", "Date", "Received", "MIME-Version")):
        raise CannotRead("It holds no message.")
    bodies = _Bodies()
    _gather(message, bodies, 0)
    subject = one_line(_header(message, "Subject"))
    draft = _told(message, bodies, subject)
    own = () if draft.empty else (draft.part(subject, "message"),)
    outside = list(_edges([paragraph for part in own for page in part.pages for paragraph in page]))
    parts: list[Part] = list(own)
    notes: list[str] = []
    for number, (name, attached) in enumerate(bodies.attached, start=1):
        found = nest.inside(name, attached, "Its attachment")
        if found is not None:
            parts += [Part(part.title or name, f"{number} {part.key}".strip(), part.pages) for part in found.parts]
            outside += found.outside
            notes += found.notes
    if not parts:
        raise NoText
    bounds.within(len(parts), bounds.PARTS, "documents")
    return Extracted(MAIL, tuple(parts), tuple(outside), tuple(dict.fromkeys(notes)))


def _told(message: Message, bodies: _Bodies, subject: str) -> Draft:
    draft = Draft()
    for marking in _markings(message):
        draft.add(marking, HEADER)
    draft.add(subject, HEADING)
    people = ((name, one_line(_header(message, name))) for name in _PEOPLE)
    draft.add("\n".join(f"{name}: {said}" for name, said in people if said), PARAGRAPH)
    words = {word for text in bodies.plain for word in _WORD.findall(text)}
    for text in bodies.plain:
        for paragraph in paragraphs(text.splitlines()):
            draft.add(paragraph)
    for text in bodies.html:
        try:
            (page,) = html.read(text.encode("utf-8", "replace")).parts[0].pages
        except NoText:
            continue
        if not {word for paragraph in page for word in _WORD.findall(paragraph.text)} <= words:
            for shown in page:
                draft.add(shown.text, shown.kind)
    return draft


def _gather(message: Message, into: _Bodies, depth: int) -> None:
    """All bodies of a message but those of messages inside it, which are files of their own."""
    into.count += 1
    bounds.within(into.count, bounds.BODIES, "bodies")
    bounds.within(depth, bounds.DEPTH, "bodies inside each other")
    kind = message.get_content_type()
    if kind in _SEALED:
        raise CannotRead("It is encrypted or signed so that its text cannot be read.")
    if kind in _SIGNATURES:
        return
    if not _sound(message):
        raise CannotRead("It is damaged: its bodies are not parted as it says.")
    payload = message.get_payload()
    if kind == "message/rfc822" and isinstance(payload, list):
        into.attached += [(_name(message, ".eml"), _whole(inner)) for inner in payload if isinstance(inner, Message)]
    elif isinstance(payload, list):
        for text in (message.preamble, message.epilogue):
            if text and text.strip() and not text.strip().startswith("This is a multi"):
                into.plain.append(text)
        for inner in payload:
            assert isinstance(inner, Message)
            _gather(inner, into, depth + 1)
    else:
        _single(message, kind, into)


def _whole(message: Message) -> bytes:
    try:
        return message.as_bytes()
    except (MessageError, ValueError, LookupError, AttributeError, TypeError):
        raise CannotRead("A message inside it cannot be read.") from None


def _sound(message: Message) -> bool:
    return all(type(defect).__name__ == "MissingHeaderBodySeparatorDefect" for defect in message.defects)


def _single(message: Message, kind: str, into: _Bodies) -> None:
    coding = str(message.get("Content-Transfer-Encoding", "")).strip().lower()
    if coding not in _CODINGS:
        raise CannotRead("It is packed in a way that is not read.")
    data = message.get_payload(decode=True)
    if not isinstance(data, bytes):
        raise CannotRead("It is not a message that can be read.")
    if not _sound(message):  # decoding finds what is wrong, too
        raise CannotRead("It is damaged: a body of it is not encoded as it says.")
    named = message.get_filename() or message.get_content_disposition() == "attachment"
    if named or not kind.startswith("text/") or kind not in _SUFFIXES:
        into.attached.append((_name(message, _SUFFIXES.get(kind, "")), _unmarked(message, kind, data)))
    elif kind == "text/html":
        into.html.append(_text(message, data))
    else:
        into.plain.append(_text(message, data))


def _unmarked(message: Message, kind: str, data: bytes) -> bytes:
    """The bytes of an attached text as UTF-8, where its charset is stated."""
    if not kind.startswith("text/") or not message.get_content_charset():
        return data
    return _text(message, data).encode("utf-8", "replace")


def _text(message: Message, data: bytes) -> str:
    """By the stated charset, strictly; without one as UTF-8. Nothing is guessed."""
    charset = str(message.get_content_charset() or "")
    if charset in ("", "us-ascii", "ascii", "utf-8", "utf8"):
        return decode(data) if data else ""
    if not _CHARSETS.fullmatch(charset):
        raise CannotRead("Its text is in an encoding that is not read; save it as UTF-8.")
    try:
        return data.decode(charset)
    except (UnicodeError, LookupError):
        raise CannotRead(f"Its bytes are not {charset.upper()}, as it says.") from None


def _name(message: Message, suffix: str) -> str:
    """The name of an attachment, with an extension that says how it is read."""
    name = one_line(_decoded(str(message.get_filename() or "")))[:200]
    name = re.split(r"[\\/]", name)[-1] or f"attachment{suffix}"
    if suffix == ".eml" and not name.lower().endswith(".eml"):
        return f"{name}.eml"
    return f"{name}.txt" if name.lower().endswith(_AS_TEXT) else name


def _markings(message: Message) -> list[str]:
    """What gateways and clients write into the head of a message: X-headers, and the label of RFC 7444."""
    found = [one_line(_header(message, name)) for name in _MARKINGS]
    labels = [_LABEL.search(_decoded(str(label))) for label in message.get_all("SIO-Label", [])]
    return [text for text in found if text] + [label[1] for label in labels if label]


def _header(message: Message, name: str) -> str:
    return ", ".join(_decoded(str(value)) for value in message.get_all(name, []))


def _decoded(value: str) -> str:
    """A header's encoded words (RFC 2047) as text; as they stand where they cannot be decoded."""
    bounds.within(len(value), 100_000, "characters in one of its headers")
    pieces = []
    try:
        for text, charset in decode_header(value):
            if isinstance(text, str):
                pieces.append(text)
            elif charset and not _CHARSETS.fullmatch(charset.lower()):
                return value
            else:
                pieces.append(text.decode(charset or "ascii", "replace"))
    except (MessageParseError, ValueError, LookupError):
        return value
    return "".join(pieces)


def _edges(said: list[Paragraph]) -> list[Paragraph]:
    """The lines that may be the banner of the whole message. A portion mark speaks for its portion alone."""
    lines = [
        line for paragraph in said if paragraph.kind not in (HEADER, FOOTER) for line in paragraph.text.split("\n")
    ]
    running = [line for paragraph in said if paragraph.kind in (HEADER, FOOTER) for line in paragraph.text.split("\n")]
    # below the subject and the people, and at the end
    kept = [*running, *lines[: _EDGE + 1 + len(_PEOPLE)], *lines[-_EDGE:]]
    return [Paragraph(line, HEADER) for line in dict.fromkeys(kept) if not line.startswith(("(", "["))]
