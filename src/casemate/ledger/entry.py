"""An entry of the record, and the one way to write it as bytes.

Canonical text is JSON in UTF-8: members sorted by name, no white space, no escape that JSON does not demand
(RFC 8785 for the values that occur here: strings, integers, arrays and objects). The leaf of an entry is the hash of
these bytes, so they are never written in any other way.
"""

from __future__ import annotations

import msgspec

from casemate.errors import Damaged, TooLarge

__all__ = ["BOUND", "Entry", "canonical", "fitted", "parse"]

BOUND = 60_000  # bytes of canonical text: sealed, and in a bundle, it stays below 64 KiB
_LONGEST = 1_000


class Entry(msgspec.Struct, frozen=True):
    """What happened, when (microseconds), by whom and with what outcome.

    `outcome` is "begin" where an end is to follow; the entry that ends it carries the begin's id in `ref`, and
    nothing else uses `ref`. `subjects` are "kind/id@class". `content` is the hex of a salted digest of what was asked
    or answered, or "".
    """

    id: str
    log: str
    at: int
    session: str
    principal: str
    action: str
    outcome: str
    rule: str = ""
    facts: dict[str, str | int] = {}
    subjects: tuple[str, ...] = ()
    content: str = ""
    ref: str = ""


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Entry, strict=True).decode


def canonical(entry: Entry) -> bytes:
    """The bytes that are hashed and kept. Raises TypeError where a fact is neither text nor a whole number.

    What could be written but not read back would look tampered with ever after, so it is refused here.
    """
    for value in entry.facts.values():
        if type(value) is not str and type(value) is not int:
            raise TypeError("a fact is text or a whole number")
    return _encode(entry)


def fitted(entry: Entry) -> tuple[Entry, bytes]:
    """The entry itself, or one that fits into `BOUND`: long facts are cut off, and the first of its subjects are named.

    Then the fact `subjects` says how many there were. Its canonical bytes come with it. Raises TooLarge where that is
    not enough.
    """
    whole = canonical(entry)
    if len(whole) <= BOUND:
        return entry, whole
    facts = {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in entry.facts.items()}
    facts["subjects"] = len(entry.subjects)
    short = msgspec.structs.replace(entry, facts=facts, subjects=())
    room = BOUND - len(canonical(short))
    named: list[str] = []
    for subject in entry.subjects:
        room -= len(_encode(subject)) + 1
        if room < 0:
            break
        named.append(subject)
    short = msgspec.structs.replace(short, subjects=tuple(named))
    plain = canonical(short)
    if len(plain) > BOUND:
        raise TooLarge(what="ledger entry", limit=BOUND)
    return short, plain


def parse(data: bytes) -> Entry:
    """The entry in canonical bytes. Raises Damaged where they are no entry, or one written in another way."""
    try:
        entry = _decode(data)
    except (msgspec.DecodeError, ValueError):
        raise Damaged(what="ledger entry") from None
    if canonical(entry) != data:
        raise Damaged(what="ledger entry")
    return entry
