"""What is stored, in the words that every room shares: kinds, references, changes and questions.

Pure values. A `Kind` stands beside the type that it stores; rooms hand changes to the gate, and the gate alone turns
them into sealed rows.
"""

from __future__ import annotations

from casemate.objects.change import Change, Delete, Put
from casemate.objects.kind import Kind, Ref
from casemate.objects.query import Found, Page, Where

__all__ = ["Change", "Delete", "Found", "Kind", "Page", "Put", "Ref", "Where"]
