"""Policies and generators that the tests of labels share."""

from __future__ import annotations

from hypothesis import strategies as st

from casemate.labels import PACKAGED, Element, Label, Policies, Policy, make_label

SITE = (
    'teams = ["PAYROLL", "RED-TEAM"]',
    'extends = "us"\ntokens.SCI = ["SI-G-ABCD", "SI-G-ACDE", "SI-ABC", "TK-BLFH-X1"]',
)
ALL = Policies.load(PACKAGED, SITE)
US = Policies.load(["us"], SITE[1:])
AGENCIES = ["EXERCISE", "ALPHA"]
NEEDS = ["OSPREY", "project/HERON"]
FEW = 5  # recipients that a generated set may hold

# Marks that are rightly written, per policy: whatever is joined from them can be written again.
MARKS = {
    "house": ["PUBLIC", "INTERNAL", "CONFIDENTIAL//PAYROLL", "RESTRICTED//PAYROLL/RED-TEAM", "INTERNAL//RED-TEAM"],
    "tlp": ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"],
    "us": [
        "UNCLASSIFIED",
        "UNCLASSIFIED//FOUO",
        "UNCLASSIFIED//PROPIN",
        "UNCLASSIFIED//FOUO/REL TO USA, JPN",
        "UNCLASSIFIED//NOFORN",
        "CONFIDENTIAL//REL TO USA, ACGU",
        "CONFIDENTIAL//PROPIN",
        "SECRET",
        "SECRET//REL TO USA, FRA",
        "SECRET//REL TO USA, FRA, NATO",
        "SECRET//SI//REL TO USA, FVEY",
        "SECRET//TK//ORCON/REL TO USA, AUS, FRA, GBR",
        "SECRET//HCS-O//ORCON/NOFORN",
        "TOP SECRET//SI-G ABCD ACDE/TK//ORCON",
        "TOP SECRET//SI-ABC//REL TO USA, FVEY",
        "TOP SECRET//TK-BLFH X1//NOFORN/PROPIN",
    ],
    "cui": [
        "UNCONTROLLED UNCLASSIFIED INFORMATION",
        "CUI",
        "CUI//PRVCY",
        "CUI//FEDCON",
        "CUI//NOFORN",
        "CUI//SP-CTI//FED ONLY",
        "CUI//SP-CTI/SP-PRVCY/EXPT/PRVCY//DL ONLY/NOCON",
        "CUI//SP-INTEL/AG//REL TO USA, CAN, GBR",
        "CUI//PRIVILEGE//Attorney-Client/REL TO USA, GBR",
    ],
    "nato": [
        "NATO UNCLASSIFIED",
        "NATO RESTRICTED",
        "NATO RESTRICTED Releasable to Japan, Korea, Republic of",
        "NATO SECRET Releasable to Japan, Sweden",
        "NATO SECRET//ATOMAL",
        "COSMIC TOP SECRET//BALK/BOHEMIA",
    ],
    "fr": [
        "NON PROTÉGÉ",
        "DIFFUSION RESTREINTE",
        "SPÉCIAL FRANCE",
        "DIFFUSION RESTREINTE//SPÉCIAL FRANCE",
        "SECRET",
        "SECRET//SPÉCIAL FRANCE",
        "TRÈS SECRET",
    ],
    "integrity": ["INTEGRITY:VERIFIED", "INTEGRITY:REVIEWED", "INTEGRITY:UNTRUSTED"],
}


@st.composite
def elements(draw: st.DrawFn, policy: Policy) -> Element:
    """Any element of the policy's lattice, those included that no marking could say."""
    rank = draw(st.integers(0, len(policy.levels) - 1))
    restrictive: set[tuple[str, str]] = set()
    permissive: dict[str, frozenset[str]] = {}
    for category in policy.categories:
        names = sorted(category.tokens if category.permissive else category.held())
        if category.permissive:
            others = [name for name in names if name != category.owner][:FEW]
            chosen = st.just(frozenset[str]()) | st.sets(st.sampled_from(others or [category.owner])).map(
                frozenset([category.owner]).union
            )
            said = draw(chosen if category.owned(rank) else st.none() | chosen)
            if said is not None:
                permissive[category.name] = said
        elif names:
            for token in draw(st.sets(st.sampled_from(names), max_size=4)):
                restrictive |= {(category.name, each) for each in category.closure(token)}
    return Element(rank, policy.levels[rank].name, frozenset(restrictive), tuple(sorted(permissive.items())))


@st.composite
def labels(draw: st.DrawFn, policies: Policies = ALL) -> Label:
    """Any label of these policies, two agencies and two needs; half of them have two policies in common."""
    usual = st.just({name for name in ("us", "nato") if name in policies.names})
    named = draw(usual | st.sets(st.sampled_from(policies.names), max_size=3))
    held = {name: draw(elements(policies.listed[name])) for name in sorted(named)}
    agencies, needs = draw(st.sets(st.sampled_from(AGENCIES))), draw(st.sets(st.sampled_from(NEEDS)))
    return make_label(held, agencies, needs)


def marked(name: str) -> st.SearchStrategy[Label]:
    """Joins of rightly written marks of one policy."""
    each = st.sampled_from(MARKS[name]).map(lambda text: ALL.parse(f"{name}:{text}"))
    return st.lists(each, min_size=1, max_size=4).map(_join)


def _join(parts: list[Label]) -> Label:
    whole = parts[0]
    for part in parts[1:]:
        whole |= part
    return whole
