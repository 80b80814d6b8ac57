"""Roll-up: the label and the banner of a whole from its parts.

Two things, and they are kept apart. The label is the join: it never loses anything, and it governs. The banner is how
the whole is marked, by the rules of each policy's source, and is not monotone: FOUO and EXDIS are evicted, NOFORN takes
the place of every release. So a banner is rolled up from portions and never from banners, and no label is read off it
where the portions are at hand. What the banner leaves unwritten lies in the label; in level, SCI, SAR, AEA, FGI and
release the banner itself never lies below the join.

A document's own banner is asked, never believed: what it says and no portion gives is unfounded, unless a reason of
compilation is stated (D.2; 32 CFR 2001.13(c)). The label holds it all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.label import Element, Label, make_label
from casemate.labels.listed import Policies
from casemate.labels.mark import Mark
from casemate.labels.marking import ordered
from casemate.labels.policy import Policy
from casemate.labels.projection import Projection
from casemate.labels.rollup.plain import plain
from casemate.labels.rollup.reason import Reason, Rolled
from casemate.labels.rollup.rules import rules
from casemate.labels.rollup.stated import differences
from casemate.labels.rollup.us import banner, resolved

__all__ = ["roll_up", "rollup"]

US = "us"
_Portions = Mapping[Mark, Sequence[int]]
_Elements = Mapping[str, Element]


def rollup(labels: Iterable[Label], floor: Label) -> Label:
    """The join of `floor` and all `labels`: never below any portion, whatever its banner will look like."""
    return reduce(or_, labels, floor)


def roll_up(
    policies: Policies,
    marks: Sequence[Mark],
    *,
    stated: Sequence[Mark] = (),
    compilation: str = "",
    recent: bool = False,
) -> Rolled:
    """The banner over portions that bear these marks, policy by policy, with its label and the reasons.

    `stated`: the banner that the document bears, a mark per policy; "REL" in a portion means what it says. Where it is
    above its portions it is followed only if `compilation` states why. `recent`: the portions without a release marking
    are of 28 June 2010 or later (Table 3, row 17). MarkingError if a mark is of a policy that is not listed.
    """
    said = {mark.policy: mark for mark in stated}
    weighed: dict[str, dict[Mark, list[int]]] = {}
    for index, mark in enumerate(marks):
        weighed.setdefault(mark.policy, {}).setdefault(mark, []).append(index)
    for name in [*weighed, *said]:
        if name not in policies.listed:
            raise MarkingError(marking=shown(name), why="a policy that is not listed here")
    project = Projection(policies.listed)
    known: dict[Mark, _Elements] = {mark: project.understood(mark)[0] for mark in stated}
    banners, reasons, left = list[Mark](), list[Reason](), list[tuple[Mark, Mark]]()
    for name, policy in policies.listed.items():
        own = said.get(name)
        if name in weighed or (own is not None and compilation):
            portions = _resolved(weighed.get(name, {}), own)
            known |= {mark: project.understood(mark)[0] for mark in portions}
            found, why = _rolled(policy, portions, known, own if compilation else None, recent=recent)
            left += _left(weighed.get(name, {}), own)
            banners.append(found)
            reasons += why + (differences(policy, own, found) if own is not None else [])
    return Rolled(tuple(banners), _label(known.values()), tuple(reasons), tuple(left))


def _resolved(weighed: Mapping[Mark, list[int]], stated: Mark | None) -> _Portions:
    """The portions of one policy, with what they leave to the banner."""
    found: dict[Mark, list[int]] = {}
    for mark, at in weighed.items():
        found.setdefault(resolved(mark, stated), []).extend(at)
    return found


def _left(weighed: Iterable[Mark], stated: Mark | None) -> list[tuple[Mark, Mark]]:
    """The marks to which the banner adds something, each with what it says then."""
    said = [(mark, resolved(mark, stated)) for mark in weighed]
    return [(mark, meant) for mark, meant in said if meant != resolved(mark, None)]


def _rolled(
    policy: Policy, portions: _Portions, known: Mapping[Mark, _Elements], above: Mark | None, *, recent: bool
) -> tuple[Mark, list[Reason]]:
    """The banner of one policy. `above`: the stated banner of a compilation, which counts like one more portion."""
    if above is not None:
        alone = _rolled(policy, portions, known, None, recent=recent)[0] if portions else None
        every = dict(portions) | {above: portions.get(above, ())}
        found, reasons = _rolled(policy, every, known, None, recent=recent)
        paragraph = rules().paragraphs["compilation"] if policy.name == US else policy.source
        more = [each for each in differences(policy, found, alone) if each.effect == "unfounded"]
        return found, reasons + [Reason("compilation", "put", e.control, paragraph, (), policy.name) for e in more]
    if policy.name == US:
        found, reasons = banner(portions, tuple(policy.by_name), policy.by_name["REL"].expand, recent=recent)
        return ordered(policy, found), reasons
    return plain(policy, portions, [known[mark].get(policy.name, policy.bottom) for mark in portions])


def _label(known: Iterable[_Elements]) -> Label:
    """The join of what every mark says."""
    several: dict[str, list[Element]] = {}
    for elements in known:
        for name, element in elements.items():
            several.setdefault(name, []).append(element)
    return make_label({name: reduce(Element.join, dict.fromkeys(each)) for name, each in several.items()})
