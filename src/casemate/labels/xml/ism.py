"""A mark of the United States as attributes of ISM.XML, and back: the vocabulary of ODNI's version 10 of 2013.

    Mark --to_ism--> attributes      names without their namespace, in the register's order
    attributes --from_ism--> Mark    what names a mark; dates, notices and the authority block are not part of it

Later registers name what version 10 does not (HCS-P, ORCON-USGOV): it is written under its portion mark, as ISM does,
and `outside_v10` says so, because a validator of version 10 will. It must never drop a value that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.mark import Mark

__all__ = ["ABOUT", "AUTHORITY", "DES_VERSION", "NAMESPACE", "from_ism", "outside_v10", "to_ism"]

NAMESPACE = "urn:us:gov:ic:ism"
DES_VERSION = "10"

# Attributes that are no part of a mark: who classified it (`authority`), and what is said of the document (`ABOUT`).
AUTHORITY = frozenset(
    {"classifiedBy", "derivativelyClassifiedBy", "classificationReason", "derivedFrom"}
    | {"declassDate", "declassEvent", "declassException"}
)
ABOUT = frozenset(
    {"DESVersion", "resourceElement", "excludeFromRollup", "createDate", "compilationReason", "compliesWith", "pocType"}
    | {"noticeType", "noticeDate", "noticeReason", "externalNotice", "unregisteredNoticeType"}
)
_LEVELS = {"U": "UNCLASSIFIED", "R": "RESTRICTED", "C": "CONFIDENTIAL", "S": "SECRET", "TS": "TOP SECRET"}
_CLASSES = {level: value for value, level in _LEVELS.items()}

# By category: the attribute, and its values by ours where they differ.
_AEA = {"DCNI": "DOD-UCNI", "UCNI": "DOE-UCNI"}
_DISSEM = {"RS": "RSEN", "OC": "ORCON", "OC-USGOV": "ORCON-USGOV", "IMC": "IMCON", "NF": "NOFORN", "PR": "PROPIN"}
_NONIC = {"DS": "LIMDIS", "XD": "EXDIS", "ND": "NODIS"}
_SETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "SCI": ("SCIcontrols", {}),
    "SAR": ("SARIdentifier", {}),
    "AEA": ("atomicEnergyMarkings", _AEA),
    "NONIC": ("nonICmarkings", _NONIC),
    "NONUS": ("nonUSControls", {}),
}
_LISTS = {"REL": ("REL", "releasableTo"), "EYES": ("EYES", "releasableTo"), "DISPLAY": ("DISPLAYONLY", "displayOnlyTo")}
_DISSEM_ORDER = tuple("RS FOUO OC OC-USGOV IMC NF PR REL RELIDO EYES DSEN FISA DISPLAYONLY".split())
_PLAIN_DISSEM = frozenset(_DISSEM_ORDER) - {"REL", "EYES", "DISPLAYONLY"}
_ORDER = ("SCI", "SAR", "AEA", "FGI", "DISSEM", "REL", "EYES", "DISPLAY", "NONIC", "NONUS")  # of the policy `us`
_CONCEALED = "FGI"
_SAME = "SAME"  # "as the banner says": there is no such value in ISM
_SIGMA = ("RD-SG", "FRD-SG")  # RD-SG-14 stands under RD: these are no values
_TOKEN = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,99}")

# The values of version 10, for what a site or a later register may add to.
_V10: Mapping[str, re.Pattern[str]] = {
    "SCIcontrols": re.compile(
        r"EL|EL-EU|EL-NK|HCS|KDK(-(BLFH|IDIT|KAND)(-[A-Z0-9]{1,6})?)?|RSV(-[A-Z0-9]{3})?"
        r"|SI|SI-G(-[A-Z]{4})?|SI-[A-Z]{3}(-[A-Z]{4})?|TK"
    ),
    "atomicEnergyMarkings": re.compile(r"RD|RD-CNWDI|F?RD-SG-(14|15|18|20)|FRD|DCNI|UCNI|TFNI"),
    "disseminationControls": re.compile("RS|FOUO|OC|IMC|NF|PR|REL|RELIDO|EYES|DSEN|FISA|DISPLAYONLY"),
    "nonICmarkings": re.compile(r"DS|XD|ND|SBU|SBU-NF|LES|LES-NF|SSI|NNPI|ACCM-[A-Z0-9_-]{1,61}"),
    "nonUSControls": re.compile("ATOMAL|BOHEMIA|BALK"),
}
_KNOWN: Mapping[str, re.Pattern[str]] = {
    "atomicEnergyMarkings": re.compile(r"RD|RD-CNWDI|F?RD-SG-[0-9]{1,3}|FRD|DCNI|UCNI|TFNI"),
    "nonICmarkings": _V10["nonICmarkings"],
    "nonUSControls": _V10["nonUSControls"],
}


def to_ism(mark: Mark) -> dict[str, str]:
    """The attributes of a mark of the policy `us`. MarkingError if it is another's, or says what ISM cannot."""
    if mark.policy != "us" or mark.level not in _CLASSES:
        _refuse(f"{mark.policy}:{mark.level}", "ISM says the marks of the policy us")
    unknown = [name for name, _ in mark.values if name not in _ORDER]
    if unknown:
        _refuse(unknown[0], "not a category that ISM says")
    if mark.owners == ("JOINT",):
        _refuse("JOINT", "does not say whose")
    found = {"classification": _CLASSES[mark.level], "ownerProducer": " ".join(mark.owners or ("USA",))}
    for category in ("SCI", "SAR", "AEA"):
        _put(found, category, _closed(mark.of(category)))
    sources = mark.of("FGI")
    if sources == (_CONCEALED,):
        found["FGIsourceProtected"] = _CONCEALED
    elif sources:
        if _CONCEALED in sources:
            _refuse(" ".join(sources), "names a source and conceals it")
        found["FGIsourceOpen"] = " ".join(sources)
    found |= _dissemination(mark)
    for category in ("NONIC", "NONUS"):
        _put(found, category, mark.of(category))
    return found


