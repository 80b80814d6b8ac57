"""Foreign disclosure and release in the roll-up of the policy `us`: from what portions say to what the banner says.

The law is one sentence: the banner says of the whole only what every portion that counts says of itself. A list is what
all lists have in common; what is releasable is also disclosable (row 26); RELIDO stands if it stands everywhere; if
nothing is left, NOFORN. The rows of Table 3 are its consequences, and tell the reason.

Which portions count: all that are classified or bear a release marking. An unclassified one without either never counts
(H.1); with a control of the intelligence community it is considered RELIDO (H.1, example 3), with another's it counts
as NOFORN (H.6, H.8 DSEN, H.9), both only if some portion bears a release marking (B.3, paragraph i).

It must never release more than one of the portions does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casemate.labels.rollup.reason import Reason
from casemate.labels.rollup.rules import Rules
from casemate.labels.rollup.scenario import OWNER, SILENT, Groups, Portion, common, members
from casemate.labels.rollup.telling import Telling

__all__ = ["Release", "release"]

_ROW_17 = frozenset({"RELIDO", "unmarked", "free", "considered"})


@dataclass(frozen=True, slots=True)
class Release:
    """What the banner says: the tokens of REL, EYES and DISPLAY with the owner where it is written, and of DISSEM."""

    kind: str
    values: Mapping[str, frozenset[str]]
    reasons: tuple[Reason, ...]


def release(
    portions: Sequence[Portion],
    borne: Mapping[str, Sequence[int]],
    rules: Rules,
    groups: Groups,
    *,
    classified: bool,
    recent: bool,
) -> Release:
    """What the banner says, and why. `borne`: the portions that bear each token; `groups`: members by tetragraph.

    `recent`: whether the unmarked portions are known to be of 28 June 2010 or later (row 17, Table 2).
    """
    kinds: dict[str, list[Portion]] = {}
    for each in portions:
        kinds.setdefault(each[0].kind, []).append(each)
    folded = not rules.folded.keys().isdisjoint(kinds)
    marked = [each for kind in kinds.keys() - SILENT - rules.folded.keys() for each in kinds[kind]]
    shut = [each for each in rules.closed if (classified or not each.at) and not each.tokens.isdisjoint(borne)]
    if not marked and not (folded and (classified or shut or "unmarked" in kinds)):
        return Release("", {}, ())
    base, values = _base(kinds, groups, rules, recent=recent)
    kind = "NOFORN" if folded or shut else base
    told = Telling(rules, groups, kind, base, kinds)
    reasons = told.rows() + told.others() + told.closed(shut, borne) or told.carried()
    return Release(kind, values if kind == base else {}, tuple(reasons + told.taken()))


def _base(
    kinds: Mapping[str, list[Portion]], groups: Groups, rules: Rules, *, recent: bool
) -> tuple[str, Mapping[str, frozenset[str]]]:
    """The kind of release marking and its lists, of the portions whose control does not say NOFORN in itself."""
    counting = [each for kind in kinds if kind != "free" and kind not in rules.folded for each, _ in kinds[kind]]
    if not counting or "NF" in kinds or "withheld" in kinds:
        return "NOFORN", {}
    if "unmarked" in kinds:
        uncaveated = recent and not any(each.caveated for each, _ in kinds["unmarked"])
        return ("RELIDO" if uncaveated and kinds.keys() <= _ROW_17 else "NOFORN"), {}
    released = common((each.release for each in counting), groups)
    disclosed = common((each.disclosure for each in counting), groups)
    values: dict[str, frozenset[str]] = {}
    if released:
        listing = "EYES" if all(each.kind.startswith("EYES") for each in counting) else "REL"
        values[listing] = released | {OWNER}
    said = list(values)
    if all(each.relido for each in counting):
        said.append("RELIDO")
    more = frozenset(
        token for token in disclosed if not members(frozenset({token}), groups) <= members(released, groups)
    )
    if more:
        said.append("DISPLAY")
        values["DISPLAY"] = more
    return "/".join(said) or "NOFORN", values
