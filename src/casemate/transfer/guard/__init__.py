"""The guard: what may cross is made anew on one side and read again on the other by a parser that shares nothing.

    raw ──▶ make (a parser, a writer) ──▶ canonical bytes ──▶ check (another parser, another writer) ──▶ the same bytes

Only formats that can be written anew cross: text, CSV and JSON by a schema, PNG from its pixels, safetensors, a
tokenizer's JSON; a PDF becomes text before. Everything else is refused with the rule that says why. Outward the
guard is much stricter than inward. It decides nothing about labels, and it never repairs what the two do not agree on.
"""

from __future__ import annotations

from casemate.transfer.guard.agree import Asked, agreed, judge
from casemate.transfer.guard.formats import claimed, format_of, may_cross, refused_by
from casemate.transfer.guard.names import Member, safe_names
from casemate.transfer.guard.profile import FORMATS, INWARD, OUTWARD, Direction, Format, Profile, profile_of
from casemate.transfer.guard.schema import SCHEMA, Schema, read_schema
from casemate.transfer.guard.verdict import RULES, Verdict, held

__all__ = [
    "FORMATS",
    "INWARD",
    "OUTWARD",
    "RULES",
    "SCHEMA",
    "Asked",
    "Direction",
    "Format",
    "Member",
    "Profile",
    "Schema",
    "Verdict",
    "agreed",
    "claimed",
    "format_of",
    "held",
    "judge",
    "may_cross",
    "profile_of",
    "read_schema",
    "refused_by",
    "safe_names",
]
