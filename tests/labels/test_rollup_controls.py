"""The precedence rules of the templates in section H, each with its paragraph; FD&R is in test_rollup_rows."""

from __future__ import annotations

import pytest

from casemate.labels import Mark, Policies, Reason, roll_up
from tests.labels.rollup_model import us

POLICIES = Policies.load(["us"])
U, S, NF = us("U"), us("S"), us("S", "DISSEM NOFORN")
FOUO = us("U", "DISSEM FOUO")
USGOV, ORCON = us("S", "DISSEM ORCON-USGOV NOFORN"), us("S", "DISSEM ORCON NOFORN")
REL_AUS = us("S", "REL USA AUS")

# portions, the banner, and a reason: rule, effect, control, part of the paragraph
CASES: dict[str, tuple[list[Mark], Mark, tuple[str, str, str, str]]] = {
    "the-highest-level": ([U, us("TS"), S], us("TS"), ("level", "put", "TOP SECRET", "D.2")),
    "unclassified-only-if-all-are": ([U, U], U, ("level", "put", "UNCLASSIFIED", "D.2")),
    "another's-restricted-is-no-level-of-ours": (
        [U, us("R", owners="DEU")],
        us("C", "FGI DEU"),
        ("foreign_restricted", "put", "CONFIDENTIAL", "RESTRICTED"),
    ),
    "sci-union-in-order": (
        [us("TS", "SCI TK", "DISSEM NOFORN"), us("TS", "SCI SI SI-G", "DISSEM ORCON NOFORN")],
        us("TS", "SCI SI SI-G TK", "DISSEM ORCON NOFORN"),
        ("union", "put", "TK", "H.4"),
    ),
    "sar-union-in-order-undeclared-too": (
        [us("S", "SAR XR"), us("S", "SAR BP BP-J12")],
        us("S", "SAR BP BP-J12 XR"),
        ("union", "put", "BP-J12", "H.5"),
    ),
    "rd-before-frd": (
        [us("S", "AEA RD"), us("S", "AEA FRD")],
        us("S", "AEA RD"),
        ("superseded", "taken", "FRD", "111"),
    ),
    "rd-before-tfni": (
        [us("S", "AEA RD"), us("S", "AEA TFNI")],
        us("S", "AEA RD"),
        ("superseded", "taken", "TFNI", "120"),
    ),
    "frd-before-tfni": (
        [us("S", "AEA FRD"), us("S", "AEA TFNI")],
        us("S", "AEA FRD"),
        ("superseded", "taken", "TFNI", "p. 120"),
    ),
    "all-sigmas-under-rd": (
        [us("S", "AEA RD RD-SG-14"), us("S", "AEA FRD FRD-SG-20")],
        us("S", "AEA RD RD-SG-14 RD-SG-20"),
        ("moved", "taken", "FRD-SG-20", "p. 109"),
    ),
    "a-sigma-of-frd-under-plain-rd": (
        [us("S", "AEA RD"), us("S", "AEA FRD FRD-SG-20")],
        us("S", "AEA RD RD-SG-20"),
        ("union", "put", "RD-SG-20", "H.6"),
    ),
    "cnwdi-stays": ([us("S", "AEA RD RD-CNWDI"), S], us("S", "AEA RD RD-CNWDI"), ("union", "put", "RD-CNWDI", "H.6")),
    "ucni-in-an-unclassified-document": (
        [us("U", "AEA DOD-UCNI"), us("U", "AEA DOE-UCNI"), U],
        us("U", "AEA DOD-UCNI DOE-UCNI"),
        ("union", "put", "DOE-UCNI", "H.6"),
    ),
    "ucni-in-a-classified-document": (
        [us("U", "AEA DOD-UCNI"), REL_AUS],
        NF,
        ("classified", "taken", "DOD-UCNI", "p. 116"),
    ),
    "ucni-closes-the-release-of-a-classified-portion": (
        [us("S", "AEA DOE-UCNI", "REL USA AUS"), REL_AUS],
        NF,
        ("closed", "put", "NOFORN", "p. 118"),
    ),
    "ucni-beside-classified-without-release-markings": (
        [us("U", "AEA DOD-UCNI"), S],
        S,
        ("classified", "taken", "DOD-UCNI", "p. 116"),
    ),
    "fgi-of-all-sources": (
        [us("S", "REL USA DEU", owners="DEU"), us("TS", "FGI CAN", "REL USA DEU"), us("C", "REL USA DEU")],
        us("TS", "FGI CAN DEU", "REL USA DEU"),
        ("fgi", "put", "DEU", "H.7"),
    ),
    "fgi-concealed-hides-all-sources": (
        [us("S", "DISSEM NOFORN", owners="DEU"), us("S", "DISSEM NOFORN", owners="FGI"), NF],
        us("S", "FGI FGI", "DISSEM NOFORN"),
        ("concealed", "taken", "DEU", "p. 124"),
    ),
    "fgi-concealed-alone": (
        [us("S", "DISSEM NOFORN", owners="FGI")] * 2,
        us("S", "FGI FGI", "DISSEM NOFORN"),
        ("concealed", "put", "FGI", "p. 124"),
    ),
    "another-nation's-own-document": (
        [us("S", owners="DEU"), us("C", owners="DEU")],
        us("S", owners="DEU"),
        ("level", "put", "SECRET", "D.2"),
    ),
    "another-nation's-own-restricted": (
        [us("R", owners="DEU"), us("U", owners="DEU")],
        us("R", owners="DEU"),
        ("level", "put", "RESTRICTED", "D.2"),
    ),
    "joint-by-the-same-owners": (
        [us("S", "REL USA FVEY", owners="GBR USA"), us("S", "FGI NZL", "REL USA FVEY", owners="GBR USA")],
        us("S", "FGI NZL", "REL USA FVEY", owners="GBR USA"),
        ("fgi", "put", "NZL", "H.7"),
    ),
    "joint-and-united-states": (
        [us("S", "REL USA GBR", owners="GBR USA"), us("S", "REL USA GBR")],
        us("S", "FGI GBR", "REL USA GBR"),
        ("fgi", "put", "GBR", "H.7"),
    ),
    "foreign-controls": (
        [us("S", "AEA RD", "DISSEM NOFORN"), us("S", "NONUS ATOMAL", "REL USA NATO", owners="NATO")],
        us("S", "AEA RD", "FGI NATO", "DISSEM NOFORN", "NONUS ATOMAL"),
        ("union", "put", "ATOMAL", "p. 122"),
    ),
    "fouo-alone": ([FOUO, U], FOUO, ("union", "put", "FOUO", "H.8")),
    "fouo-in-a-classified-document": ([FOUO, NF], NF, ("classified", "taken", "FOUO", "p. 134")),
    "fouo-with-release-markings": (
        [us("U", "DISSEM FOUO", "REL USA JPN"), us("U", "REL USA JPN")],
        us("U", "DISSEM FOUO", "REL USA JPN"),
        ("union", "put", "FOUO", "H.8"),
    ),
    "fouo-beside-propin": (
        [FOUO, us("U", "DISSEM PROPIN")],
        us("U", "DISSEM PROPIN"),
        ("superseded", "taken", "FOUO", "134"),
    ),
    "fouo-beside-dsen": (
        [FOUO, us("U", "DISSEM DSEN")],
        us("U", "DISSEM DSEN"),
        ("superseded", "taken", "FOUO", "134"),
    ),
    "fouo-beside-les": ([FOUO, us("U", "NONIC LES")], us("U", "NONIC LES"), ("superseded", "taken", "FOUO", "134")),
    "fouo-beside-limdis": (
        [FOUO, us("U", "NONIC LIMDIS")],
        us("U", "NONIC LIMDIS"),
        ("superseded", "taken", "FOUO", "134"),
    ),
    "fouo-beside-ucni": (
        [us("U", "AEA DOD-UCNI"), FOUO],
        us("U", "AEA DOD-UCNI", "DISSEM FOUO"),
        ("union", "put", "FOUO", "H.8"),
    ),
    "orcon-before-orcon-usgov": ([USGOV, ORCON], ORCON, ("superseded", "taken", "ORCON-USGOV", "p. 136")),
    "orcon-usgov-alone": ([USGOV, us("C", "DISSEM NOFORN")], USGOV, ("union", "put", "ORCON-USGOV", "H.8")),
    "imcon-and-noforn": (
        [us("S", "DISSEM IMCON", "REL USA FVEY"), us("TS", "DISSEM NOFORN")],
        us("TS", "DISSEM IMCON NOFORN"),
        ("union", "put", "IMCON", "H.8"),
    ),
    "fisa-is-considered-relido": (
        [us("U", "DISSEM FISA"), REL_AUS],
        us("S", "DISSEM NOFORN FISA"),
        ("considered", "put", "NOFORN", "example 3, p. 53"),
    ),
    "fisa-beside-relido": (
        [us("U", "DISSEM FISA"), us("S", "DISSEM RELIDO")],
        us("S", "DISSEM RELIDO FISA"),
        ("considered", "put", "RELIDO", "example 3, p. 53"),
    ),
    "plain-unclassified-does-not-count": (
        [U, us("U", "REL USA FVEY")],
        us("U", "REL USA FVEY"),
        ("carried", "put", "REL", "D.2"),
    ),
    "les-without-release-marking-is-withheld": (
        [us("U", "NONIC LES"), us("S", "DISSEM RELIDO")],
        us("S", "DISSEM NOFORN", "NONIC LES"),
        ("withheld", "put", "NOFORN", "H.9"),
    ),
    "dsen-without-release-marking-is-withheld": (
        [us("U", "DISSEM DSEN"), us("S", "DISSEM RELIDO")],
        us("S", "DISSEM NOFORN DSEN"),
        ("withheld", "put", "NOFORN", "DSEN"),
    ),
    "les-released-by-its-originator": (
        [REL_AUS, us("U", "REL USA AUS", "NONIC LES")],
        us("S", "REL USA AUS", "NONIC LES"),
        ("table-3-row-21", "put", "REL", "row 21"),
    ),
    "limdis-in-a-classified-document": ([us("U", "NONIC LIMDIS"), NF], NF, ("classified", "taken", "LIMDIS", "p. 170")),
    "nodis-before-exdis": (
        [us("S", "DISSEM NOFORN", "NONIC EXDIS"), us("S", "DISSEM NOFORN", "NONIC NODIS")],
        us("S", "DISSEM NOFORN", "NONIC NODIS"),
        ("superseded", "taken", "EXDIS", "p. 172"),
    ),
    "no-rel-to-with-exdis": (
        [us("S", "REL USA AUS", "NONIC EXDIS"), REL_AUS],
        us("S", "DISSEM NOFORN", "NONIC EXDIS"),
        ("closed", "put", "NOFORN", "p. 172"),
    ),
    "exdis-before-sbu": (
        [us("U", "NONIC SBU"), us("U", "NONIC EXDIS")],
        us("U", "NONIC EXDIS"),
        ("superseded", "taken", "SBU", "172"),
    ),
    "exdis-before-sbu-nf-keeps-its-noforn": (
        [us("U", "NONIC SBU-NF"), us("U", "NONIC EXDIS")],
        us("U", "DISSEM NOFORN", "NONIC EXDIS"),
        ("superseded", "taken", "SBU-NF", "p. 172"),
    ),
    "sbu-in-a-classified-document": ([us("U", "NONIC SBU"), NF], NF, ("classified", "taken", "SBU", "p. 176")),
    "sbu-nf-before-sbu": (
        [us("U", "NONIC SBU"), us("U", "NONIC SBU-NF")],
        us("U", "NONIC SBU-NF"),
        ("superseded", "taken", "SBU", "p. 178"),
    ),
    "les-nf-before-les": (
        [us("U", "NONIC LES"), us("U", "NONIC LES-NF")],
        us("U", "NONIC LES-NF"),
        ("superseded", "taken", "LES", "p. 185"),
    ),
    "les-nf-in-a-classified-document": (
        [us("U", "NONIC LES-NF"), REL_AUS],
        us("S", "DISSEM NOFORN", "NONIC LES"),
        ("folded", "taken", "LES-NF", "p. 185"),
    ),
    "les-nf-unclassified-stays-whole": (
        [us("U", "NONIC LES-NF"), U],
        us("U", "NONIC LES-NF"),
        ("union", "put", "LES-NF", "H.9"),
    ),
    "ssi-whatever-the-level": (
        [us("U", "REL USA ACGU", "NONIC SSI"), us("S", "REL USA ACGU")],
        us("S", "REL USA ACGU", "NONIC SSI"),
        ("union", "put", "SSI", "H.9"),
    ),
    "noforn-against-rel-in-one-portion": (
        [us("S", "DISSEM NOFORN", "REL USA AUS")],
        NF,
        ("contradiction", "put", "NOFORN", "NOFORN"),
    ),
    "rel-against-eyes-in-one-portion": (
        [us("S", "REL USA AUS", "EYES USA AUS")],
        NF,
        ("contradiction", "put", "NOFORN", "H.8"),
    ),
    "relido-against-display-in-one-portion": (
        [us("S", "DISSEM RELIDO", "DISPLAY IRQ")],
        NF,
        ("contradiction", "put", "NOFORN", "p. 163"),
    ),
    "les-nf-against-rel-in-one-portion": (
        [us("U", "REL USA AUS", "NONIC LES-NF")],
        us("U", "DISSEM NOFORN", "NONIC LES"),
        ("contradiction", "put", "NOFORN", "H.8"),
    ),
    "rel-to-nobody-is-noforn": ([us("S", "REL USA")], NF, ("protective", "put", "NOFORN", "p. 128")),
    "three-scenarios-that-no-row-names": (
        [us("TS", "EYES USA AUS GBR"), us("S", "REL USA AUS CAN"), us("S", "DISPLAY CAN GBR")],
        us("TS", "DISSEM NOFORN"),
        ("protective", "put", "NOFORN", "p. 128"),
    ),
    "noforn-everywhere": ([NF, NF], NF, ("carried", "put", "NOFORN", "D.2")),
}


