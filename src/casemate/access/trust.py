"""Whom outside this region admission believes: a port, since keys and lists change while the region runs.

Wiring reads the files that casemate.toml names; the default believes nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from casemate.crypto.chain import Anchors
from casemate.crypto.foreign import PublicKey
from casemate.identity.token import Provider
from casemate.labels import Label

__all__ = ["NOBODY", "Authority", "Trust"]


@dataclass(frozen=True, slots=True)
class Authority:
    """A named attribute authority: its key, and the most that it may say of anybody."""

    name: str
    key: PublicKey = field(repr=False)
    fingerprint: str
    ceiling: Label
    roles: frozenset[str]


class Trust(Protocol):
    """Asked at each admission; it answers from memory, without a network."""

    def provider(self, issuer: str) -> Provider | None:
        """The sign-in provider of that issuer, with its keys as they are known now."""
        ...

    def authorities(self) -> Mapping[str, Authority]:
        """Attribute authorities by name."""
        ...

    def anchors(self) -> Anchors | None:
        """The authorities of clients' certificates; None where no certificate is believed."""
        ...


class _Nobody:
    def provider(self, issuer: str) -> Provider | None:
        del issuer
        return None

    def authorities(self) -> Mapping[str, Authority]:
        return {}

    def anchors(self) -> Anchors | None:
        return None


NOBODY: Trust = _Nobody()
