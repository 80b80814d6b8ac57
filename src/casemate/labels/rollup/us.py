"""The banner of a document of the policy `us` from its portion marks: section D.2 of the manual and the templates of H.

The highest level; every control of every category, less what a rule takes out or writes elsewhere; the release marking
of `rollup_release`; the sources of what is another's. A portion of another owner keeps its own mark; the banner over it
is the United States' own, with FGI, unless all portions are of the same other owner or jointly owned by the same.

It must never write a level below that of a portion, nor leave out a compartment or a programme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from casemate.labels.mark import Mark
from casemate.labels.rollup.reason import Reason
from casemate.labels.rollup.release import release
from casemate.labels.rollup.rules import Rules, rules
from casemate.labels.rollup.scenario import OWNER, Groups, scenario

__all__ = ["CONCEALED", "JOINT", "SAME", "banner", "resolved"]

SAME = "SAME"  # "REL", "EYES": to those that the banner names
JOINT = "JOINT"  # "//JOINT S": owned by those that the banner names
CONCEALED = "FGI"
Weighed = Mapping[Mark, Sequence[int]]  # distinct marks, and the portions that bear each
Tokens = dict[str, dict[str, list[int]]]  # by category and token, the portions that bear it


def resolved(mark: Mark, stated: Mark | None) -> Mark:
    """The mark with what it leaves to the banner: nobody but the owner where the banner does not say."""
    if mark.owners != (JOINT,) and all(tokens != (SAME,) for _, tokens in mark.values):
        return mark
    values = []
    for category, tokens in mark.values:
        named = stated.of(category) if stated and tokens == (SAME,) else ()
        values.append((category, (named or (OWNER,)) if tokens == (SAME,) else tokens))
    owners = stated.owners if stated and mark.owners == (JOINT,) and OWNER in stated.owners else mark.owners
    return replace(mark, values=tuple(values), owners=owners)


def banner(weighed: Weighed, categories: Sequence[str], groups: Groups, *, recent: bool) -> tuple[Mark, list[Reason]]:
    """The banner over these marks, its tokens in no order yet, and the reasons. `categories`: in the policy's order."""
    manual, reasons = rules(), list[Reason]()
    borne: Tokens = {}
    repeated = {*manual.union, "FGI"}  # the lists of a release are weighed as wholes
    for mark, at in weighed.items():
        for category, tokens in mark.values:
            if category in repeated:
                held = borne.setdefault(category, {})
                for token in tokens:
                    held.setdefault(token, []).extend(at)
    owners = _owners(weighed)
    level = _level(weighed, owners, manual, reasons)
    kept = _controls(borne, level != manual.levels[0], manual, reasons)
    _sources(weighed, borne, owners, manual, kept, reasons)
    flat = {token: at for held in borne.values() for token, at in held.items()}
    portions = [(scenario(mark, manual), at) for mark, at in weighed.items()]
    given = release(portions, flat, manual, groups, classified=level != manual.levels[0], recent=recent)
    reasons += given.reasons
    kept |= {category: set(listed) for category, listed in given.values.items()}
    kept.setdefault("DISSEM", set()).update({"NOFORN", "RELIDO"} & set(given.kind.split("/")))
    if given.kind == "NOFORN":
        _fold(borne, kept, manual, reasons)
    values = tuple((name, tuple(kept[name])) for name in categories if kept.get(name))
    return Mark("us", level, values, owners), reasons


def _owners(weighed: Weighed) -> tuple[str, ...]:
    """Whose banner it is: another's, or a joint one, only if every portion is of the same owner or owners."""
    found = {mark.owners for mark in weighed}
    (owners,) = found if len(found) == 1 else ((),)
    alone = len(owners) == 1 and owners not in ((CONCEALED,), (JOINT,))
    return owners if alone or OWNER in owners else ()


def _level(weighed: Weighed, owners: tuple[str, ...], manual: Rules, reasons: list[Reason]) -> str:
    ranks = manual.levels
    level = max({mark.level for mark in weighed}, key=ranks.index)
    where = _sorted(index for mark, at in weighed.items() if mark.level == level for index in at)
    rule = "level"
    if level == ranks[1] and not owners:
        level, rule = manual.foreign_restricted, "foreign_restricted"
    reasons.append(Reason(rule, "put", level, manual.paragraphs[rule], where))
    return level


def _controls(borne: Tokens, classified: bool, manual: Rules, reasons: list[Reason]) -> dict[str, set[str]]:
    """Every control of the categories that are repeated, less those that a rule takes out."""
    said = {token for held in borne.values() for token in held}
    kept = {category: set(borne[category]) for category in manual.union if category in borne}
    kept.get("DISSEM", set[str]()).difference_update(("NOFORN", "RELIDO"))
    for move in manual.moved:
        for token in sorted(each for each in kept.get("AEA", ()) if each.startswith(move.before)):
            if not move.beside.isdisjoint(said):
                after, where = move.after + token.removeprefix(move.before), borne["AEA"][token]
                kept["AEA"].remove(token)
                kept["AEA"].add(after)
                borne["AEA"].setdefault(after, []).extend(where)
                reasons.append(Reason("moved", "taken", token, move.paragraph, _sorted(where)))
    controls = {category: set(tokens) for category, tokens in kept.items()}
    for rule in manual.taken:
        out = rule.tokens & controls.get(rule.category, set[str]())
        if out and (not rule.at or (rule.at == "classified") == classified):
            others = {token for name in rule.beside_any for token in controls.get(name, ())} - rule.tokens
            if rule.at or not rule.beside.isdisjoint(said) or others:
                kept[rule.category] -= out
                for token in sorted(out):
                    slug = rule.at or "superseded"
                    reasons.append(Reason(slug, "taken", token, rule.paragraph, _sorted(borne[rule.category][token])))
    reasons += [
        Reason("union", "put", token, manual.union[category], _sorted(borne[category][token]))
        for category, tokens in kept.items()
        for token in sorted(tokens)
    ]
    return kept


def _sources(
    weighed: Weighed,
    borne: Tokens,
    owners: tuple[str, ...],
    manual: Rules,
    kept: dict[str, set[str]],
    reasons: list[Reason],
) -> None:
    """FGI: the sources that the portions name, or nothing but FGI if one of them conceals its own."""
    sources = {token: list(at) for token, at in borne.get("FGI", {}).items()}
    for mark, at in weighed.items():
        for owner in mark.owners:
            if owner != OWNER and owner not in owners:
                sources.setdefault(CONCEALED if owner == JOINT else owner, []).extend(at)
    if not sources:
        return
    if CONCEALED in sources and len(sources) > 1:
        paragraph, named = manual.paragraphs["concealed"], sorted(sources.keys() - {CONCEALED})
        reasons += [Reason("concealed", "taken", token, paragraph, _sorted(sources[token])) for token in named]
        sources = {CONCEALED: sources[CONCEALED]}
    kept["FGI"] = set(sources)
    for token in sorted(sources):
        rule = "concealed" if token == CONCEALED else "fgi"
        reasons.append(Reason(rule, "put", token, manual.paragraphs[rule], _sorted(sources[token])))


def _fold(borne: Tokens, kept: dict[str, set[str]], manual: Rules, reasons: list[Reason]) -> None:
    """Where the banner says NOFORN, a control that says it in itself is written without it."""
    held = kept.get("NONIC", set())
    for token in sorted(held & manual.folded.keys()):
        fold = manual.folded[token]
        held.remove(token)
        held.add(fold.plain)
        reasons.append(Reason("folded", "taken", token, fold.paragraph, _sorted(borne["NONIC"][token])))


def _sorted(where: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(where))
