"""Marks of the United States as attributes of ISM.XML, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels.mark import Mark
from casemate.labels.xml.ism import NAMESPACE, from_ism, outside_v10, to_ism

USA = {"classification": "S", "ownerProducer": "USA"}
LEVELS = ["UNCLASSIFIED", "CONFIDENTIAL", "SECRET", "TOP SECRET"]
TREES = {
    "SCI": [("SI",), ("SI", "SI-G", "SI-G-ABCD", "TK"), ("RSV", "RSV-ABC", "RSV-DEF"), ("HCS", "HCS-P", "HCS-P-X1")],
    "SAR": [("ABC", "DEF"), ("PROM_TUX", "PROM_TUX-JR", "PROM_TUX-JR-A16", "PROM_TUX-SR")],
    "AEA": [("RD", "RD-CNWDI", "RD-SG-14"), ("RD", "FRD", "FRD-SG-20"), ("DOD-UCNI", "DOE-UCNI"), ("TFNI",)],
    "FGI": [("AUS",), ("AUS", "GBR", "NATO"), ("FGI",)],
}
DISSEM = ["RSEN", "FOUO", "ORCON", "ORCON-USGOV", "IMCON", "NOFORN", "PROPIN", "RELIDO", "DSEN", "FISA"]
LISTS = [
    (),
    (("REL", ("USA", "AUS", "NATO")),),
    (("EYES", ("USA", "GBR")),),
    (("DISPLAY", ("AFG", "IRQ")),),
    (("REL", ("USA", "AUS")), ("DISPLAY", ("AFG",))),
    (("EYES", ("USA", "GBR")), ("DISPLAY", ("AFG",))),
]
NONIC = ["LIMDIS", "EXDIS", "NODIS", "SBU", "SBU-NF", "LES", "LES-NF", "SSI", "ACCM-TEA_LEAF", "NNPI"]
OWNERS = [(), ("NATO",), ("DEU",), ("FGI",), ("DEU", "USA"), ("CAN", "GBR", "USA")]


@st.composite
def marks(draw: st.DrawFn) -> Mark:
    """Any mark of the policy `us`, its tokens in the order of the register."""
    values = [(name, draw(st.sampled_from(sets))) for name, sets in TREES.items() if draw(st.booleans())]
    dissem = draw(st.sets(st.sampled_from(DISSEM)))
    if dissem:
        values.append(("DISSEM", tuple(each for each in DISSEM if each in dissem)))
    values += draw(st.sampled_from(LISTS))
    nonic = draw(st.sets(st.sampled_from(NONIC)))
    if nonic:
        values.append(("NONIC", tuple(sorted(nonic))))
    if draw(st.booleans()):
        values.append(("NONUS", ("ATOMAL", "BALK", "BOHEMIA")))
    owners = draw(st.sampled_from(OWNERS))
    level = draw(st.sampled_from([*LEVELS, *(["RESTRICTED"] if owners else [])]))
    return Mark("us", level, tuple(values), owners)


@given(marks(), st.booleans())
def test_a_mark_is_what_its_attributes_say(mark: Mark, qualified: bool) -> None:
    attributes = to_ism(mark)
    if qualified:
        attributes = {f"{{{NAMESPACE}}}{name}": value for name, value in attributes.items()}
    assert from_ism(attributes) == mark


def test_every_attribute_by_name() -> None:
    mark = Mark(
        "us",
        "TOP SECRET",
        (
            ("SCI", ("SI-G-ABCD", "TK")),
            ("SAR", ("BUTTER_POPCORN-JR-A16",)),
            ("AEA", ("RD-SG-14", "DOE-UCNI")),
            ("FGI", ("FGI",)),
            ("DISSEM", ("ORCON", "RSEN")),
            ("REL", ("USA", "JPN")),
            ("DISPLAY", ("AFG",)),
            ("NONIC", ("LIMDIS", "ACCM-TEA_LEAF")),
            ("NONUS", ("ATOMAL",)),
        ),
    )
    assert to_ism(mark) == {
        "classification": "TS",
        "ownerProducer": "USA",
        "SCIcontrols": "SI SI-G SI-G-ABCD TK",  # a leaf brings what it stands under
        "SARIdentifier": "BUTTER_POPCORN BUTTER_POPCORN-JR BUTTER_POPCORN-JR-A16",
        "atomicEnergyMarkings": "RD RD-SG-14 UCNI",
        "FGIsourceProtected": "FGI",
        "disseminationControls": "RS OC REL DISPLAYONLY",
        "releasableTo": "USA JPN",
        "displayOnlyTo": "AFG",
        "nonICmarkings": "DS ACCM-TEA_LEAF",
        "nonUSControls": "ATOMAL",
    }


@pytest.mark.parametrize(
    "mark",
    [
        Mark("nato", "NATO SECRET"),
        Mark("us", "OFFICIAL"),
        Mark("us", "SECRET", (("TEAM", ("PAYROLL",)),)),
        Mark("us", "SECRET", (), ("JOINT",)),
        Mark("us", "SECRET", (("REL", ("SAME",)),)),
        Mark("us", "SECRET", (("EYES", ("SAME",)),)),
        Mark("us", "SECRET", (("REL", ("USA", "GBR")), ("EYES", ("USA", "GBR")))),
        Mark("us", "SECRET", (("FGI", ("FGI", "GBR")),)),
        Mark("us", "SECRET", (("DISSEM", ("SECRET SQUIRREL",)),)),
        Mark("us", "SECRET", (("AEA", ("RD-SG",)),)),
        Mark("us", "SECRET", (("NONIC", ("ROUTINE",)),)),
        Mark("us", "SECRET", (("NONUS", ("ATOMAL", "NATO")),)),
        Mark("us", "SECRET", (("SCI", ("SI\nTK",)),)),
    ],
    ids=lambda mark: f"{mark.policy} {mark.level} {mark.owners} {mark.values}"[:60],
)
def test_what_ism_cannot_say_is_refused(mark: Mark) -> None:
    with pytest.raises(MarkingError):
        to_ism(mark)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"classification": "X"}, "not one classification"),
        ({"classification": "S C"}, "not one classification"),
        ({"classification": ""}, "says nothing"),
        ({"ownerProducer": ""}, "says nothing"),
        ({"SCIcontrols": ""}, "says nothing"),
        ({"SCIcontrols": "SI SI"}, "something twice"),
        ({"SCIcontrols": "si"}, "not a value"),
        ({"atomicEnergyMarkings": "RD-SG"}, "not a value"),
        ({"nonICmarkings": "ROUTINE"}, "not a value"),
        ({"nonUSControls": "NATO"}, "not a value"),
        ({"disseminationControls": "NF BURN"}, "not a value"),
        ({"disseminationControls": "REL"}, "to whom"),
        ({"disseminationControls": "DISPLAYONLY"}, "to whom"),
        ({"disseminationControls": "REL EYES", "releasableTo": "USA GBR"}, "twice"),
        ({"releasableTo": "USA GBR"}, "without its control"),
        ({"displayOnlyTo": "AFG"}, "without its control"),
        ({"FGIsourceProtected": "GBR"}, "conceals"),
        ({"FGIsourceOpen": "AUS", "FGIsourceProtected": "FGI"}, "conceals"),
        ({"secrecy": "high"}, "not an attribute"),
        ({"{urn:other}classification": "U"}, "not an attribute"),
        ({f"{{{NAMESPACE}}}classification": "U"}, "twice"),
    ],
    ids=str,
)
def test_attributes_that_are_none_are_refused(changed: dict[str, str], why: str) -> None:
    with pytest.raises(MarkingError) as refused:
        from_ism(USA | changed)
    assert why in str(refused.value.facts["why"])


@pytest.mark.parametrize("missing", ["classification", "ownerProducer"])
def test_a_mark_names_its_level_and_its_owner(missing: str) -> None:
    with pytest.raises(MarkingError):
        from_ism({name: value for name, value in USA.items() if name != missing})


def test_what_is_said_of_a_document_is_no_part_of_its_mark() -> None:
    about = {"DESVersion": "10", "createDate": "2026-11-21", "declassDate": "2050-01-01", "classifiedBy": "John Doe"}
    assert from_ism(USA | about) == Mark("us", "SECRET")


def test_what_version_10_does_not_hold_is_said() -> None:
    new = Mark("us", "TOP SECRET", (("SCI", ("HCS-P", "SI-G")), ("DISSEM", ("ORCON-USGOV", "NOFORN"))))
    assert outside_v10(to_ism(new)) == (("SCIcontrols", "HCS-P"), ("disseminationControls", "OC-USGOV"))
    old = Mark("us", "TOP SECRET", (("SCI", ("SI-G-ABCD",)), ("NONIC", ("ACCM-TEA_LEAF",))))
    assert outside_v10(to_ism(old)) == ()


@given(
    st.dictionaries(st.sampled_from([*sorted(to_ism(Mark("us", "SECRET"))), "releasableTo", "SCIcontrols"]), st.text())
)
def test_any_attributes_raise_nothing_but_a_marking_error(attributes: dict[str, str]) -> None:
    try:
        mark = from_ism(attributes)
    except MarkingError:
        return
    assert from_ism(to_ism(mark)) == mark
