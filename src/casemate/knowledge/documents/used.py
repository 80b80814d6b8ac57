"""Whose words a request gives: its entry names them, so that it is known who saw what (`custody`)."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.access import Flow
from casemate.knowledge.documents.document import PART
from casemate.labels import Label
from casemate.objects import Ref

__all__ = ["use"]


def use(flow: Flow, pieces: Iterable[tuple[str, Label]]) -> None:
    """Something of these documents, each at a label, is in what the caller is given."""
    flow.use(*(Ref(PART.name, document, flow.gate.classes.of(label).id) for document, label in pieces))
