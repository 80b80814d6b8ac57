"""How a mark is written: order, separators and abbreviations as the source prescribes. A mark is written whole.

Nothing is projected here and nothing is left out: what the policy cannot write raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.mark import Mark
from casemate.labels.policy import FOREIGN, SAME, Category, Control, Foreign, Level, Listing, Policy

__all__ = ["in_context", "key_of", "listed", "ordered", "render", "sorted_codes", "tree"]

_PORTION = "portion"


class _Part(NamedTuple):
    section: int
    order: int
    glue: str
    text: str
    separator: str = "/"


def render(policy: Policy, mark: Mark, form: str) -> str:
    """The marking of a mark. `form`: a language ("en", "fr") for a banner, "portion" for a portion mark, without
    parentheses. MarkingError if the policy has no such level, category or token."""
    parts: list[_Part] = []
    head = _head(policy, mark, form)
    for name, tokens in mark.values:
        category = policy.by_name.get(name)
        if category is None or not tokens:
            raise MarkingError(marking=shown(name), why=f"no category of the policy {policy.name}")
        if category.head:
            continue  # in the level's own words
        section = FOREIGN if category.foreign and mark.owners else category.section
        if category.only and tokens == (category.owner,):
            parts.append(_Part(section, category.only.order, category.glue, category.only.written(form)))
        elif category.listing and tokens != (category.held_as,):
            parts.append(_Part(section, category.listing.order, category.glue, listed(category, tokens, form)))
        elif category.tree:
            texts = tree(category, tokens, form)
            prefix = category.prefixes[0] if category.prefixes else ""
            parts += [_Part(section, order, "//", text) for order, text in _prefixed(texts, prefix)]
        else:
            for control in (_control(category, token) for token in tokens):
                if control.instead and policy.rank(mark.level) == 0 and not mark.owners:
                    head = control.written(form)
                    continue
                own = control.section if control.section and not mark.owners else section
                parts.append(_Part(own, control.order, category.glue, control.written(form), category.separator))
    return head + "".join(_joined(sorted(parts, key=_place), form))


def ordered(policy: Policy, mark: Mark) -> Mark:
    """The same mark with its categories and tokens in the order in which they are written, none twice."""
    values = []
    for category in policy.categories:
        tokens = dict.fromkeys(token for name, each in mark.values if name == category.name for token in each)
        if tokens:
            values.append((category.name, sort(category, tokens)))
    return Mark(mark.policy, mark.level, tuple(values), mark.owners)


def sort(category: Category, tokens: Iterable[str]) -> tuple[str, ...]:
    """The tokens of a category in the order in which they are written."""
    if category.listing:
        return sorted_codes(category, tokens)
    return tuple(sorted(tokens, key=lambda token: key_of(category, token)))


def key_of(category: Category, token: str) -> tuple[int, tuple[str, ...]]:
    """Where a token stands among those of its category: in the order of the register, then ascending in a tree."""
    if category.tree:
        root = token if category.parent(token) == "" else token.split("-", 1)[0]
        control = category.tokens.get(root)
        return (control.order if control else 0), (root, *token[len(root) :].split("-")[1:])
    control = category.control(token)
    # A name that a site or nobody has declared keeps its place among its like.
    return (control.order if control else 0), (token,) if control and control.order == 0 else ()


def sorted_codes(category: Category, tokens: Iterable[str]) -> tuple[str, ...]:
    """Names of a list: its owner first where that is prescribed, then trigraphs before longer codes, each ascending."""
    if category.listing and category.listing.as_listed:
        places = {code: at for at, code in enumerate(category.codes)}
        return tuple(sorted(tokens, key=lambda token: places.get(token, -1)))
    first = category.first if category.listing and category.listing.owner_first else ""
    return tuple(sorted(tokens, key=lambda token: (token != first, len(token) != 3, token)))


def listed(category: Category, tokens: Sequence[str], form: str) -> str:
    """A list with its prefix and suffix. Names in full stand in their own alphabetical order, or in the policy's."""
    listing = category.listing
    assert listing is not None
    if tokens == (SAME,):
        return _same(category, listing)
    codes = [_control(category, token) for token in tokens]
    names = [control.written(form) for control in codes]
    if not (listing.owner_first or listing.as_listed) and names != list(tokens):
        names.sort()
    prefix = listing.portion if form == _PORTION else listing.prefix.get(form, listing.prefix["en"])
    return prefix + listing.separator.join(names) + listing.end(form)


