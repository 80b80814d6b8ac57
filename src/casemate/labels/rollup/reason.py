"""What a roll-up gives: a banner for each policy, one label, and why every control stands in the banner or does not.

A reason must name the rule and the paragraph of the source that it follows, and the portions that it follows from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from casemate.labels.label import Label
from casemate.labels.mark import Mark

__all__ = ["Effect", "Reason", "Rolled"]

# put, taken: into the banner, out of it. unfounded: the document's own banner says it, and nothing gives it.
# missing: the document's own banner does not say it, and the portions give it.
Effect = Literal["put", "taken", "unfounded", "missing"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a control is in the banner, or is not. `portions` are indices into the marks that were rolled up."""

    rule: str
    effect: Effect
    control: str
    paragraph: str
    portions: tuple[int, ...] = ()
    policy: str = "us"


@dataclass(frozen=True, slots=True)
class Rolled:
    """The banner of a whole, one mark per policy in the order in which a region lists them, and its label.

    The label is the join of all portions and of the banner that the document bears: it loses nothing. The banner is
    a projection, and not a monotone one: FOUO is not written at SECRET, NODIS takes the place of EXDIS.
    """

    marks: tuple[Mark, ...]
    label: Label
    reasons: tuple[Reason, ...]
    left: tuple[tuple[Mark, Mark], ...] = ()  # what is left to the document's banner ("REL"), and what that makes of it

    def meant(self, portion: Mark) -> Mark:
        """A portion's mark under the document's banner: "REL" is to those that the banner names."""
        return next((said for mark, said in self.left if mark == portion), portion)

    @property
    def mark(self) -> Mark:
        """The banner of a document that speaks one policy; ValueError where it speaks several or none."""
        (mark,) = self.marks
        return mark
