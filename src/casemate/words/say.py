"""The catalogues: read once from the package, never from outside."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

__all__ = ["LANGUAGES", "language_of", "say", "sentences"]

LANGUAGES = ("en", "fr")


class _Facts(dict[str, object]):
    """A fact that a sentence wants and nobody gave shows as its name, never as an exception."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


@cache
def sentences(language: str) -> dict[str, Any]:
    """All sentences of a language, flattened to dotted slugs; two catalogues may not define the same slug."""
    found: dict[str, Any] = {}
    for file in sorted(resources.files("casemate.words").joinpath("catalogue").iterdir(), key=lambda f: f.name):
        if file.name.endswith(f".{language}.toml"):
            _flatten("", tomllib.loads(file.read_text(encoding="utf-8")), found)
    return found


def _flatten(prefix: str, table: dict[str, Any], into: dict[str, Any]) -> None:
    for name, value in table.items():
        slug = f"{prefix}{name}"
        if isinstance(value, dict):
            _flatten(f"{slug}.", value, into)
        elif slug in into:
            raise ValueError(f"two sentences for {slug}")
        else:
            into[slug] = value


def say(slug: str, language: str = "en", **facts: object) -> str:
    """The sentence of that slug, filled. An unknown language falls back to English; an unknown slug is a defect."""
    table = sentences(language if language in LANGUAGES else "en")
    return str(table[slug]).format_map(_Facts(facts))


def language_of(accept: str) -> str:
    """The best of our languages for an Accept-Language header or a LANG variable (RFC 9110 section 12.5.4)."""
    best, weight = "en", 0.0
    for part in accept.replace("_", "-").split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            rank = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag[:2].lower() in LANGUAGES and rank > weight:
            best, weight = tag[:2].lower(), rank
    return best
