"""Attempts lie where other users may walk through."""

from __future__ import annotations

from tests.attacks.conftest import outside

__all__ = ["outside"]
