"""The one opening of an envelope. Only `casemate.access` may import this file (a contract of import-linter)."""

from __future__ import annotations

from typing import TypeVar

from casemate.errors import CasemateError, Internal
from casemate.labels.labelled import Failure, Labelled

__all__ = ["LabelledFailure", "unseal"]

T = TypeVar("T")


class LabelledFailure(Exception):
    """A computation inside an envelope failed.

    `error` is what to tell if it may be told at that label: a fresh copy of our own error, or Internal. `kind` is the
    name of the exception's type.
    """

    def __init__(self, kind: str, error: CasemateError) -> None:
        super().__init__(kind)
        self.kind = kind
        self.error = error


def unseal(labelled: Labelled[T]) -> T:
    """The value; LabelledFailure, without cause or context, if the envelope holds a failure."""
    value = labelled._value
    if isinstance(value, Failure):
        raise LabelledFailure(value.kind, value.error or Internal()) from None
    return value
