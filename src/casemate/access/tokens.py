"""Admission by an access token of a sign-in provider (OIDC): who it names, and nothing that it claims of him."""

from __future__ import annotations

import hashlib

from casemate.access.vault import Vault
from casemate.identity.outsider import Outsider
from casemate.identity.token import verify

__all__ = ["named"]


def named(vault: Vault, token: str) -> tuple[str, tuple[Outsider, ...]]:
    """What a session's id is derived from, and whom the token names. Raises Unauthenticated, always the same."""
    outsider = verify(token, vault.trust.provider, vault.clock.now())
    return "tok_" + hashlib.sha384(token.encode()).hexdigest(), (outsider,)
