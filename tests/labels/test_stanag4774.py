"""Confidentiality labels of STANAG 4774: XML both ways, one label per policy, nothing read as less than it says."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.errors import MarkingError
from casemate.labels import Label, Policies, make_label
from casemate.labels.xml.stanag4774 import (
    NAMESPACE,
    ConfidentialityLabel,
    from_4774,
    label_in_4774,
    read_label,
    said_in_4774,
    to_4774,
    write_label,
)
from tests.labels.worlds import ALL, labels, marked

NS = f"{{{NAMESPACE}}}"
CREATED, REVIEW = "2026-11-21T12:00:00Z", "2031-11-21T12:00:00+01:00"
NATO = Policies.load(["nato"])
MARKS = [
    "nato:NATO/KFOR SECRET Releasable to Japan",
    "nato:NATO CONFIDENTIAL//CRYPTO - STAFF",
    "uk:OFFICIAL-SENSITIVE//PERSONAL",
    "uk:TOP SECRET - UK / US EYES ONLY",
    "eu:TRÈS SECRET UE/EU TOP SECRET",
]


def writable() -> st.SearchStrategy[Label]:
    """Labels that may rightly come about: joins of right marks of several policies, and two agencies."""
    each = st.one_of(
        *(marked(name) for name in ("house", "tlp", "us", "nato", "fr")), st.sampled_from(MARKS).map(ALL.parse)
    )
    agencies = st.sets(st.sampled_from(["EXERCISE", "ALPHA"])).map(lambda names: make_label({}, names))
    return st.lists(each | agencies, min_size=1, max_size=4).map(_join)


def _join(parts: list[Label]) -> Label:
    whole = parts[0]
    for part in parts[1:]:
        whole |= part
    return whole


@given(writable())
def test_a_label_is_what_its_xml_says(label: Label) -> None:
    documents = to_4774(ALL, label, CREATED, REVIEW)
    assert from_4774(ALL, documents, label.agencies) is label
    assert len(documents) == max(1, len(label.elements))


@given(labels())
def test_any_label_is_written_and_read_again_or_refused(label: Label) -> None:
    """What no mark can say may break a rule of its policy: it is refused, and never read as another label.

    Agencies and needs are the region's own and stay in it.
    """
    try:
        documents = to_4774(ALL, label, CREATED, REVIEW)
        again = from_4774(ALL, documents)
    except MarkingError:
        return
    assert again.elements == label.elements


def test_the_structure_of_adatp_4774() -> None:
    label = NATO.parse("NATO/KFOR SECRET//ATOMAL Releasable to Japan - STAFF")
    (document,) = to_4774(NATO, label, CREATED, REVIEW, originator="office@example.org")
    root = ET.fromstring(document)
    assert root.tag == f"{NS}originatorConfidentialityLabel"
    assert root.attrib == {"ReviewDateTime": REVIEW}
    assert [child.tag.removeprefix(NS) for child in root] == [
        "ConfidentialityInformation",
        "OriginatorID",
        "CreationDateTime",
    ]
    assert root.findtext(f"{NS}CreationDateTime") == CREATED
    whose = root.find(f"{NS}OriginatorID")
    assert whose is not None
    assert (whose.attrib, whose.text) == ({"IDType": "rfc822Name"}, "office@example.org")
    policy, classification, *categories = root[0]
    assert (policy.text, policy.attrib) == ("NATO", {"URI": "urn:oid:1.3.26.1.3.1"})
    assert (classification.text, classification.attrib) == ("SECRET", {})
    assert [(each.get("TagName"), each.get("Type"), [value.text for value in each]) for each in categories] == [
        ("Context", "PERMISSIVE", ["KFOR", "Releasable"]),
        ("Additional Sensitivity", "RESTRICTIVE", ["ATOMAL"]),
        ("Releasable To", "PERMISSIVE", ["JPN", "NATO"]),
        ("Administrative", "INFORMATIVE", ["STAFF"]),
    ]
    assert all(str(each.get("URI")).startswith("urn:oid:1.3.26.1.4.") for each in categories)


def test_several_policies_are_an_originator_s_label_and_alternatives() -> None:
    said = said_in_4774(ALL, ALL.parse("TLP:RED + nato:NATO SECRET + us:SECRET"), CREATED, REVIEW)
    assert [(each.role, each.information.policy) for each in said] == [
        ("originator", "tlp"),
        ("alternative", "us"),
        ("alternative", "NATO"),
    ]


def test_the_bottom_is_written_in_the_first_policy() -> None:
    (document,) = to_4774(ALL, ALL.bottom(["EXERCISE"]), CREATED, REVIEW)
    assert "<Classification>PUBLIC</Classification>" in document
    assert from_4774(ALL, [document]) is ALL.bottom()


def test_what_is_not_listed_is_neither_written_nor_read() -> None:
    label = ALL.parse("us:SECRET")
    with pytest.raises(MarkingError):
        to_4774(NATO, label, CREATED, REVIEW)
    with pytest.raises(MarkingError):
        from_4774(NATO, to_4774(ALL, label, CREATED, REVIEW))


@pytest.mark.parametrize("time", ["", "2026-11-21", "2026-11-21T12:00:00", "soon", "2026-11-21T12:00:00Z "])
def test_both_times_are_asked_for(time: str) -> None:
    label = NATO.parse("NATO SECRET")
    for created, review in ((time, REVIEW), (CREATED, time)):
        with pytest.raises(MarkingError):
            to_4774(NATO, label, created, review)


def test_a_label_written_and_read_is_the_same_label() -> None:
    for said in said_in_4774(ALL, ALL.parse("TLP:RED + us:SECRET"), CREATED, REVIEW, originator="a@example.org"):
        assert read_label(write_label(said)) == said
        assert read_label(write_label(said).encode()) == said


GOOD = to_4774(NATO, NATO.parse("NATO SECRET//ATOMAL Releasable to Japan - STAFF"), CREATED, REVIEW)[0]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("originatorConfidentialityLabel", "confidentialLabel", "not a confidentiality label"),
        (NAMESPACE, "urn:other", "not a confidentiality label"),
        ("<CreationDateTime>", "<Colour>red</Colour><CreationDateTime>", "no place"),
        ("<Classification>", "<PrivacyMark>mine</PrivacyMark><Classification>", "no place"),
        ("<Classification>SECRET</Classification>", "", "not there"),
        ("<Classification>SECRET</Classification>", "<Classification>SECRET</Classification>" * 2, "exactly once"),
        (">SECRET<", ">GEHEIM<", "not a level"),
        (">NATO</PolicyIdentifier>", ">OTAN</PolicyIdentifier>", "not listed"),
        ('Type="RESTRICTIVE"', 'Type="restrictive"', "RESTRICTIVE, PERMISSIVE or INFORMATIVE"),
        ('Type="RESTRICTIVE"', 'Type="INFORMATIVE"', "another kind"),
        ('Type="INFORMATIVE"', 'Type="RESTRICTIVE"', "another kind"),
        ('TagName="Additional Sensitivity"', 'TagName=""', "a tag name"),
        ('TagName="Additional Sensitivity"', 'TagName="Caveat"', "not a category"),
        ("<GenericValue>ATOMAL</GenericValue>", "", "or none"),
        ("<GenericValue>ATOMAL</GenericValue>", "<GenericValue>ATOMAL</GenericValue>" * 2, "twice"),
        ("<GenericValue>ATOMAL</GenericValue>", "<IntegerValue>1</IntegerValue>", "no place"),
        (">ATOMAL<", ">SPECIAL<", "not a value"),
        (">JPN<", ">EAPC<", "no recipient"),
        (">JPN<", ">XXX<", "not a value"),
        ("<GenericValue>Releasable</GenericValue>", "", "contradicts"),
        ("<GenericValue>JPN</GenericValue>", "", "contradicts"),
        ("<GenericValue>Releasable</GenericValue>", "<GenericValue>KFOR</GenericValue>", "contradicts"),
        ("<GenericValue>Releasable</GenericValue>", "<GenericValue>MARS</GenericValue>", "contradicts"),
        ('TagName="Administrative" URI="urn:oid:1.3.26.1.4.3"', 'TagName="CONTEXT"', "contradicts"),
    ],
    ids=str,
)
def test_what_is_not_a_label_of_the_policy_is_refused(old: str, new: str, why: str) -> None:
    assert GOOD.count(old) in (1, 2)
    with pytest.raises(MarkingError) as refused:
        from_4774(NATO, [GOOD.replace(old, new)])
    assert why in str(refused.value.facts["why"]) or why == "contradicts"


def test_a_list_without_its_owner_is_refused() -> None:
    with pytest.raises(MarkingError):
        from_4774(
            NATO,
            [
                GOOD.replace(
                    "<GenericValue>JPN</GenericValue><GenericValue>NATO</GenericValue>",
                    "<GenericValue>JPN</GenericValue>",
                )
            ],
        )


def test_a_category_twice_is_refused_and_two_kinds_of_one_are_not() -> None:
    stranger = '<Category Type="RESTRICTIVE" TagName="{}"><GenericValue>BOHEMIA</GenericValue></Category></Conf'
    with pytest.raises(MarkingError):
        from_4774(NATO, [GOOD.replace("</Conf", stranger.format("additional sensitivity"), 1)])


def test_two_labels_of_one_policy_and_none_are_refused() -> None:
    for documents in ([GOOD, GOOD], []):
        with pytest.raises(MarkingError):
            from_4774(NATO, documents)


def test_letters_are_compared_without_their_case_and_times_may_be_missing() -> None:
    plain = GOOD.replace(">SECRET<", ">Secret<").replace(">JPN<", ">jpn<").replace("Releasable To", "RELEASABLE TO")
    plain = plain.replace(f' ReviewDateTime="{REVIEW}"', "").replace(
        f"<CreationDateTime>{CREATED}</CreationDateTime>", ""
    )
    assert from_4774(NATO, [plain]) is from_4774(NATO, [GOOD])
    read = read_label(plain)
    assert (read.created, read.review, read.originator) == ("", "", "")


def test_the_older_root_is_the_originator_s_and_the_metadata_s_label_is_not_the_data_s() -> None:
    older = GOOD.replace("originatorConfidentialityLabel", "ConfidentialityLabel")
    assert read_label(older).role == "originator"
    about = GOOD.replace("originatorConfidentialityLabel", "metadataConfidentialityLabel")
    assert from_4774(NATO, [about, GOOD]) is from_4774(NATO, [GOOD])
    with pytest.raises(MarkingError):
        from_4774(NATO, [about])


def test_two_contexts_at_once_are_not_written() -> None:
    """The tag is PERMISSIVE: to name two would open the label to the holders of either."""
    both = NATO.parse("NATO/KFOR SECRET") | NATO.parse("NATO/EAPC SECRET")
    with pytest.raises(MarkingError):
        to_4774(NATO, both, CREATED, REVIEW)
    assert NATO.banner(both) == both.text


def test_an_only_list_is_read_as_those_whom_it_names() -> None:
    only = GOOD.replace("Releasable To", "Only").replace("<GenericValue>Releasable</GenericValue>", "")
    label = from_4774(NATO, [only])
    assert label is NATO.parse("NATO SECRET//ATOMAL Releasable to Japan - STAFF")


def test_an_only_list_beside_a_list_of_release_is_refused() -> None:
    only = '<Category Type="PERMISSIVE" TagName="Only"><GenericValue>NATO</GenericValue></Category></Conf'
    with pytest.raises(MarkingError):
        from_4774(NATO, [GOOD.replace("</Conf", only, 1)])


@given(st.text())
def test_any_text_raises_nothing_but_a_marking_error(text: str) -> None:
    with pytest.raises(MarkingError):
        read_label(text)


def test_a_label_is_a_value() -> None:
    (said,) = said_in_4774(NATO, NATO.parse("NATO SECRET"), CREATED, REVIEW)
    assert isinstance(said, ConfidentialityLabel)
    assert label_in_4774(NATO, [said]) is NATO.parse("NATO SECRET")
