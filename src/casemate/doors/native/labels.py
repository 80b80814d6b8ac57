"""Markings: what is wrong with those of a text, and what they roll up to. The text is looked at and nothing is kept.

What a text says by its marks is held to the acting label like any other request: a text that is marked above it is
refused, because its answer would quote it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import TooLarge
from casemate.labels import Finding, Lines, Linted, Policies, lint
from casemate.policy import Action, Refuse
from casemate.words import say

__all__ = ["LONGEST", "LintRequest", "routes"]

LONGEST = 1 << 18
"""Characters of a text. The command line reads larger ones."""
_LONG = 1 << 15  # characters: what is longer is looked at beside the loop that serves everybody


class LintRequest(msgspec.Struct, frozen=True):
    """A text with its marks, as somebody pastes it."""

    text: str = ""


def routes(rooms: Rooms) -> list[Route]:
    """The one route of this noun."""
    del rooms
    take = Action("lint", "label")
    return [Route("POST", "/api/labels/lint", "native", take, _lint, takes=LintRequest, gives=dict[str, Any])]


async def _lint(call: Call) -> Reply:
    """Findings with their places, the banner that the text should bear, and the reasons."""
    request: LintRequest = call.body
    flow, policies = call.flow, call.gate.vault.region.policies
    if len(request.text) > LONGEST:
        raise TooLarge(what="text", limit=LONGEST)
    text = request.text.replace("\r\n", "\n")  # as a browser sends what was typed with a line's end alone
    linted = await flow.beside(lint, policies, text) if len(text) > _LONG else lint(policies, text)
    rolled = linted.rolled
    label = flow.floor | rolled.label if rolled else flow.floor
    if not label <= flow.acting:
        await flow.refuse(Refuse("mark-above", {"mark": policies.banner(label, flow.session.language)}))
    told = _told(policies, linted, text, flow.session.language) | {"rolled": marked(flow, label) if rolled else None}
    counted = {"findings": len(linted.findings), "portions": len(linted.portions)}
    return Reply(reply(flow, told).body, facts=counted, secret=True)


def _told(policies: Policies, linted: Linted, text: str, language: str) -> dict[str, Any]:
    lines = Lines(text)
    policy = policies.listed.get(linted.policy)
    return {
        "policy": policy.title.get(language, policy.title["en"]) if policy else "",
        "ok": linted.ok,
        "banner": linted.banner,
        "banners": len(linted.banners),
        "portions": len(linted.portions),
        "unmarked": len(linted.unmarked),
        "findings": [_finding(each, lines, language) for each in linted.findings],
        "reasons": [
            {
                "effect": why.effect,
                "control": why.control,
                "said": say(f"labels.rollup.{why.rule}", language, control=why.control),
                "source": why.paragraph,
            }
            for why in (linted.rolled.reasons if linted.rolled else ())
        ],
    }


def _finding(finding: Finding, lines: Lines, language: str) -> dict[str, Any]:
    line, column = lines.at(finding.start)
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "line": line,
        "column": column,
        "start": finding.start,
        "end": finding.end,
        "text": _seen(lines.text[finding.start : finding.end]),
        "message": _seen(say(f"labels.rule.{finding.rule}.says", language, **dict(finding.facts))),
        "source": finding.paragraph,
        "fix": finding.fix,
    }


def _seen(words: str) -> str:
    """What cannot be seen, by its number: a reader is to find it."""
    return "".join(c if c.isprintable() or c == "\n" else f"<U+{ord(c):04X}>" for c in words)[:400]
