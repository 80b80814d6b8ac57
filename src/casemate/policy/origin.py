"""Who must be asked before it is told on: the originators of what bears an originator control. Pure.

The marking is US ORCON ("further dissemination of ORCON information requires advance permission from the originator":
IC Markings System Register and Manual, 2016, Dissemination and Extraction of Information Controlled by Originator).
Whoever sees it may read it; to lend it outside the region, to export it, to release it downward or to put it into a
class without the control, every originator has to say yes.

A label already names its owning agencies and its controls, and both only grow where labels are joined. So the
originator rule of an access class is a function of its label, what was made of two sources asks the originators of
both, and no second record could be lost on the way. It must never be read as leave: it only says who is to be asked.
"""

from __future__ import annotations

from casemate.labels import Label

__all__ = ["originators"]

POLICY, CATEGORY = "us", "DISSEM"
CONTROLS = frozenset({"ORCON", "ORCON-USGOV"})


def originators(label: Label) -> frozenset[str]:
    """The agencies whose approval each re-release needs; empty where nobody has to be asked.

    Where it is controlled and nobody owns it, nobody can approve: then it is "" who would have to.
    """
    for policy, element in label.elements:
        if policy == POLICY:
            controlled = any(category == CATEGORY and token in CONTROLS for category, token in element.restrictive)
            return (label.agencies or frozenset({""})) if controlled else frozenset()
    return frozenset()
