"""Findings as comments on the lines of a document, in words. The document's own words are left as they are."""

from __future__ import annotations

from collections import Counter

from casemate.cli.labels_texts import Text
from casemate.cli.labels_told import message
from casemate.cli.tongue import t
from casemate.labels import Finding, Linted

__all__ = ["commented"]

_EDGES = ("header", "footer")


def commented(text: Text, linted: Linted) -> list[tuple[str, int, str]]:
    """For each finding: its line, which of the body's equal lines that is (-1: of none), the words."""
    which = _which(text)
    told: list[tuple[str, int, str]] = []
    for finding in linted.findings:
        number, _ = text.lines.at(finding.start)
        line = text.lines.line(number)
        at = which.get(text.lines.starts[number - 1], -1)
        told.append((line, at, _words(finding, line if at < 0 else "")))
    return told


def _words(finding: Finding, line: str) -> str:
    quoted = f" “{line}”" if line else ""
    said = f"Casemate · {finding.rule}{quoted}: {message(finding)}"
    source = f" [{finding.paragraph}]" if finding.paragraph else ""
    written = finding.fix.strip() if finding.fix else ""
    return f"{said}{source}" + (f"\nCasemate · {t('labels.write', fix=written)}" if written else "")


def _which(text: Text) -> dict[int, int]:
    """For each line of the body, by its place: how many equal ones stand before it."""
    counted: Counter[str] = Counter()
    found: dict[int, int] = {}
    ends = [*(each.start for each in text.paragraphs[1:]), len(text.text)]
    for paragraph, end in zip(text.paragraphs, ends, strict=True):
        at = paragraph.start
        for line in text.text[at:end].split("\n") if paragraph.kind not in _EDGES else ():
            if line:
                found[at] = counted[line]
                counted[line] += 1
            at += len(line) + 1
    return found
