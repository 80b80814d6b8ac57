"""labels: what information bears, and how it is written. Pure: it reads no clock, no network and no file but its own.

A `Label` is an element of a true lattice; a marking is a projection of it in the words of a policy, and policies are
data. `Labelled` is the envelope that everything which comes in by a door is put into; `labels.unseal` opens it and is
imported by `access` alone. Nothing here decides who may see what: that is `policy`, with the order that labels give.
"""

from __future__ import annotations

from casemate.labels.dominated import dominated
from casemate.labels.equivalence import Equated, Equivalence, equated, read_equivalences
from casemate.labels.label import Element, Label, make_label
from casemate.labels.labelled import Labelled, combine, gather
from casemate.labels.linter.fix import Fixed, fix
from casemate.labels.linter.lint import lint
from casemate.labels.linter.linted import Linted
from casemate.labels.linter.text import Lines
from casemate.labels.listed import PACKAGED, Policies
from casemate.labels.mark import Finding, Mark, Parsed
from casemate.labels.partition import AccessClass, access_class
from casemate.labels.policy import Control, Policy
from casemate.labels.reading import Reading
from casemate.labels.rollup.reason import Reason, Rolled
from casemate.labels.rollup.roll import roll_up, rollup
from casemate.labels.xml.authority import Authority, authority_of
from casemate.labels.xml.ism import from_ism, to_ism
from casemate.labels.xml.ism_document import Document, Portion, read_document, write_document
from casemate.labels.xml.stanag4774 import from_4774, to_4774

__all__ = [
    "PACKAGED",
    "AccessClass",
    "Authority",
    "Control",
    "Document",
    "Element",
    "Equated",
    "Equivalence",
    "Finding",
    "Fixed",
    "Label",
    "Labelled",
    "Lines",
    "Linted",
    "Mark",
    "Parsed",
    "Policies",
    "Policy",
    "Portion",
    "Reading",
    "Reason",
    "Rolled",
    "access_class",
    "authority_of",
    "combine",
    "dominated",
    "equated",
    "fix",
    "from_4774",
    "from_ism",
    "gather",
    "lint",
    "make_label",
    "read_document",
    "read_equivalences",
    "roll_up",
    "rollup",
    "to_4774",
    "to_ism",
    "write_document",
]