def from_ism(attributes: Mapping[str, str]) -> Mark:
    """The mark that attributes say; names may bear ISM's namespace. MarkingError if one is unknown or says nothing."""
    said = _bare(attributes)
    levels, owners = _values(said, "classification"), _values(said, "ownerProducer")
    if len(levels) != 1 or levels[0] not in _LEVELS or not owners:
        _refuse(" ".join(levels), "not one classification and its owner")
    dissem = _values(said, "disseminationControls")
    values = {category: _from_set(said, category) for category in _SETS}
    values["FGI"] = _sources(said)
    values["DISSEM"] = tuple(_DISSEM.get(each, each) for each in dissem if each not in _list_controls())
    strange = set(dissem) - set(_DISSEM_ORDER)
    if strange:
        _refuse(min(strange), "not a value of disseminationControls")
    values |= _lists(said, dissem)
    return Mark(
        "us",
        _LEVELS[levels[0]],
        tuple((category, values[category]) for category in _ORDER if values.get(category)),
        () if owners == ("USA",) else owners,
    )


def outside_v10(attributes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The values, each with its attribute, that the vocabularies of version 10 do not hold."""
    return tuple(
        (name, value)
        for name, pattern in _V10.items()
        for value in attributes.get(name, "").split()
        if not pattern.fullmatch(value)
    )


def _put(found: dict[str, str], category: str, tokens: Sequence[str]) -> None:
    attribute, theirs = _SETS[category]
    ours = {token: value for value, token in theirs.items()}
    written = [ours.get(token, token) for token in tokens]
    for value in written:
        _check(attribute, value)
    if written:
        found[attribute] = " ".join(written)


def _closed(tokens: Sequence[str]) -> list[str]:
    """Tokens of a tree, each after those that it stands under."""
    found: dict[str, None] = {}
    for token in tokens:
        parts = token.split("-")
        first = len(parts) if token in _AEA.values() else 1
        steps = ["-".join(parts[:end]) for end in range(first, len(parts))]
        found |= dict.fromkeys(step for step in steps if step not in _SIGMA)
        found[token] = None
    return list(found)


def _dissemination(mark: Mark) -> dict[str, str]:
    ours = {token: value for value, token in _DISSEM.items()}
    written = {ours.get(token, token) for token in mark.of("DISSEM")}
    if written - _PLAIN_DISSEM:
        _refuse(min(written - _PLAIN_DISSEM), "ISM has no value for it")
    found: dict[str, str] = {}
    for category, (value, attribute) in _LISTS.items():
        codes = mark.of(category)
        if not codes:
            continue
        if attribute in found or _SAME in codes:
            _refuse(f"{category} {' '.join(codes)}", "one list of recipients, and named, is what ISM holds")
        written.add(value)
        found[attribute] = " ".join(codes)
    order = [value for value in _DISSEM_ORDER if value in written]
    return ({"disseminationControls": " ".join(order)} if order else {}) | found


def _bare(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes by their names alone. MarkingError for one that is not ISM's."""
    known = {attribute for attribute, _ in _SETS.values()} | AUTHORITY | ABOUT
    known |= {"classification", "ownerProducer", "disseminationControls", "releasableTo", "displayOnlyTo"}
    known |= {"FGIsourceOpen", "FGIsourceProtected"}
    said = {name.removeprefix(f"{{{NAMESPACE}}}"): value for name, value in attributes.items()}
    for name in said:
        if name not in known:
            _refuse(name, "not an attribute of ISM")
    if len(said) < len(attributes):
        _refuse(" ".join(sorted(said)), "an attribute twice, with its namespace and without")
    return said


def _values(said: Mapping[str, str], attribute: str) -> tuple[str, ...]:
    """The values of an attribute; () if it is not there. MarkingError if it is empty or says something twice."""
    if attribute not in said:
        return ()
    values = tuple(said[attribute].split())
    if not values or len(set(values)) < len(values):
        _refuse(f"{attribute}={said[attribute]}", "says nothing, or something twice")
    for value in values:
        _check(attribute, value)
    return values


def _check(attribute: str, value: str) -> None:
    known = _KNOWN.get(attribute, _TOKEN)
    if not known.fullmatch(value):
        _refuse(value, f"not a value of {attribute}")


def _from_set(said: Mapping[str, str], category: str) -> tuple[str, ...]:
    attribute, theirs = _SETS[category]
    return tuple(theirs.get(value, value) for value in _values(said, attribute))


def _sources(said: Mapping[str, str]) -> tuple[str, ...]:
    named, concealed = _values(said, "FGIsourceOpen"), _values(said, "FGIsourceProtected")
    if (named and concealed) or concealed not in ((), (_CONCEALED,)):
        _refuse(" ".join((*named, *concealed)), "names a source that the mark conceals")
    return named or concealed


def _list_controls() -> frozenset[str]:
    return frozenset(control for control, _ in _LISTS.values())


def _lists(said: Mapping[str, str], dissem: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The lists of recipients. MarkingError where a control lacks its list, or a list its control."""
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for category, (control, attribute) in _LISTS.items():
        if control in dissem:
            found[category] = _values(said, attribute)
            if not found[category] or attribute in taken:
                _refuse(control, "does not say to whom, or twice")
            taken.add(attribute)
    for attribute in ("releasableTo", "displayOnlyTo"):
        if attribute in said and attribute not in taken:
            _refuse(attribute, "a list of recipients without its control")
    return found


def _refuse(what: str, why: str) -> NoReturn:
    raise MarkingError(marking=shown(what), why=why)
