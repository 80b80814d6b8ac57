"""A model of roll-up for tests, written from the manual alone and in another style than the product.

Release is decided twice here: pair by pair from a table of scenarios, and country by country by asking every portion.
Controls are decided by one sentence of the manual after the other. No rule is read from the product's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from casemate.labels.mark import Mark

FIVE = {"USA", "AUS", "CAN", "GBR", "NZL"}
FOUR = FIVE - {"NZL"}
MEMBERS = {"FVEY": FIVE, "ACGU": FOUR}
ORDER = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET"]
SHORT = {"U": "UNCLASSIFIED", "R": "RESTRICTED", "C": "CONFIDENTIAL", "S": "SECRET", "TS": "TOP SECRET"}
CATEGORIES = ("SCI", "SAR", "AEA", "FGI", "DISSEM", "REL", "EYES", "DISPLAY", "NONIC", "NONUS")


def us(level: str, *said: str, owners: str = "") -> Mark:
    """A mark by hand: us("S", "REL USA JPN", "DISSEM RELIDO", owners="DEU")."""
    values = {name: tuple(tokens) for name, *tokens in (each.split() for each in said)}
    ordered = tuple((name, values[name]) for name in CATEGORIES if name in values)
    return Mark("us", SHORT[level], ordered, tuple(owners.split()))


@dataclass
class Banner:
    """What the model expects: everything as sets, groups expanded."""

    level: str
    owners: tuple[str, ...] = ()
    controls: set[tuple[str, str]] = field(default_factory=set)
    release: str = ""  # NOFORN, REL, EYES, RELIDO, DISPLAY and joined by "+"
    rel: set[str] = field(default_factory=set)
    display: set[str] = field(default_factory=set)


def seen(mark: Mark) -> Banner:
    """A banner of the product in the model's terms."""
    kinds = [name for name in ("REL", "EYES", "DISPLAY") if mark.of(name)]
    kinds += [name for name in ("NOFORN", "RELIDO") if name in mark.of("DISSEM")]
    outside = {"REL", "EYES", "DISPLAY"}
    controls = {(c, t) for c, tokens in mark.values if c not in outside for t in tokens} - _RELEASE
    rel = countries(mark.of("REL") or mark.of("EYES")) - {"USA"}
    shown = countries(mark.of("DISPLAY")) - rel - {"USA"}
    return Banner(mark.level, mark.owners, controls, "+".join(sorted(kinds)), rel, shown)


_RELEASE = {("DISSEM", "NOFORN"), ("DISSEM", "RELIDO")}


def countries(tokens: Iterable[str]) -> set[str]:
    """Who is meant, groups expanded."""
    found: set[str] = set()
    for token in tokens:
        found |= MEMBERS.get(token, {token})
    return found


# --- who may have it: one portion


def kind(mark: Mark) -> str:
    """The scenario of a portion in the words of the table."""
    dissem, nonic = mark.of("DISSEM"), mark.of("NONIC")
    rel, eyes, shown = bool(mark.of("REL")), bool(mark.of("EYES")), bool(mark.of("DISPLAY"))
    relido, noforn = "RELIDO" in dissem, "NOFORN" in dissem
    inner = [t for t in nonic if t.endswith("-NF")]
    if noforn or (inner and (rel or eyes or shown or relido)) or (rel and eyes) or (shown and relido):
        return "NF"
    if inner:
        return "XX-NF"
    for name, holds in {
        "REL+RELIDO": (rel or eyes) and relido,
        "REL+DISPLAY": (rel or eyes) and shown,
        "REL": rel or eyes,
        "RELIDO": relido,
        "DISPLAY": shown,
    }.items():
        if holds:
            return name
    if mark.level != "UNCLASSIFIED" or mark.owners or mark.of("FGI"):
        return "none"
    if nonic or "DSEN" in dissem or {"DOD-UCNI", "DOE-UCNI"} & set(mark.of("AEA")):
        return "others' control"
    if dissem or mark.of("AEA") or mark.of("SAR"):
        return "as RELIDO"
    return "not counted"


def caveated(mark: Mark) -> bool:
    """B.3, paragraph b: any AEA, SAR or dissemination control; what is foreign and unmarked is NOFORN by Table 2."""
    names = ("AEA", "SAR", "DISSEM", "NONIC", "FGI")
    return bool(mark.owners) or any(mark.of(name) for name in names)


PAIRS = {  # any pair that is not here is decided by the countries that both sides have in common
    ("NF", "none"): "NOFORN",  # 1
    ("NF", "REL"): "NOFORN",  # 2
    ("NF", "RELIDO"): "NOFORN",
    ("NF", "DISPLAY"): "NOFORN",
    ("NF", "NF"): "NOFORN",
    ("NF", "XX-NF"): "NOFORN",  # 3, 6
    ("XX-NF", "none"): "NOFORN",  # 4, 7
    ("REL", "XX-NF"): "NOFORN",  # 14, 15
    ("RELIDO", "XX-NF"): "NOFORN",
    ("DISPLAY", "XX-NF"): "NOFORN",
    ("REL", "RELIDO"): "NOFORN",  # 10
    ("REL+RELIDO", "none"): "NOFORN",  # 12
    ("REL", "none"): "NOFORN",  # 16
    ("RELIDO", "none"): "row 17",
    ("DISPLAY", "RELIDO"): "NOFORN",  # 18
    ("DISPLAY", "none"): "NOFORN",  # 19
}
PAIRS |= {("NF", each): "NOFORN" for each in ("REL+RELIDO", "REL+DISPLAY", "as RELIDO", "others' control")}
PAIRS |= {(each, "none"): "NOFORN" for each in ("REL+DISPLAY",)}
PAIRS |= {(each, "XX-NF"): "NOFORN" for each in ("REL+DISPLAY", "REL+RELIDO")}
PAIRS |= {(each, "others' control"): "NOFORN" for each in ("REL", "RELIDO", "DISPLAY", "REL+RELIDO", "REL+DISPLAY")}
PAIRS |= {(each, "as RELIDO"): "NOFORN" for each in ("REL", "DISPLAY", "REL+DISPLAY")}
PAIRS |= {("REL+DISPLAY", "RELIDO"): "NOFORN"}


