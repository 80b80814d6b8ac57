"""Guardrails: what a project does not want asked or answered, as an object at a label.

A guardrail only takes away: it stands beside the rules of the house and never in the place of one. What it holds is
looked for by words and patterns alone; nothing here guesses at a meaning, and what would need a model to judge is
refused when a guardrail is made. A search that runs out of its budget counts as found.

    topic   the words of its name, or of one of its examples, stand in the text
    word    it stands in the text, as a word
    regex   a pattern (`pattern`), or what the house itself finds (`casemate:marks`)
    pii     a number or address that can be told by its form (`PII`), with its check digits where it has any
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from casemate.models.pattern import Pattern, TooCostly
from casemate.objects import Kind

__all__ = [
    "GUARDRAIL",
    "GUARDRAIL_VERSION",
    "HOUSE",
    "MOST_TEXT",
    "PII",
    "Finder",
    "Found",
    "Guardrail",
    "Rule",
    "Side",
    "Verdict",
    "assess",
]

MOST_TEXT = 200_000  # characters that a guardrail looks at in one request
HOUSE = ("casemate:marks",)  # patterns that the house finds for itself

Side = Literal["INPUT", "OUTPUT"]
Finder = Callable[[str], list[tuple[int, int]]]
_Do = Literal["BLOCK", "ANONYMIZE", "NONE", "OFF"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to look for. `inputs` and `outputs` say what is done where it is found: NONE tells it, OFF is nothing.

    `told` is the rule as it was written, in the protocol in which it was written.
    """

    kind: Literal["topic", "word", "regex", "pii"]
    name: str
    phrases: tuple[str, ...] = ()
    pattern: str = ""
    inputs: _Do = "BLOCK"
    outputs: _Do = "BLOCK"
    told: dict[str, Any] = {}

    def does(self, side: Side) -> _Do:
        """What is done on that side."""
        return self.inputs if side == "INPUT" else self.outputs


class Guardrail(msgspec.Struct, frozen=True, kw_only=True):
    """A guardrail, or a version of one (`of` its id, `version` its number). Times in microseconds since the epoch."""

    name: str
    rules: tuple[Rule, ...]
    blocked_input: str
    blocked_output: str
    owner: str
    created: int
    updated: int
    description: str = ""
    of: str = ""
    version: str = "DRAFT"
    versions: int = 0
    tags: dict[str, str] = {}


GUARDRAIL = Kind("guardrail", Guardrail, indexed=("name",))
GUARDRAIL_VERSION = Kind("guardrail.version", Guardrail, indexed=("of",))


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a rule found. `action`: BLOCKED, ANONYMIZED or NONE."""

    rule: Rule
    match: str
    action: Literal["BLOCKED", "ANONYMIZED", "NONE"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in a text, and the text with `{NAME}` in the place of what is not to be shown."""

    found: tuple[Found, ...]
    text: str

    @property
    def blocked(self) -> bool:
        """Whether the text may not pass."""
        return any(one.action == "BLOCKED" for one in self.found)

    @property
    def changed(self) -> bool:
        """Whether it may pass only as `text` has it."""
        return any(one.action == "ANONYMIZED" for one in self.found)


def assess(guardrail: Guardrail, side: Side, text: str, house: Mapping[str, Finder]) -> Verdict:
    """Look at a text of at most MOST_TEXT characters. `house` finds what the house names (`HOUSE`)."""
    found: list[Found] = []
    masked: list[tuple[int, int, str]] = []
    folded = " ".join(text.casefold().split())
    for rule in guardrail.rules:
        do = rule.does(side)
        if do == "OFF":
            continue
        try:
            spans = _spans(rule, text, house) if rule.kind in ("regex", "pii") else []
        except TooCostly:
            found.append(Found(rule, "", "BLOCKED"))
            continue
        said = [text[start:end] for start, end in spans] or _said(rule, folded)
        action: Literal["BLOCKED", "ANONYMIZED", "NONE"]
        action = "BLOCKED" if do == "BLOCK" else "ANONYMIZED" if do == "ANONYMIZE" else "NONE"
        found += [Found(rule, match, action) for match in dict.fromkeys(said)]
        if do == "ANONYMIZE":
            masked += [(start, end, rule.name) for start, end in spans]
    return Verdict(tuple(found), _masked(text, masked))


def _spans(rule: Rule, text: str, house: Mapping[str, Finder]) -> list[tuple[int, int]]:
    if rule.kind == "pii":
        return PII[rule.name](text)
    if rule.pattern in HOUSE:
        return house[rule.pattern](text)
    return Pattern(rule.pattern).spans(text)  # compiled each time: a cache would be shared between labels


def _said(rule: Rule, folded: str) -> list[str]:
    if rule.kind not in ("topic", "word"):
        return []
    phrases = (rule.name, *rule.phrases)
    return [phrase for phrase in phrases if _stands(" ".join(phrase.casefold().split()), folded)]


def _stands(phrase: str, folded: str) -> bool:
    """Whether the phrase stands in the text as words: no letter or digit touches it."""
    place = folded.find(phrase) if phrase else -1
    while place >= 0:
        before, after = folded[place - 1 : place] if place else "", folded[place + len(phrase) :][:1]
        if not (before.isalnum() and phrase[0].isalnum()) and not (after.isalnum() and phrase[-1].isalnum()):
            return True
        place = folded.find(phrase, place + 1)
    return False


def _masked(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Where spans overlap, they are one, under the name of the first."""
    out, place = "", 0
    for start, end, name in sorted(spans):
        if start >= place:
            out += text[place:start] + f"{{{name}}}"
        place = max(place, end)
    return out + text[place:]


def _formed(pattern: str, holds: Callable[[str], bool] = lambda _: True) -> Finder:
    compiled = Pattern(pattern)

    def find(text: str) -> list[tuple[int, int]]:
        return [(start, end) for start, end in compiled.spans(text) if holds(text[start:end])]

    return find


def _luhn(text: str) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1, annex B)."""
    digits = [int(c) for c in text if c.isascii() and c.isdigit()]
    doubled = [d if place % 2 == 0 else d * 2 - 9 * (d > 4) for place, d in enumerate(reversed(digits))]
    return 12 < len(digits) < 20 and sum(doubled) % 10 == 0


def _iban(text: str) -> bool:
    """The check digits of an account number (ISO 13616-1): 1 modulo 97."""
    plain = text.replace(" ", "")
    return plain.isascii() and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _address(text: str) -> bool:
    return all(int(part) < 256 for part in text.split("."))


PII: dict[str, Finder] = {
    "EMAIL": _formed(r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,4}\b"),
    "URL": _formed(r"(?i)\bhttps?://[^\s<>\"']+"),
    "IP_ADDRESS": _formed(r"\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b", _address),
    "MAC_ADDRESS": _formed(r"\b[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}\b"),
    "CREDIT_DEBIT_CARD_NUMBER": _formed(r"\b[0-9]([ -]?[0-9]){12,18}\b", _luhn),
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": _formed(r"\b[A-Z]{2}[0-9]{2}( ?[A-Z0-9]){11,30}\b", _iban),
    "US_SOCIAL_SECURITY_NUMBER": _formed(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
    "AWS_ACCESS_KEY": _formed(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
}
