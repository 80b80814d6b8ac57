"""Findings as SARIF 2.1.0 (OASIS standard, 27 March 2020): what editors and code hosts read. Nothing is looked up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from casemate import __version__
from casemate.cli.files import Skipped
from casemate.cli.labels_texts import STDIN, Text
from casemate.cli.labels_told import helped, message, where
from casemate.cli.tongue import language
from casemate.labels import Finding, Linted
from casemate.words import say

__all__ = ["sarif"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
Seen = tuple[Text, Linted]


def sarif(seen: Sequence[Seen], unread: Sequence[Skipped]) -> dict[str, Any]:
    """The log of one run: every rule that was broken, each finding with its place and fix, and what was not read."""
    rules = sorted({finding.rule: finding for _, linted in seen for finding in linted.findings}.items())
    places = {rule: number for number, (rule, _) in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "Casemate labels",
                "semanticVersion": __version__,
                "version": __version__,
                "language": language(),
                "rules": [_rule(finding) for _, finding in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {"executionSuccessful": not unread, "toolExecutionNotifications": [_unread(each) for each in unread]}
        ],
        "results": [_result(text, each, places[each.rule]) for text, linted in seen for each in linted.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> dict[str, Any]:
    told = {"text": helped(finding.rule)}
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": say(f"labels.rule.{finding.rule}.title", language())},
        "fullDescription": told,
        "help": told,
        "defaultConfiguration": {"level": finding.severity},
    }
    return rule


def _result(text: Text, finding: Finding, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.severity,
        "message": {"text": message(finding)},
        "locations": [_location(text, finding)],
        "partialFingerprints": {"casemateFinding/v1": _print(text, finding)},
    }
    if finding.paragraph:
        result["properties"] = {"source": finding.paragraph}
    if finding.fix is not None and not text.paragraphs:
        replacement = {"deletedRegion": _region(text, finding), "insertedContent": {"text": finding.fix}}
        change = {"artifactLocation": _artifact(text), "replacements": [replacement]}
        result["fixes"] = [{"description": {"text": helped(finding.rule)}, "artifactChanges": [change]}]
    return result


def _location(text: Text, finding: Finding) -> dict[str, Any]:
    """A region of a text file; of a document, the page and paragraph by name, since its bytes are no text."""
    physical: dict[str, Any] = {"artifactLocation": _artifact(text)}
    if not text.paragraphs:
        return {"physicalLocation": physical | {"region": _region(text, finding)}}
    at = where(text, finding)
    name = f"{text.key}{'/' if text.key else ''}page {at['page']}/paragraph {at['paragraph']}"
    return {"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": name, "kind": "element"}]}


def _region(text: Text, finding: Finding) -> dict[str, Any]:
    at = where(text, finding)
    return {
        "startLine": at["line"],
        "startColumn": at["column"],
        "endLine": at["end_line"],
        "endColumn": at["end_column"],
        "charOffset": finding.start,
        "charLength": finding.end - finding.start,
    }


def _artifact(text: Text) -> dict[str, str]:
    """A URI reference: relative as the file was named, absolute where it was named so (section 3.4)."""
    if text.path == STDIN:
        return {"uri": "stdin"}
    path = PurePath(text.path)
    return {"uri": path.as_uri() if path.is_absolute() else quote(path.as_posix())}


def _unread(skipped: Skipped) -> dict[str, Any]:
    return {"level": "error", "message": {"text": f"{skipped.path}: {skipped.reason}"}}


def _print(text: Text, finding: Finding) -> str:
    """The same finding tomorrow, though lines above it have come and gone (section 3.27.17)."""
    words = text.text[finding.start : finding.end]
    said = "\0".join((finding.rule, words, *(f"{name}={value}" for name, value in finding.facts)))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]