@pytest.mark.parametrize(("portions", "banner", "reason"), CASES.values(), ids=CASES)
def test_a_precedence_rule(portions: list[Mark], banner: Mark, reason: tuple[str, str, str, str]) -> None:
    rolled = roll_up(POLICIES, portions)
    assert rolled.mark == banner
    rule, effect, control, paragraph = reason
    found = [each for each in rolled.reasons if (each.rule, each.effect, each.control) == (rule, effect, control)]
    assert any(paragraph in each.paragraph for each in found)


def test_a_reason_names_its_portions() -> None:
    rolled = roll_up(POLICIES, [U, ORCON, us("TS"), FOUO, ORCON])
    by = {(each.rule, each.control): each.portions for each in rolled.reasons}
    assert by["level", "TOP SECRET"] == (2,)
    assert by["union", "ORCON"] == (1, 4)
    assert by["classified", "FOUO"] == (3,)
    assert by["table-3-row-1", "NOFORN"] == (1, 2, 4)
    assert all(isinstance(each, Reason) and each.policy == "us" for each in rolled.reasons)


def test_the_banner_is_written_in_the_register_order() -> None:
    """A.6: level, SCI, SAR, AEA, FGI, dissemination, others' dissemination; within each, the register's order."""
    portions = [
        us("S", "DISSEM FISA", "NONIC SSI"),
        us("TS", "SCI TK", "SAR XR", "FGI GBR", "DISSEM PROPIN NOFORN", "NONIC LES"),
        us("S", "AEA RD RD-SG-20 RD-SG-14", "DISSEM ORCON"),
        us("TS", "SCI SI SI-G", "SAR BP", "FGI DEU NATO", "DISSEM RSEN"),
    ]
    expected = (
        "TOP SECRET//SI-G/TK//SAR-BP/XR//RD-SIGMA 14 20//FGI DEU GBR NATO//RSEN/ORCON/NOFORN/PROPIN/FISA//LES/SSI"
    )
    for order in (portions, portions[::-1]):
        assert POLICIES.render(roll_up(POLICIES, order).mark) == expected
