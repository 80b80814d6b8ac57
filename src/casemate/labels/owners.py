"""Whose mark it is: the first section of a mark that opens with "//"."""

from __future__ import annotations

from casemate.labels.disguise import shown
from casemate.labels.policy import Foreign
from casemate.labels.scan import Scan
from casemate.labels.vocabulary import Vocabulary

__all__ = ["read_owners"]

_SHORTEST, _LONGEST = 2, 4  # letters of an owner's code


def read_owners(vocabulary: Vocabulary, section: str, scan: Scan) -> tuple[str, tuple[str, ...]] | None:
    """The level and the owners that a section names; None if it names no level where one stands.

    An owner that is not known is taken for one that is concealed, which is held no lower.
    """
    foreign = vocabulary.policy.foreign
    if foreign is None or section != section.upper() or section != section.strip():
        return None
    for owner, other in foreign.others.items():
        for level, names in other.levels.items():
            if section in _ways(names, scan):
                return level, (owner,)
    words = section.split(" ")
    if words[0] == foreign.joint:
        return _joint(vocabulary, foreign, section, words, scan)
    for level, (full, portion, _) in foreign.levels.items():
        for name in _ways((full, portion), scan):
            if section.endswith(f" {name}") and not _longer(foreign, section, name, scan):
                return _owned(vocabulary, foreign, level, section[: -len(name) - 1], scan)
    return None


def _ways(names: tuple[str, str], scan: Scan) -> tuple[str, ...]:
    return {"full": names[:1], "portion": names[1:], "any": names}[scan.form]


def _longer(foreign: Foreign, section: str, name: str, scan: Scan) -> bool:
    """Whether the section ends in a longer level's name: "TOP SECRET" ends in "SECRET"."""
    levels = (way for each in foreign.levels.values() for way in _ways(each[:2], scan))
    return any(way != name and way.endswith(f" {name}") and section.endswith(f" {way}") for way in levels)


def _owned(
    vocabulary: Vocabulary, foreign: Foreign, level: str, text: str, scan: Scan
) -> tuple[str, tuple[str, ...]] | None:
    if text == foreign.concealed:
        return level, (foreign.concealed,)
    return _named(vocabulary, foreign, level, text.split(" "), 2, scan)


def _joint(
    vocabulary: Vocabulary, foreign: Foreign, section: str, words: list[str], scan: Scan
) -> tuple[str, tuple[str, ...]] | None:
    for level, (full, portion, _) in sorted(foreign.levels.items(), key=_length):
        for name in _ways((full, portion), scan):
            named = name.split(" ")
            if words[1 : 1 + len(named)] != named:
                continue
            codes = words[1 + len(named) :]
            if codes:
                return _named(vocabulary, foreign, level, codes, len(section) - len(" ".join(codes)) + 2, scan)
            if scan.form == "full":
                scan.note("requires", "error", 2, 2 + len(section), None, **_lacks(foreign))
            else:
                scan.note("as-banner", "note", 2, 2 + len(section), None, list=foreign.joint, paragraph=foreign.source)
            return level, (foreign.joint,)
    return None


def _lacks(foreign: Foreign) -> dict[str, str]:
    return {"control": foreign.joint, "needed": "owners", "paragraph": foreign.whole.source}


def _length(pair: tuple[str, tuple[str, str, str]]) -> int:
    return -len(pair[1][0])


def _named(
    vocabulary: Vocabulary, foreign: Foreign, level: str, codes: list[str], at: int, scan: Scan
) -> tuple[str, tuple[str, ...]] | None:
    """The owners by their codes, in the prescribed order."""
    category = vocabulary.policy.by_name[foreign.codes]
    known = [code for code in codes if code in category.tokens]
    scan.steps += len(codes)
    end = at + len(" ".join(codes))
    strangers = [code for code in codes if code not in category.tokens]
    if strangers:
        if not known and not all(code.isalpha() and _SHORTEST <= len(code) <= _LONGEST for code in strangers):
            return None
        facts = {"code": shown(", ".join(strangers)), "list": shown(" ".join(codes)), "paragraph": foreign.source}
        scan.note("unknown-country", "error", at, end, None, **facts)
    owners = _ordered(list(dict.fromkeys(known)), scan, at, end, codes)
    if category.owner in owners and len(owners) == 1:
        scan.note("rel-alone", "error", at, end, None, control=category.owner, paragraph=foreign.source)
        owners = (foreign.concealed,)
    return level, owners or (foreign.concealed,)


def _ordered(known: list[str], scan: Scan, at: int, end: int, codes: list[str]) -> tuple[str, ...]:
    right = tuple(sorted(known, key=lambda code: (len(code) != 3, code)))
    if list(right) != known:
        fix = " ".join(right) if len(known) == len(codes) else None
        scan.note("rel-order", "warning", at, end, fix, list=shown(" ".join(codes)), paragraph="H.3 JOINT, p. 56")
    return right
