"""How findings are told: for people with the line and a caret under it, for programs as data. Both say the same."""

from __future__ import annotations

from typing import Any

from casemate.cli.labels_texts import Text
from casemate.cli.table import width
from casemate.cli.talk import Talk
from casemate.cli.tongue import language, t
from casemate.labels import Finding, Linted, Policies
from casemate.words import say

__all__ = ["data", "helped", "lines", "message", "shown", "where"]

_AROUND = 60  # characters of a line before and after what is wrong with it


def message(finding: Finding) -> str:
    """What is wrong, in a sentence of the language of this run."""
    return say(f"labels.rule.{finding.rule}.says", language(), **dict(finding.facts))


def helped(rule: str) -> str:
    """What to do about findings of a rule."""
    return say(f"labels.rule.{rule}.help", language())


def where(text: Text, finding: Finding) -> dict[str, int]:
    """Line and column of a text, page and paragraph of a document; all from 1."""
    paragraph = text.paragraph(finding.start)
    if paragraph is not None:
        return {"page": paragraph.page, "paragraph": paragraph.number}
    (line, column), (end_line, end_column) = text.lines.at(finding.start), text.lines.at(finding.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def data(text: Text, linted: Linted, policies: Policies) -> dict[str, Any]:
    """A text's findings and its banner, as `--json` gives them."""
    rolled = linted.rolled
    return {
        "path": text.path,
        "part": text.key,
        "policy": linted.policy,
        "label": rolled.label.text if rolled else "",
        "banner": linted.banner,
        "banners": len(linted.banners),
        "portions": len(linted.portions),
        "unmarked": len(linted.unmarked),
        "findings": [_finding(text, finding, policies) for finding in linted.findings],
    }


def _finding(text: Text, finding: Finding, policies: Policies) -> dict[str, Any]:
    del policies
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": message(finding),
        "source": finding.paragraph,
        "start": finding.start,
        "end": finding.end,
        **where(text, finding),
        "text": text.text[finding.start : finding.end],
        "facts": dict(finding.facts),
        "fix": finding.fix,
    }


def lines(talk: Talk, text: Text, linted: Linted) -> list[str]:
    """A text's findings, each with its line; nothing where there are none."""
    told: list[str] = []
    for finding in linted.findings:
        severity = t(f"labels.severity.{finding.severity}")
        loud = talk.lit(severity) if finding.severity != "note" else talk.dim(severity)
        source = f" [{finding.paragraph}]" if finding.paragraph else ""
        told.append(f"{_place(text, finding)}: {loud} {talk.bold(finding.rule)}: {shown(message(finding))}{source}")
        told += [f"    {line}" for line in _pointed(text, finding)]
        if finding.fix is not None and finding.fix.strip():
            told.append(f"    {t('labels.write', fix=shown(finding.fix.strip()))}")
    return told


def _place(text: Text, finding: Finding) -> str:
    at = where(text, finding)
    if "line" in at:
        return f"{shown(text.name)}:{at['line']}:{at['column']}"
    return f"{shown(text.name)}: {t('labels.place', page=at['page'], paragraph=at['paragraph'])}"


def _pointed(text: Text, finding: Finding) -> list[str]:
    """The line of a finding, and a caret under each character that it is about."""
    number, column = text.lines.at(finding.start)
    line = text.lines.line(number)
    first, last = column - 1, min(len(line), column - 1 + finding.end - finding.start)
    begin, end = max(0, first - _AROUND), min(len(line), max(last, first) + _AROUND)
    if last - first > 2 * _AROUND:
        last = first + 2 * _AROUND
        end = last
    before, inside, after = (shown(line[a:b]) for a, b in ((begin, first), (first, last), (last, end)))
    lead, tail = "…" if begin else "", "…" if end < len(line) else ""
    carets = "^" * max(1, width(inside))
    return [f"{lead}{before}{inside}{after}{tail}".rstrip(), " " * width(lead + before) + carets]


def shown(text: str) -> str:
    """A stranger's words as a terminal may show them: what cannot be seen is named."""
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in text)
