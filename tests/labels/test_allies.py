"""How the policies of NATO, France, the United Kingdom and the European Union read and write their marks."""

from __future__ import annotations

import pytest

from casemate.errors import MarkingError, Misconfigured
from casemate.labels import PACKAGED, Mark, Policies, make_label
from casemate.labels.policyfile import read_policy

ALL = Policies.load(["nato", "fr", "uk", "eu"])
NATO = Policies.load(["nato"])


@pytest.mark.parametrize(
    ("english", "french", "portion", "label"),
    [
        (
            "NATO/KFOR CONFIDENTIAL Ireland, Sweden, Ukraine, NATO ONLY",
            "NATO/KFOR CONFIDENTIEL Irlande, Suède, Ukraine, NATO SEULEMENT",
            "NC-KFOR//IRL, SWE, UKR, NATO ONLY",
            "nato:NATO CONFIDENTIAL//CONTEXT=KFOR//REL=IRL,NATO,SWE,UKR",
        ),
        (
            "NATO UNCLASSIFIED - STAFF",
            "NATO SANS CLASSIFICATION - STAFF",
            "NU//STAFF",
            "nato:NATO UNCLASSIFIED//ADMIN=STAFF",
        ),
        (
            "NATO SECRET//ATOMAL/CRYPTO Releasable to Japan, Korea, Republic of - STAFF MEDICAL",
            "NATO SECRET//ATOMAL/CRYPTO Communicable a Japon, Corée, République de - STAFF MEDICAL",
            "NS//ATOMAL/CRYPTO//REL JPN, KOR//STAFF/MEDICAL",
            "nato:NATO SECRET//ADMIN=MEDICAL,STAFF//REL=JPN,KOR,NATO//SAP=ATOMAL,CRYPTO",
        ),
        (
            "COSMIC TOP SECRET//BALK/BOHEMIA",
            "COSMIC TOP SECRET//BALK/BOHEMIA",
            "CTS//BALK/BOHEMIA",
            "nato:COSMIC TOP SECRET//REL=NATO//SAP=BALK,BOHEMIA",
        ),
        (
            "SECRET - UK / EU EYES ONLY",
            "SECRET - UK / EU EYES ONLY",
            "UK-S//UK / EU EYES ONLY",
            "uk:SECRET//EYES=EU,UK",
        ),
        ("SECRET - UK EYES ONLY", "SECRET - UK EYES ONLY", "UK-S//UK EYES ONLY", "uk:SECRET//EYES=UK"),
        (
            "OFFICIAL-SENSITIVE//LOCSEN",
            "OFFICIAL-SENSITIVE//LOCSEN",
            "O-S//LOCSEN",
            "uk:OFFICIAL//DESCRIPTOR=LOCSEN//HANDLING=SENSITIVE",
        ),
        (
            "TRÈS SECRET UE/EU TOP SECRET",
            "TRÈS SECRET UE/EU TOP SECRET",
            "TS-UE/EU-TS",
            "eu:EU TOP SECRET",
        ),
        ("RESTREINT UE/EU RESTRICTED", "RESTREINT UE/EU RESTRICTED", "R-UE/EU-R", "eu:EU RESTRICTED"),
    ],
)
def test_a_mark_in_two_languages_and_as_a_portion(english: str, french: str, portion: str, label: str) -> None:
    """All three are read as the same mark, without a finding, and every one of them is written back."""
    policy = label.partition(":")[0]
    written = {"en": english, "fr": french, "portion": portion}
    for text, form in ((english, "full"), (french, "full"), (portion, "portion")):
        (mark,) = [
            each.mark
            for each in ALL.parse_mark(text, "portion" if form == "portion" else "full")
            if each.mark.policy == policy and not each.findings
        ]
        assert {name: ALL.render(mark, name) for name in written} == written
        assert ALL.label(mark).text == label


@pytest.mark.parametrize(
    ("text", "rule", "label"),
    [
        ("NATO/EAPC CONFIDENTIAL Releasable to ISAF", "level", "nato:NATO CONFIDENTIAL//CONTEXT=EAPC//REL=NATO"),
        ("NATO/UKRAINE SECRET", "withdrawn", "nato:NATO SECRET//CONTEXT=UKRAINE//REL=NATO"),
        ("NATO SECRET//EXCLUSIVE", "legacy", "nato:NATO SECRET//REL=NATO//SAP=EXCLUSIVE"),
        ("NATO SECRET//EXCLUSIVE/HUSH", "unknown-control", "nato:NATO SECRET//REL=NATO//SAP=EXCLUSIVE"),
        ("NATO RESTRICTED - STAFF FAMILY", "unknown-control", "nato:NATO RESTRICTED//REL=NATO"),
        ("NATO SECRET Releasable to Japan Ireland, NATO ONLY", "excludes", "nato:NATO SECRET//REL=NATO"),
        ("SECRET DÉFENSE", "withdrawn", "fr:TRÈS SECRET"),
        ("SECRET-DEFENSE", "withdrawn", "fr:TRÈS SECRET"),
        ("CONFIDENTIEL-DÉFENSE", "withdrawn", "fr:SECRET"),
        ("TRÈS SECRET DÉFENSE", "withdrawn", "fr:TRÈS SECRET"),
        (
            "OFFICIAL-SENSITIVE//LOCSEN/PERSONAL",
            "excludes",
            "uk:OFFICIAL//DESCRIPTOR=LOCSEN,PERSONAL//HANDLING=SENSITIVE",
        ),
        ("OFFICIAL//LOCSEN", "requires", "uk:OFFICIAL//DESCRIPTOR=LOCSEN//HANDLING=SENSITIVE"),
        ("SECRET - US / EU EYES ONLY", "rel-owner", "uk:SECRET//EYES=UK"),
        ("OFFICIAL - UK / EU EYES ONLY", "level", "uk:OFFICIAL//EYES=UK"),
    ],
)
def test_what_is_wrong_is_found_and_the_higher_reading_is_kept(text: str, rule: str, label: str) -> None:
    policy = label.partition(":")[0]
    (parsed,) = [each for each in ALL.parse_mark(text, "full") if each.mark.policy == policy]
    assert rule in [finding.rule for finding in parsed.findings]
    (reading,) = [each for each in ALL.read_banner(text) if each.policy == policy]
    assert reading.label.text == label
    assert (reading.problem is None) is parsed.right


