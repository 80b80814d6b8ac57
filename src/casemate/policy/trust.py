"""Integrity: how far what a label has seen may be trusted to be right. Pure.

The policy `integrity` (Biba, ESD-TR-76-372, turned so that information flows up) is an order of its own beside who may
see what: its levels rise as trust falls, a label that does not name it is fully trusted, and what is made of two things
is as little trusted as the lesser of them. It must never open anything: to act at a trusted label is to see less.
"""

from __future__ import annotations

from casemate.labels import Label, make_label

__all__ = ["INTEGRITY", "distrust", "distrusting", "trusted"]

INTEGRITY = "integrity"


def distrust(label: Label) -> int:
    """How little one may trust what this label has seen: the level of its integrity, 0 where it says nothing."""
    return next((element.level for policy, element in label.elements if policy == INTEGRITY), 0)


def trusted(label: Label) -> Label:
    """The same, seeing only what is fully trusted."""
    kept = {policy: element for policy, element in label.elements if policy != INTEGRITY}
    return make_label(kept, label.agencies, label.needs) if len(kept) < len(label.elements) else label


def distrusting(label: Label, other: Label) -> Label:
    """The same, joined with the distrust of another label, and with nothing else of it."""
    found = {policy: element for policy, element in other.elements if policy == INTEGRITY}
    return label | make_label(found) if found else label
