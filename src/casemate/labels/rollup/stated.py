"""The banner that a document bears against the one that its portions give: what is unfounded, what is missing."""

from __future__ import annotations

from casemate.labels.mark import Mark
from casemate.labels.policy import Policy
from casemate.labels.rollup.reason import Effect, Reason
from casemate.labels.rollup.rules import rules

__all__ = ["differences"]

_LISTS = ("REL", "EYES", "DISPLAY")
_Said = dict[tuple[str, frozenset[str]], str]


def differences(policy: Policy, stated: Mark, rolled: Mark | None) -> list[Reason]:
    """What `stated` says and `rolled` does not (unfounded), and the reverse (missing). A group equals its members."""
    us = policy.name == "us"
    paragraph = rules().paragraphs["compilation"] if us else policy.source
    above, below = _controls(policy, stated), _controls(policy, rolled) if rolled else {}
    found = [(control, "unfounded") for key, control in above.items() if key not in below]
    found += [(control, "missing") for key, control in below.items() if key not in above]
    levels = rules().levels if us else tuple(policy.ranks)
    if rolled and stated.level != rolled.level:
        higher = levels.index(stated.level) > levels.index(rolled.level)
        found.insert(0, (stated.level, "unfounded") if higher else (rolled.level, "missing"))
    elif rolled is None:
        found.insert(0, (stated.level, "unfounded"))
    kinds: dict[str, Effect] = {"unfounded": "unfounded", "missing": "missing"}
    return [Reason("stated", kinds[effect], control, paragraph, (), policy.name) for control, effect in found]


def _controls(policy: Policy, mark: Mark) -> _Said:
    """Every control by what it means: a list as a whole, with its groups expanded; anything else token by token."""
    found: _Said = {("owner", frozenset(mark.owners)): " ".join(mark.owners)} if mark.owners else {}
    for name, tokens in mark.values:
        category = policy.by_name.get(name)
        if name in _LISTS or (category and category.permissive):
            groups = policy.by_name["REL"].expand if "REL" in policy.by_name else {}
            members = frozenset[str]().union(*(groups.get(token, (token,)) for token in tokens))
            found[name, members] = f"{name} {', '.join(tokens)}"
        else:
            found |= {(name, frozenset({token})): token for token in tokens}
    return found
