"""A rule as plain data: what matching needs of a Sigma rule, after the pipelines have named its channel and event.

A pack can be written to a file and read again without pySigma (`Pack.encode`, `decode`): converting 3,000 rules takes
ten seconds, reading them back takes none. Its digest is over the rule files, the versions that converted them and the
form of this file, so that a pack is never taken for another.

A node of a condition is a tuple: ("and", nodes), ("or", nodes), ("not", node), ("const", bool) or a leaf. The leaves:

    ("str", field, pieces, cased)    pieces: text, STAR (any characters) or ONE (one character)
    ("num", field, number)           ("bool", field, bool)        ("null", field)      ("exists", field, bool)
    ("re", field, pattern, flags)    ("cidr", field, network)     ("cmp", field, operator, number)
    ("ref", field, other, mode)      mode: equal, starts, ends
    ("part", field, part, operator, number)                       a part of a time: minute, hour, day, week, month, year
    ("word", pieces)                 anywhere in the event
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

STAR, ONE = 0, 1
FORM = 1

Node = tuple[Any, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule: who wrote it and what it looks for. `author` goes wherever a hit goes (Detection Rule License 1.1)."""

    id: str
    title: str
    level: str
    author: str
    tags: tuple[str, ...]
    source: str
    condition: Node
    description: str = ""
    path: str = ""
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    name: str = ""
    silent: bool = False


class Correlation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule over hits of other rules. `timespan` in seconds; `rules` are ids of rules of the same pack."""

    id: str
    title: str
    level: str
    author: str
    tags: tuple[str, ...]
    kind: str
    rules: tuple[str, ...]
    timespan: int
    by: tuple[str, ...] = ()
    operator: str = "gte"
    count: int = 1
    field: str = ""
    aliases: dict[str, dict[str, str]] = {}
    description: str = ""
    path: str = ""
    falsepositives: tuple[str, ...] = ()


class Left(msgspec.Struct, frozen=True):
    """A rule that is not applied, and why."""

    path: str
    title: str
    reason: str


class Pack(msgspec.Struct, frozen=True):
    """Rules that can be matched, and those that cannot."""

    digest: str
    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...]
    left: tuple[Left, ...]

    def encode(self) -> bytes:
        """The pack as JSON, to be read by `decode`."""
        return msgspec.json.encode({"form": FORM, "pack": self})


class _Held(msgspec.Struct):
    form: int
    pack: msgspec.Raw


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list | tuple) else value


def decode(raw: bytes) -> Pack:
    """The pack that `encode` wrote.

    Raises:
        ValueError: it is of another form, or no pack at all.
    """
    held = msgspec.json.decode(raw, type=_Held)
    if held.form != FORM:
        raise ValueError(
            f"a compiled pack of form {held.form}; this version reads form {FORM}: compile the rules again"
        )
    pack = msgspec.json.decode(held.pack, type=Pack)
    rules = tuple(msgspec.structs.replace(rule, condition=_tuples(rule.condition)) for rule in pack.rules)
    return msgspec.structs.replace(pack, rules=rules)


def digest_of(sources: list[tuple[str, bytes]], versions: str) -> str:
    """SHA-256 over rule files in the order of their paths, and what converts them."""
    whole = hashlib.sha256(f"{FORM}\n{versions}\n".encode())
    for path, raw in sorted(sources):
        whole.update(f"{path}\n{hashlib.sha256(raw).hexdigest()}\n".encode())
    return whole.hexdigest()