def pair(one: Mark, other: Mark, recent: bool) -> str:
    """ "NOFORN" or "" from the table for two portions."""
    kinds = (kind(one), kind(other))
    verdict = PAIRS.get(kinds) or PAIRS.get((kinds[1], kinds[0])) or ""
    if verdict == "row 17":
        unmarked = one if kinds[0] == "none" else other
        return "" if recent and not caveated(unmarked) else "NOFORN"
    return verdict


def fdr(portions: Sequence[Mark], classified: bool, recent: bool) -> tuple[str, set[str], set[str]]:
    """The release marking of the whole."""
    kinds = {kind(each) for each in portions}
    spoken = kinds & {"NF", "REL", "RELIDO", "DISPLAY", "REL+RELIDO", "REL+DISPLAY"}
    if not spoken:
        exclusive = any(each.of("NONIC") and {"EXDIS", "NODIS"} & set(each.of("NONIC")) for each in portions)
        forced = "XX-NF" in kinds and (classified or exclusive or "none" in kinds)  # SBU-NF is not written beside them
        return ("NOFORN" if forced else ""), set(), set()
    if "NF" in kinds or any(pair(a, b, recent) for a, b in combinations(portions, 2)):
        return "NOFORN", set(), set()
    everything = {token for each in portions for name in ("NONIC", "AEA") for token in each.of(name)}
    if everything & {"EXDIS", "NODIS"} or (classified and everything & {"DOD-UCNI", "DOE-UCNI"}):
        return "NOFORN", set(), set()
    counted = [each for each in portions if kind(each) != "not counted"]
    world = {c for p in portions for name in ("REL", "EYES", "DISPLAY") for c in countries(p.of(name))} - {"USA"}
    rel = {c for c in world if all(c in countries(p.of("REL") + p.of("EYES")) for p in counted)}
    seeing = {c for c in world if all(c in countries(p.of("REL") + p.of("EYES") + p.of("DISPLAY")) for p in counted)}
    said = []
    if rel:
        said.append("EYES" if all(p.of("EYES") for p in counted) else "REL")
    if seeing - rel:
        said.append("DISPLAY")
    relido = [p for p in counted if "RELIDO" in p.of("DISSEM") or kind(p) in ("as RELIDO", "none")]
    if len(relido) == len(counted):
        said.append("RELIDO")
    return "+".join(sorted(said)) or "NOFORN", rel, seeing - rel


# --- the other controls, one sentence after the other


def model(portions: Sequence[Mark], recent: bool = False) -> Banner:
    """The banner of a document with these portions."""
    owners = portions[0].owners
    same = all(each.owners == owners for each in portions)
    if not same or (len(owners) != 1 and "USA" not in owners) or owners == ("FGI",):
        owners = ()
    level = max((each.level for each in portions), key=ORDER.index)
    if level == "RESTRICTED" and owners == ():
        level = "CONFIDENTIAL"
    classified = level != "UNCLASSIFIED"
    names = ("SCI", "SAR", "AEA", "DISSEM", "NONIC", "NONUS")
    every = {(name, token) for each in portions for name in names for token in each.of(name)} - _RELEASE
    put = set(every)
    has = {token for _, token in every}
    other_dissem = {(n, t) for n, t in every if n in ("DISSEM", "NONIC")} - {("DISSEM", "FOUO")}
    if classified or other_dissem:
        put.discard(("DISSEM", "FOUO"))
    if classified:
        put -= {("NONIC", t) for t in ("SBU", "SBU-NF", "LIMDIS")} | {("AEA", t) for t in ("DOD-UCNI", "DOE-UCNI")}
    if has & {"EXDIS", "NODIS"}:
        put -= {("NONIC", "SBU"), ("NONIC", "SBU-NF")}
    for winner, loser in (("NODIS", "EXDIS"), ("SBU-NF", "SBU"), ("LES-NF", "LES")):
        if winner in has:
            put.discard(("NONIC", loser))
    if "ORCON" in has:
        put.discard(("DISSEM", "ORCON-USGOV"))
    if "RD" in has:
        put |= {("AEA", token[1:]) for token in has if token.startswith("FRD-SG-")}
        put -= {("AEA", token) for token in has if token.startswith("FRD")}
    if has & {"RD", "FRD"}:
        put.discard(("AEA", "TFNI"))
    release, rel, display = fdr(portions, classified, recent)
    if release == "NOFORN":
        for plain in ("SBU", "LES"):
            if ("NONIC", f"{plain}-NF") in put:
                put.discard(("NONIC", f"{plain}-NF"))
                put.add(("NONIC", plain))
    sources = {token for each in portions for token in each.of("FGI")}
    sources |= {owner for each in portions for owner in each.owners if owner != "USA" and owner not in owners}
    put |= {("FGI", token) for token in ({"FGI"} if "FGI" in sources else sources)}
    return Banner(level, owners, put, release, rel, display)
