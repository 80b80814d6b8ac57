"""Why the banner's release marking is what it is: the rows of Table 3 that apply, and the paragraphs beside it.

It only tells. What the banner says is decided by `rollup_release`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from casemate.labels.rollup.reason import Reason
from casemate.labels.rollup.rules import Closed, Row, Rules
from casemate.labels.rollup.scenario import SILENT, Groups, Portion, common, indices

__all__ = ["Telling"]


class Telling:
    """The reasons for one banner. `kind`: its release marking; `base`: that of the portions without SBU-NF, LES-NF."""

    def __init__(self, rules: Rules, groups: Groups, kind: str, base: str, kinds: Mapping[str, list[Portion]]) -> None:
        self._rules, self._groups, self._kind, self._kinds = rules, groups, kind, kinds
        self._marked = [each for name in kinds.keys() - SILENT - rules.folded.keys() for each in kinds[name]]
        opened = [each for each in self._marked if each[0].kind != "NF"]
        scenarios = dict(kinds) | {"marked": opened}
        scenarios["RELIDO"] = [*kinds.get("RELIDO", ()), *kinds.get("considered", ())]
        scenarios["REL group"] = [e for e in kinds.get("REL", ()) if not groups.keys().isdisjoint(e[0].release or ())]
        scenarios["mixture"] = opened if base == "NOFORN" and "NF" not in kinds else []
        self._scenarios = scenarios

    def rows(self) -> list[Reason]:
        """The rows that give this."""
        found = []
        for row in self._rules.rows.get(self._kind, ()):
            portions = self._scenarios.get(row.one, [])
            if row.other != row.one:
                others = self._scenarios.get(row.other, [])
                portions = portions + others if portions and others else []
            if self._applies(row, portions):
                found.append(Reason(row.rule, "put", self._kind, row.paragraph, indices(portions)))
        return found

    def _applies(self, row: Row, portions: list[Portion]) -> bool:
        distinct = {id(each): each for each in portions}  # a group is a list too
        if len(distinct) < 2 and sum(len(at) for _, at in distinct.values()) < 2:
            return False
        if row.common is None:
            return True
        released = row.lists == "disclosure" or bool(common((e.release for e, _ in portions), self._groups))
        disclosed = row.lists == "release" or bool(common((e.disclosure for e, _ in portions), self._groups))
        return (released and disclosed) == row.common

    def others(self) -> list[Reason]:
        """What the templates say beside the table."""
        found = [
            Reason("contradiction", "put", self._kind, self._rules.paragraphs["contradiction"], indices(wrong))
            for wrong in [[each for each in self._kinds.get("NF", ()) if each[0].contradicts]]
            if wrong
        ]
        for name, rule in (("considered", "considered"), ("withheld", "withheld")):
            if name in self._kinds:
                found.append(Reason(rule, "put", self._kind, self._rules.paragraphs[rule], indices(self._kinds[name])))
        if self._kind == "RELIDO" and "unmarked" in self._kinds:
            where = indices(self._kinds["unmarked"])
            found.append(Reason("recent", "put", self._kind, self._rules.paragraphs["recent"], where))
        return found

    def closed(self, shut: Iterable[Closed], borne: Mapping[str, Sequence[int]]) -> list[Reason]:
        """The controls beside which nothing is released."""
        return [
            Reason(
                "closed",
                "put",
                self._kind,
                each.paragraph,
                tuple(sorted({i for t in each.tokens for i in borne.get(t, ())})),
            )
            for each in shut
        ]

    def carried(self) -> list[Reason]:
        """No row speaks of these scenarios: what all portions say, or the most protective marking."""
        names = set(self._kind.split("/"))
        same = all(
            each.kind == "NF" if self._kind == "NOFORN" else names <= set(each.kind.split("/"))
            for each, _ in self._marked
        )
        rule = "carried" if same else "protective"
        return [Reason(rule, "put", self._kind, self._rules.paragraphs[rule], indices(self._marked))]

    def taken(self) -> list[Reason]:
        """The release markings of portions that the banner does not bear."""
        left = set(self._kind.split("/"))
        found = []
        for control in ("REL", "EYES", "RELIDO", "DISPLAY"):
            bearing = [each for each in self._marked if control in each[0].kind.split("/")]
            if bearing and control not in left:
                found.append(
                    Reason("protective", "taken", control, self._rules.paragraphs["protective"], indices(bearing))
                )
        return found