def _same(category: Category, listing: Listing) -> str:
    if not listing.same:
        raise MarkingError(marking=category.name, why="its list is always written")
    return listing.same


def _control(category: Category, token: str) -> Control:
    control = category.control(token)
    if control is None:
        raise MarkingError(marking=shown(token), why=f"not a name of {category.name}")
    return control


def _head(policy: Policy, mark: Mark, form: str) -> str:
    if not mark.owners:
        rank = policy.ranks.get(mark.level)
        if rank is None:
            raise MarkingError(marking=shown(mark.level), why=f"not a level of the policy {policy.name}")
        return in_context(policy.levels[rank], _context(policy, mark), form)
    foreign = policy.foreign
    if foreign is None or mark.level not in foreign.levels:
        raise MarkingError(marking=shown(mark.level), why=f"not a level of another owner in {policy.name}")
    return "//" + _owned(policy, foreign, mark, form == _PORTION)


def _context(policy: Policy, mark: Mark) -> tuple[str, Control] | None:
    """The control that stands in the level's own words, and the word that it replaces."""
    for name, tokens in mark.values:
        category = policy.by_name.get(name)
        if category and category.head:
            if len(tokens) > 1:
                raise MarkingError(marking=shown(" ".join(tokens)), why=f"two of {name} at once cannot be written")
            return category.head, _control(category, tokens[0])
    return None


def in_context(level: Level, context: tuple[str, Control] | None, form: str) -> str:
    """A level as it is written, in a context: NATO/KFOR SECRET. MarkingError if its words leave no place for one."""
    text = level.portion if form == _PORTION else level.banner.get(form, level.banner["en"])
    if context is None:
        return text
    head, control = context
    if form == _PORTION:
        return text + control.portion
    if not text.startswith(f"{head} "):
        raise MarkingError(marking=shown(text), why=f"not written in the context {control.name}")
    return control.written(form) + text[len(head) :]


def _owned(policy: Policy, foreign: Foreign, mark: Mark, short: bool) -> str:
    other = foreign.others.get(mark.owners[0]) if len(mark.owners) == 1 else None
    if other is not None:
        return other.levels[mark.level][short]
    level, codes = foreign.levels[mark.level][short], policy.by_name[foreign.codes]
    if mark.owners == (foreign.joint,):
        return f"{foreign.joint} {level}"
    if mark.owners == (foreign.concealed,):
        return f"{foreign.concealed} {level}"
    names = [_control(codes, owner).name for owner in mark.owners]
    if codes.owner in names:
        return " ".join((foreign.joint, level, *names))
    return " ".join((*names, level))


def tree(category: Category, tokens: Iterable[str], form: str) -> list[tuple[int, str]]:
    """By its place in the register, each system with its compartments: "SI-G ABCD", "RD-CNWDI-SIGMA 14 20"."""
    systems: dict[str, dict[str, list[str]]] = {}
    for token in tokens:
        root = token if category.parent(token) == "" else token.split("-", 1)[0]
        compartments = systems.setdefault(root, {})
        compartment, *subs = token[len(root) :].split("-")[1:] or [""]
        if compartment:
            compartments.setdefault(compartment, []).extend(subs)
    texts = []
    for root, compartments in systems.items():
        control = _control(category, root)
        steps = [control.written(form)]
        for name, subs in compartments.items():
            steps.append(" ".join([_step(category, root, name, form), *subs]))
        texts.append((control.order, "-".join(steps)))
    return texts


def _step(category: Category, root: str, name: str, form: str) -> str:
    control = category.inner.get(f"{root}-{name}")
    return name if control is None else control.written(form).partition("-")[2]


def _prefixed(texts: list[tuple[int, str]], prefix: str) -> list[tuple[int, str]]:
    """A category's own prefix is written once."""
    return [(texts[0][0], prefix + texts[0][1]), *texts[1:]]


def _place(part: _Part) -> tuple[int, int]:
    return part.section, part.order


def _joined(parts: Iterable[_Part], form: str) -> Iterable[str]:
    section = None
    for part in parts:
        glue = "//" if form == _PORTION else part.glue
        separator = "/" if form == _PORTION else part.separator
        yield (separator if part.section == section else glue) + part.text
        section = part.section
