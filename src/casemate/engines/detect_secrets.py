"""More forms of secrets, by the package detect-secrets (Apache-2.0), where it is installed (`casemate[secrets]`).

Its plug-ins' expressions alone are used, text by text. Its scanner is not: that one asks vendors over the network
whether a secret is real.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

from casemate.models.inspectors import Finding, What

__all__ = ["DetectSecrets"]

# What the house finds itself, with the whole of it; and what is no secret.
_NOT = frozenset({"Private Key", "JSON Web Token", "Public IP (ipv4)", "Secret Keyword"})


class DetectSecrets:
    """Implements `models.Inspector`."""

    name = "detect-secrets"
    kind: What = "secret"

    def __init__(self) -> None:
        found: dict[str, Any] = get_mapping_from_secret_type_to_class()
        self._plugins = [
            (name.lower().replace(" ", "-"), plugin())
            for name, plugin in sorted(found.items())
            if issubclass(plugin, RegexBasedDetector) and name not in _NOT
        ]

    def look(self, texts: Sequence[str]) -> list[Finding]:
        """What it found, text by text. An expression is given one line at a time, as it was written for."""
        return [finding for place, text in enumerate(texts) for finding in self._in(place, text)]

    def _in(self, place: int, text: str) -> Iterator[Finding]:
        start = 0
        for line in text.splitlines(keepends=True):
            for rule, plugin in self._plugins:
                for secret in {value for value in plugin.analyze_string(line) if value}:
                    at = line.find(secret)
                    yield Finding("secret", rule, place, start + at, start + at + len(secret))
            start += len(line)