@pytest.mark.parametrize("line", ["NATO SECRET Mars, NATO ONLY", "NATO/KFOR is here to stay", "SECRET - UK ready"])
def test_a_sentence_is_no_mark(line: str) -> None:
    assert [each for each in ALL.read_banner(line) if not each.problem] == []


def test_a_context_is_one_that_a_reader_must_hold() -> None:
    kfor, plain = NATO.parse("NATO/KFOR SECRET"), NATO.parse("NATO SECRET")
    assert not kfor <= plain
    assert plain <= kfor
    assert NATO.parse("NATO KFOR SECRET") is kfor
    assert NATO.portion(kfor) == "(NS-KFOR)"
    assert NATO.read_portion("(NS-KFOR) Text")[0][0].label is kfor


def test_what_no_words_are_for_is_shown_as_its_text() -> None:
    """Two contexts at once, and one at COSMIC TOP SECRET, which has no place for it."""
    two = NATO.parse("NATO/KFOR SECRET") | NATO.parse("NATO/EAPC SECRET")
    high = NATO.parse("NATO/KFOR SECRET") | NATO.parse("COSMIC TOP SECRET")
    for label in (two, high):
        assert NATO.banner(label) == label.text
        with pytest.raises(MarkingError):
            NATO.render(NATO.marks(label)[0])
    assert NATO.portion(high) == "(CTS-KFOR)"


def test_a_list_that_leaves_nato_out_is_open_to_nobody() -> None:
    (parsed,) = NATO.parse_mark("NATO SECRET United Kingdom, United States of America ONLY", "full")
    assert not parsed.findings
    label = NATO.label(parsed.mark)
    assert label.text == "nato:NATO SECRET//REL="
    assert not label <= NATO.parse("NATO SECRET")
    with pytest.raises(MarkingError):
        NATO.render(Mark("nato", "NATO SECRET", (("CONTEXT", ("MARS",)),)))


def test_what_gives_no_access_rule_refuses_nobody() -> None:
    staff = NATO.parse("NATO SECRET - STAFF")
    assert not staff <= NATO.parse("NATO SECRET")
    assert staff <= NATO.clearance("NATO SECRET")
    personal = ALL.parse("OFFICIAL-SENSITIVE//PERSONAL")
    assert personal <= ALL.clearance("uk:SECRET")
    assert not ALL.parse("OFFICIAL-SENSITIVE") <= ALL.parse("OFFICIAL")


def test_names_that_a_site_declares() -> None:
    site = Policies.load(["uk"], ['extends = "uk"\ntokens.CODEWORD = ["OVERLORD"]'])
    label = site.parse("TOP SECRET//OVERLORD")
    assert site.banner(label) == "TOP SECRET//OVERLORD"
    assert [each.problem for each in ALL.read_banner("TOP SECRET//OVERLORD")] == ["unknown control OVERLORD"]


@pytest.mark.parametrize("name", [name for name in PACKAGED if name not in ("house", "integrity")])
def test_every_policy_names_its_source_in_two_languages(name: str) -> None:
    policy = Policies.load([name]).listed[name]
    assert len(policy.source) > 60
    assert policy.title["en"]
    assert policy.title["fr"]


def test_a_suffix_may_differ_by_language_or_not() -> None:
    text = """
        name = "x"
        version = "1"
        title = { en = "X", fr = "X" }
        source = "nobody"
        levels = [{ name = "LOW", portion = "L", colour = ["#000000", "#ffffff"] }]
        [[categories]]
        name = "WHO"
        type = "permissive"
        section = 1
        owner = "A"
        tokens = ["A", "B"]
        list = { prefix = { en = "" }, portion = "", order = 1, suffix = %s }
    """
    for suffix, french in (('" SEE"', "LOW//B SEE"), ('{ en = " SEE", fr = " VOIR" }', "LOW//B VOIR")):
        policies = Policies([read_policy(text % suffix, "x")])
        label = policies.parse("LOW//B SEE")
        assert label.text == "x:LOW//WHO=A,B"
        assert policies.banner(label, "fr") == french
    with pytest.raises(Misconfigured):
        read_policy(text % "3", "x")


def test_a_label_of_two_policies_is_written_in_both() -> None:
    both = ALL.parse("eu:EU SECRET") | ALL.parse("nato:NATO SECRET")
    assert ALL.banner(both) == "NATO SECRET + SECRET UE/EU SECRET"
    assert ALL.parse(ALL.banner(both)) is both
    assert make_label({}) is ALL.bottom()
