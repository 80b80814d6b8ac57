"""An error, told once (after RFC 9457); every door and the command line tell it from here."""

from __future__ import annotations

import msgspec

from casemate.errors import CasemateError, Refused
from casemate.words.say import say, sentences

__all__ = ["Problem", "problem"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What happened and what to do. `rule` is set on refusals; `label` is that of the telling itself."""

    slug: str
    status: int
    exit: int
    title: str
    detail: str
    remedy: str
    rule: str = ""
    label: str = ""
    entry: str = ""


def problem(error: CasemateError, language: str = "en", label: str = "", entry: str = "") -> Problem:
    """The one telling of an error in a language."""
    facts = error.facts
    rule = str(facts.get("rule", "")) if isinstance(error, Refused) else ""
    base = f"rules.{rule}" if rule and f"rules.{rule}.detail" in sentences("en") else f"errors.{error.slug}"
    return Problem(
        slug=error.slug,
        status=error.status,
        exit=error.exit,
        title=say(f"errors.{error.slug}.title", language),
        detail=say(f"{base}.detail", language, **facts),
        remedy=say(f"{base}.remedy", language, **facts),
        rule=rule,
        label=label,
        entry=entry,
    )
