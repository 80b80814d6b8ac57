"""The language of this run, chosen once, and the sentences of the command line in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from casemate.words import LANGUAGES, language_of, say

__all__ = ["choose", "language", "t", "told"]

_chosen = ["en"]  # one run, one language: click asks for help texts without a context


def language() -> str:
    """en or fr; English until somebody has chosen."""
    return _chosen[0]


def choose(args: Sequence[str], environ: Mapping[str, str] = os.environ) -> str:
    """Before anything is parsed, since help itself is spoken: `--language`, CASEMATE_LANGUAGE, or the locale."""
    _chosen[0] = _asked(args) or _of(environ)
    return _chosen[0]


def _asked(args: Sequence[str]) -> str:
    for place, word in enumerate(args):
        if word == "--":
            break
        name, _, value = word.partition("=")
        if name == "--language":
            value = value or (args[place + 1] if place + 1 < len(args) else "")
            return value if value in LANGUAGES else ""
    return ""


def _of(environ: Mapping[str, str]) -> str:
    """POSIX order for messages: LC_ALL, LC_MESSAGES, LANG (XBD 8.2), after our own variable."""
    for name in ("CASEMATE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return language_of(environ[name].partition(".")[0])
    return "en"


def t(slug: str, **facts: object) -> str:
    """The command line's sentence of that slug."""
    return say(f"cli.{slug}", _chosen[0], **facts)


def told(slug: str) -> str:
    """The sentence, or "" where there is none."""
    try:
        return t(slug)
    except KeyError:
        return ""
