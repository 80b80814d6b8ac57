"""What one portion mark says of foreign disclosure and release, in the scenarios of Table 3.

It must never make a portion more open than its mark: what contradicts itself says NOFORN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from casemate.labels.mark import Mark
from casemate.labels.rollup.rules import Rules

__all__ = ["OWNER", "SILENT", "Groups", "Portion", "Scenario", "common", "indices", "members", "scenario"]

OWNER = "USA"
SILENT = frozenset({"free", "considered", "withheld", "unmarked"})  # scenarios without a release marking
_CAVEATS = frozenset(
    {"AEA", "SAR", "NONIC"}
)  # with DISSEM, what makes a portion caveated (B.3, paragraph b); SCI does not
Groups = Mapping[str, frozenset[str]]  # the members of tetragraphs, the owner perhaps among them


@dataclass(frozen=True, slots=True)
class Scenario:
    """What one portion says of release. `kind` is its scenario in the words of Table 3.

    "free" does not count; "considered" (RELIDO) and "withheld" (NOFORN) count once another bears a release marking.
    """

    kind: str
    release: frozenset[str] | None = None  # the countries and groups of REL TO or EYES ONLY, without the owner
    disclosure: frozenset[str] | None = None  # these and those of DISPLAY ONLY
    relido: bool = False
    caveated: bool = False  # of an unmarked portion: Table 2 gives NOFORN, whatever its date
    contradicts: bool = False


# Most scenarios say nothing of their own, and each is made once.
_NF, _CONTRADICTION = Scenario("NF"), Scenario("NF", contradicts=True)
_FREE, _WITHHELD, _CONSIDERED = Scenario("free"), Scenario("withheld"), Scenario("considered", relido=True)
_UNCAVEATED, _CAVEATED, _RELIDO = (
    Scenario("unmarked"),
    Scenario("unmarked", caveated=True),
    Scenario("RELIDO", relido=True),
)

Portion = tuple[Scenario, Sequence[int]]  # with the indices of the portions that say so


def scenario(mark: Mark, rules: Rules) -> Scenario:
    """What a portion mark says of release."""
    values = dict(mark.values)
    dissem = values.get("DISSEM", ())
    rel, eyes, display = values.get("REL"), values.get("EYES"), values.get("DISPLAY")
    relido = "RELIDO" in dissem
    listed = bool(rel or eyes or display)
    folded = [token for token in values.get("NONIC", ()) if token in rules.folded]
    if folded or "NOFORN" in dissem:
        if listed or relido:
            return _CONTRADICTION
        return _NF if "NOFORN" in dissem else Scenario(folded[0])
    if not listed:
        return _RELIDO if relido else _unmarked(mark, values, dissem, rules)
    if (rel and eyes) or (display and relido):
        return _CONTRADICTION
    release = frozenset(rel or eyes or ()) - {OWNER} if rel or eyes else None
    disclosure = (release or frozenset()).union(display) if display else release
    kind = ("REL" if rel else "EYES" if eyes else "") + "/RELIDO" * relido + "/DISPLAY" * bool(display)
    return Scenario(kind.lstrip("/"), release, disclosure, relido)


def _unmarked(mark: Mark, values: Mapping[str, Sequence[str]], dissem: Sequence[str], rules: Rules) -> Scenario:
    foreign = bool(mark.owners) or "FGI" in values
    caveated = bool(dissem) or foreign or not _CAVEATS.isdisjoint(values)
    if foreign or mark.level != rules.levels[0]:
        return _CAVEATED if caveated else _UNCAVEATED
    if not caveated:
        return _FREE
    for each in rules.withheld:
        if not each.categories.isdisjoint(values) or any(not each.tokens.isdisjoint(t) for t in values.values()):
            return _WITHHELD
    return _CONSIDERED


def members(tokens: frozenset[str], groups: Groups) -> frozenset[str]:
    """The tokens with their groups expanded, without the owner."""
    if groups.keys().isdisjoint(tokens):
        return tokens - {OWNER}
    return frozenset[str]().union(*(groups.get(token, (token,)) for token in tokens)) - {OWNER}


def common(lists: Iterable[frozenset[str] | None], groups: Groups) -> frozenset[str]:
    """What all lists say: the tokens that stand in all, and beside them the common members of groups."""
    said = set(lists)
    if None in said:
        return frozenset()
    every = [each for each in said if each is not None]
    tokens = frozenset.intersection(*every)
    if len(every) == 1:
        return tokens
    shared = frozenset.intersection(*(members(each, groups) for each in every))
    return tokens | (shared - members(tokens, groups))


def indices(portions: Iterable[Portion]) -> tuple[int, ...]:
    """All portions that these stand for."""
    return tuple(sorted({index for _, at in portions for index in at}))
