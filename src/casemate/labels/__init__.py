"""labels: what information bears, and how it is written. Pure: it reads no clock, no network and no file but its own.

A `Label` is an element of a true lattice; a marking is a projection of it in the words of a policy, and policies are
data. `Labelled` is the envelope that everything which comes in by a door is put into; `labels.unseal` opens it and is
imported by `access` alone. Nothing here decides who may see what: that is `policy`, with the order that labels give.
"""

from __future__ import annotations

from casemate.labels.label import Element, Label, make_label
from casemate.labels.labelled import Labelled, combine, gather
from casemate.labels.listed import PACKAGED, Policies
from casemate.labels.partition import AccessClass, access_class
from casemate.labels.policy import Policy
from casemate.labels.reading import Reading
from casemate.labels.rollup import rollup

__all__ = [
    "PACKAGED",
    "AccessClass",
    "Element",
    "Label",
    "Labelled",
    "Policies",
    "Policy",
    "Reading",
    "access_class",
    "combine",
    "gather",
    "make_label",
    "rollup",
]
