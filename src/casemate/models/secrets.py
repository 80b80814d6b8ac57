"""Secrets that can be told by their form: keys, tokens and passwords as people paste them.

The forms are those that their issuers publish; a password is told by the name before it and by how random it looks.
It errs on the side of silence where a text speaks of secrets without holding one (placeholders, names of variables).
Everything here is bounded: no pattern can run longer than in proportion to the text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

__all__ = ["FORMS", "Form", "found_in", "may_hold"]

_RANDOM = 2.8  # bits for each character: words lie below it, generated passwords above


@dataclass(frozen=True, slots=True)
class Form:
    """`hints`: one of them stands in every text that matches, in lower case. The secret is the group, or all of it."""

    rule: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    guessed: bool = False


def _form(rule: str, hints: str, pattern: str, *, guessed: bool = False) -> Form:
    return Form(rule, tuple(hints.split()), re.compile(pattern), guessed)


_START = r"(?<![A-Za-z0-9_-])"  # a run of such characters is looked at once, however long it is

FORMS = (
    _form("private-key", "-----begin", r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"),
    _form("casemate-key", "cm_", _START + r"cm_[a-z2-7]{20,40}_[a-z2-7]{40,80}\b"),
    _form("aws-key", "akia asia", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    _form("github-token", "gh _pat_", _START + r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    _form("gitlab-token", "glpat-", _START + r"glpat-[A-Za-z0-9_-]{20,255}"),
    _form("slack-token", "xox", _START + r"xox[abeoprs]-[A-Za-z0-9-]{10,255}"),
    _form("stripe-key", "k_live_", _START + r"[rs]k_live_[A-Za-z0-9]{20,255}"),
    _form("google-key", "aiza", _START + r"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    _form("model-key", "sk-", _START + r"sk-(?:ant-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{32,255}"),
    _form("huggingface-token", "hf_", _START + r"hf_[A-Za-z0-9]{30,255}"),
    _form("npm-token", "npm_", _START + r"npm_[A-Za-z0-9]{36}"),
    _form("pypi-token", "pypi-", _START + r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{40,255}"),
    _form("sendgrid-key", "sg.", _START + r"SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"),
    _form("jwt", "eyj", _START + r"eyJ[A-Za-z0-9_-]{8,4000}+\.eyJ[A-Za-z0-9_-]{8,8000}+\.[A-Za-z0-9_-]{8,2000}"),
    _form("azure-key", "accountkey=", r"\bAccountKey=([A-Za-z0-9+/]{60,120}={0,2})"),
    _form("url-password", "://", r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}+://[^\s:/@]{1,100}+:([^\s/@:]{3,200}+)@"),
    _form(
        "password",
        "passw pwd secret token api credential access",
        r"(?i:passw(?:or)?d|passwort|pwd|secret|credentials?|(?:auth|access|api|bearer|refresh)[_-]?token"
        r"|(?:api|access)[_-]?key)\\?[\"']?[ \t]{0,8}+(?:=>|:=|=|:)[ \t]{0,8}+\\?[\"']?"
        r"([^\s\"'<>(){}\[\],;\\]{8,200}+)(?![(\[{])",
        guessed=True,
    ),
)
_HINTS = [(hint, form) for form in FORMS for hint in form.hints]
_BODY = re.compile(r"[A-Za-z0-9+/]{40}")
_NEAR, _FAR = 400, 20_000  # characters after a key's first line: where its body begins, and where it has ended
_SPOKEN = re.compile(
    r"(?i)example|sample|placeholder|change-?me|your[-_]|dummy|redacted|x{4,}|\*{3,}|\.{3}|^\$|^%|_{3,}"
)


def may_hold(texts: Iterable[str]) -> bool:
    """Whether any of them can hold a secret: most cannot, and one look at all of them says so."""
    low = "\n".join(texts).lower()
    for hint, _ in _HINTS:  # noqa: SIM110 - a generator costs more than all the looks
        if hint in low:
            return True
    return False


def found_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Each secret as (rule, start, end), in their order; of those that overlap, the first and longest."""
    low = text.lower()
    forms = dict.fromkeys(form for hint, form in _HINTS if hint in low)
    hits = [hit for form in forms for hit in _hits(form, text)]
    place = 0
    for start, end, rule in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if start >= place:
            place = end
            yield rule, start, end


def _hits(form: Form, text: str) -> Iterator[tuple[int, int, str]]:
    for match in form.pattern.finditer(text):
        start, end = match.span(1 if form.pattern.groups else 0)
        if form.rule == "private-key":
            end = _key_ends(text, end)
        if end >= 0 and not _spoken(match[0], text[start:end], form):
            yield start, end, form.rule


def _key_ends(text: str, first: int) -> int:
    """Where a private key ends whose first line ends there; -1 where no key follows."""
    body = _BODY.search(text, first, first + _NEAR)
    if body is None:
        return -1
    last = text.find("-----END", body.end(), first + _FAR)
    closes = text.find("-----", last + 8, last + 100) if last >= 0 else -1
    return closes + 5 if closes >= 0 else body.end()


def _spoken(whole: str, secret: str, form: Form) -> bool:
    """Whether it only speaks of a secret."""
    if _SPOKEN.search(secret if form.guessed or form.rule == "url-password" else whole[-24:]):
        return True
    if not form.guessed:
        return False
    mixed = any(c.isdigit() for c in secret) and any(c.isalpha() for c in secret)
    return not mixed or _entropy(secret) < _RANDOM


def _entropy(text: str) -> float:
    """Shannon's, in bits for each character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
