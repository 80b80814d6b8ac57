"""What a stranger's text says as a marking, in every policy, with the places of what is wrong in it as it came.

Spaces, letters that imitate others and lower case are undone for the reading and noted as findings. It must never
raise, and its work is linear in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casemate.labels.disguise import plain, shown, tidy
from casemate.labels.grammar import Grammar
from casemate.labels.mark import Finding, Parsed
from casemate.labels.marking import render
from casemate.labels.reading import LONGEST
from casemate.labels.vocabulary import Form

__all__ = ["parse_mark"]

_AND = " + "
_MOST_PARTS = 6


def parse_mark(listed: Sequence[Grammar], others: Sequence[Grammar], text: str, form: Form) -> tuple[Parsed, ...]:
    """The readings of a text that is nothing but a marking; those of the listed policies, the right ones if any is."""
    parts = text.split(_AND) if text.count(_AND) < _MOST_PARTS else [text]
    found: list[Parsed] = []
    said: set[str] = set()
    at = 0
    for part in parts:
        read = _part(listed, others, part, form)
        again = {parsed.mark.policy for parsed in read} & said if len({p.mark.policy for p in read}) == 1 else set()
        for parsed in read:
            findings = parsed.findings
            if again:
                facts = (("policy", parsed.mark.policy),)
                findings = (*findings, Finding("two-policies", "error", 0, len(part), facts))
            found.append(Parsed(parsed.mark, tuple(_moved(finding, at) for finding in findings)))
        said |= {parsed.mark.policy for parsed in read}
        at += len(part) + len(_AND)
    return tuple(found)


def _part(listed: Sequence[Grammar], others: Sequence[Grammar], text: str, form: Form) -> tuple[Parsed, ...]:
    cut = text if len(text) <= LONGEST else text[:LONGEST]
    read = _seen(listed, cut, form)
    if cut is not text:
        long = Finding("too-long", "error", 0, len(text), (("most", str(LONGEST)),))
        read = [Parsed(parsed.mark, (*parsed.findings, long)) for parsed in read]
    return tuple(_two(parsed, (*listed, *others)) for parsed in _right(read))


def _seen(grammars: Sequence[Grammar], text: str, form: Form) -> list[Parsed]:
    """The readings of the text as it is, or else of what it looks like, with a finding that says so."""
    bare = tidy(text)
    read = _read(grammars, bare, form)
    if read:
        return [_spaced(parsed, text, bare) for parsed in read]
    looks = plain(bare)
    if looks != bare:
        return [_noted(parsed, grammars, "disguise", text, form) for parsed in _read(grammars, looks, form)]
    if bare != bare.upper():
        read = [parsed for parsed in _read(grammars, bare.upper(), form) if "/" in bare or parsed.right]
        return [_noted(parsed, grammars, "case", text, form) for parsed in read]
    return [parsed for g in grammars for parsed in [g.parse(bare, form, guess=True)] if parsed is not None]


def _read(grammars: Sequence[Grammar], text: str, form: Form) -> list[Parsed]:
    return [parsed for grammar in grammars for parsed in [grammar.parse(text, form)] if parsed is not None]


def _right(read: list[Parsed]) -> list[Parsed]:
    """The right readings if there are any; of these, those whose every name is declared."""
    right = [parsed for parsed in read if parsed.right] or read
    return [parsed for parsed in right if all(each.rule != "undeclared" for each in parsed.findings)] or right


def _spaced(parsed: Parsed, text: str, bare: str) -> Parsed:
    """The same reading with its places in the text as it came."""
    if not parsed.findings or text == bare:
        return parsed
    places = _places(text, bare)
    return Parsed(
        parsed.mark, tuple(replace(each, start=places[each.start], end=places[each.end]) for each in parsed.findings)
    )


def _places(text: str, bare: str) -> list[int]:
    """For each place in the tidy text, where it is in the other; the end where they differ by more than spaces."""
    places: list[int] = []
    at = 0
    for character in bare:
        while at < len(text) and text[at] != character and text[at].isspace() and character != " ":
            at += 1
        places.append(min(at, len(text)))
        if character == " ":
            while at < len(text) and text[at].isspace():
                at += 1
        else:
            at += 1
    places.append(min(at, len(text)))
    return places


def _noted(parsed: Parsed, grammars: Sequence[Grammar], rule: str, text: str, form: Form) -> Parsed:
    """The reading of what a text looks like: places in that are none in the text, so all is said of the whole."""
    policy = next(grammar.policy for grammar in grammars if grammar.policy.name == parsed.mark.policy)
    fix = render(policy, parsed.mark, "portion" if form == "portion" else "en") if parsed.right else None
    first = Finding(rule, "error", 0, len(text), (("was", shown(text)),), "D.1, p. 27" if rule == "case" else "", fix)
    rest = (replace(each, start=0, end=len(text), fix=None) for each in parsed.findings)
    return Parsed(parsed.mark, (first, *rest))


def _two(parsed: Parsed, grammars: Sequence[Grammar]) -> Parsed:
    """What is unknown in one policy and a mark of another is said to be two policies in one line."""
    if all(finding.rule != "unknown-control" for finding in parsed.findings):
        return parsed
    findings = []
    for finding in parsed.findings:
        item = dict(finding.facts).get("control", "")
        other = next((g.policy.name for g in grammars if g.policy.name != parsed.mark.policy and _knows(g, item)), "")
        two = finding.rule == "unknown-control" and other
        facts = (("control", item), ("policy", other))
        findings.append(replace(finding, rule="two-policies", facts=facts) if two else finding)
    return Parsed(parsed.mark, tuple(findings))


def _knows(grammar: Grammar, item: str) -> bool:
    vocabulary = grammar.vocabulary
    return item in vocabulary.levels["any"] or item in vocabulary.items["any"]


def _moved(finding: Finding, by: int) -> Finding:
    return replace(finding, start=finding.start + by, end=finding.end + by) if by else finding
