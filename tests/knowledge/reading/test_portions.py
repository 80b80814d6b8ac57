"""Marks in a document: read where they are clear, quarantined where they are not, never read downwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.knowledge.reading.portions import HEADING, Block, Marked, Outcome, Quarantine, Unmarked, outer, read
from casemate.labels import Label, Policies
from casemate.words import say

POLICIES = Policies.load(("us", "nato", "fr", "house", "tlp"))
US = Policies.load(("us",))
BASE = POLICIES.bottom(("EXERCISE",))


def us(marking: str) -> Label:
    return POLICIES.parse(f"us:{marking}", ("EXERCISE",))


def from_text(text: str, policies: Policies = POLICIES, **options: object) -> Outcome:
    """A document of paragraphs, pages separated by form feeds."""
    pages = text.split("\f")
    blocks = [
        Block(
            paragraph.removeprefix("# "), at if len(pages) > 1 else 0, HEADING if paragraph[:2] == "# " else "paragraph"
        )
        for at, page in enumerate(pages, start=1)
        for paragraph in (p.strip("\n") for p in page.split("\n\n"))
        if paragraph.strip()
    ]
    return read(blocks, policies, policies.bottom(("EXERCISE",)), **options)  # type: ignore[arg-type]


def marked(outcome: Outcome) -> Marked:
    assert isinstance(outcome, Marked), outcome
    return outcome


def quarantined(outcome: Outcome, reason: str) -> Quarantine:
    assert isinstance(outcome, Quarantine), outcome
    assert outcome.reason == reason
    for language in ("en", "fr"):
        for part in ("detail", "remedy"):
            assert "{" not in say(f"knowledge.quarantine.{reason}.{part}", language, **outcome.facts)
    return outcome


CABLE = """SECRET//NOFORN

# (U) Harbour watch

(U) The port of Orme is open.

(S//NF) A source reports a second convoy.

1. (C) It left on Monday.

Distribution as usual.

SECRET//NOFORN"""


def test_a_cable() -> None:
    found = marked(from_text(CABLE))
    assert found.label is us("SECRET//NOFORN")
    assert found.banner == "SECRET//NOFORN"
    assert [(p.mark, p.text, p.label) for p in found.portions] == [
        ("(U)", "Harbour watch", BASE),
        ("(U)", "The port of Orme is open.", BASE),
        ("(S//NF)", "A source reports a second convoy.", us("SECRET//NOFORN")),
        ("(C)", "1. It left on Monday.", us("CONFIDENTIAL")),
        ("", "Distribution as usual.", us("SECRET//NOFORN")),
    ]
    assert found.portions[0].kind == HEADING
    assert found.by_portions
    assert set(found.labels()) == {BASE, us("CONFIDENTIAL"), us("SECRET//NOFORN")}


def test_without_a_banner_the_whole_is_the_join_of_its_portions() -> None:
    found = marked(from_text("(U) One.\n\n(S//REL TO USA, FRA) Two.\n\nThree.", US))
    assert found.label is US.parse("SECRET//REL TO USA, FRA", ("EXERCISE",))
    assert found.portions[2].label is found.label
    assert found.banner == ""


def test_a_banner_without_portions_marks_everything() -> None:
    found = marked(from_text("TOP SECRET//SI//NOFORN\n\nOne.\n\nTwo."))
    assert {p.label for p in found.portions} == {us("TOP SECRET//SI//NOFORN")}
    assert not found.by_portions


def test_one_line_paragraphs_inside_a_block_are_cut_at_their_marks() -> None:
    found = marked(from_text("SECRET//NOFORN\n(U) One\nline.\n(S//NF) Two.\n(U) Three.\nSECRET//NOFORN"))
    assert [(p.text, p.mark) for p in found.portions] == [("One\nline.", "(U)"), ("Two.", "(S//NF)"), ("Three.", "(U)")]


def test_a_mark_that_opens_a_line_amid_a_sentence_lowers_nothing() -> None:
    found = marked(from_text("(S//NF) The mark of an open paragraph is\n(U) and it stands first.", US))
    assert {p.label for p in found.portions} == {us("SECRET//NOFORN")}
    unmarked = marked(from_text("SECRET//NOFORN\n\nThe mark of an open paragraph is\n(U) and it stands first.", US))
    assert {p.label for p in unmarked.portions} == {us("SECRET//NOFORN")}


def test_fouo_that_no_classified_banner_shows_is_no_contradiction() -> None:
    found = marked(from_text("SECRET//NOFORN\n\n(U//FOUO) Names of the crew.\n\n(S//NF) Two.", US))
    fouo = US.parse("UNCLASSIFIED//FOUO", ("EXERCISE",))
    assert found.portions[0].label is fouo
    assert found.label is fouo | us("SECRET//NOFORN")


@pytest.mark.parametrize(
    ("text", "reason", "marking"),
    [
        ("SECRET//NOFORN\n\n(TS//NF) One.", "portion-above", "(TS//NF)"),
        ("SECRET\n\n(S//SI//NF) One.", "portion-above", "(S//SI//NF)"),
        ("SECRET//REL TO USA, FRA\n\n(S//NF) One.", "portion-above", "(S//NF)"),
        ("SECRET//NOFORN\n\nOne.\n\nTOP SECRET//NOFORN\n\nTwo.", "banner-above", "TOP SECRET//NOFORN"),
        ("SECRET//NOFORN\n\nOne.\n\nCONFIDENTIAL", "banners-differ", "CONFIDENTIAL"),
        ("SECRET//NOFORN\n\n(S//ZZZZ) One.", "unknown-marking", "(S//ZZZZ)"),
        ("SECRET//NOFORN//REL TO USA, FRA\n\nOne.", "unknown-marking", "SECRET//NOFORN//REL TO USA, FRA"),
    ],
)
def test_contradictions_are_quarantined_at_the_join(text: str, reason: str, marking: str) -> None:
    found = quarantined(from_text(text, US), reason)
    assert found.facts["marking"] == marking
    assert found.label >= us("SECRET") & us("SECRET//NOFORN")
    if reason != "unknown-marking":
        assert found.label >= us("CONFIDENTIAL")


def test_a_mark_of_an_unlisted_policy_names_the_command() -> None:
    house = Policies.load(("house",))
    found = quarantined(from_text("Hello.\n\n(TS//SI//NF) World.", house), "unlisted-policy")
    assert found.facts["command"] == "casemate config policies add us"


def test_pages_with_running_headers() -> None:
    page = "Approved for use, case 7\nSECRET//NOFORN\n\n{}\n\nSECRET//NOFORN\nPage {}"
    bodies = ["(U) One two", "three goes on.", "(S//NF) Four.", "(U) Five.", "Six."]
    found = marked(from_text("\f".join(page.format(body, at) for at, body in enumerate(bodies, 1))))
    assert [(p.text, p.mark, p.page) for p in found.portions] == [
        ("One two three goes on.", "(U)", 1),
        ("Four.", "(S//NF)", 3),
        ("Five.", "(U)", 4),
        ("Six.", "", 5),
    ]
    assert found.portions[0].label is BASE
    assert found.portions[3].label is us("SECRET//NOFORN")


def test_a_page_may_be_lower_than_its_document_but_not_higher() -> None:
    lower = "SECRET//NOFORN\n\n(S//NF) One.\n\nSECRET//NOFORN\fUNCLASSIFIED\n\n(U) Two.\n\nUNCLASSIFIED"
    assert marked(from_text(lower)).label is us("SECRET//NOFORN")
    higher = "UNCLASSIFIED\n\n(U) One.\n\nUNCLASSIFIED\fSECRET//NOFORN\n\n(S//NF) Two.\n\nSECRET//NOFORN"
    quarantined(from_text(higher), "banner-above")


def test_unmarked_documents_wait_for_a_label() -> None:
    text = "Just some text.\n\nIt says (secret) in the middle (S//NF) of a line."
    found = from_text(text)
    assert isinstance(found, Unmarked)
    assert len(found.blocks) == 2
    stated = marked(from_text(text, stated=POLICIES.parse("house:INTERNAL")))
    assert {p.label for p in stated.portions} == {POLICIES.parse("house:INTERNAL", ("EXERCISE",))}


def test_a_copyright_sign_is_no_mark() -> None:
    assert isinstance(from_text("(C) 2024 Orme Shipping. All rights reserved."), Unmarked)
    assert isinstance(from_text("(c) first, (b) second"), Unmarked)
    quarantined(from_text("(C) 2024 was a quiet year.", US), "unknown-marking")
    assert marked(from_text("(C) The year 2024 was quiet.", US)).label is us("CONFIDENTIAL")


def test_marks_win_over_a_stated_label_up_to_it() -> None:
    top = POLICIES.parse("us:TOP SECRET//SI//NOFORN")
    assert marked(from_text(CABLE, stated=top)).label is us("SECRET//NOFORN")
    found = quarantined(from_text(CABLE, stated=POLICIES.parse("us:CONFIDENTIAL//NOFORN")), "above-stated")
    assert found.label is us("SECRET//NOFORN")


def test_marks_as_text_are_left_in_the_text() -> None:
    stated = POLICIES.parse("us:UNCLASSIFIED//FOUO")
    found = marked(from_text(CABLE.replace("(C)", "(TS//ZZZZ)"), stated=stated, as_text=True))
    assert found.label is us("UNCLASSIFIED//FOUO")
    assert "(S//NF) A source reports a second convoy." in [p.text for p in found.portions]
    assert not found.by_portions
    with pytest.raises(ValueError, match="stated"):
        from_text(CABLE, as_text=True)


def test_one_policy_that_reads_all_marks_is_chosen() -> None:
    """SECRET alone is American and French; beside NOFORN it is American, beside a French mark French."""
    american = marked(from_text("SECRET\n\n(S) One.\n\n(C//NF) Two.\n\nSECRET".replace("SECRET", "SECRET//NOFORN")))
    assert {policy for p in american.portions for policy, _ in p.label.elements} == {"us"}
    both = marked(from_text("SECRET\n\nOne."))
    readings = {reading.policy for reading in POLICIES.read_banner("SECRET") if not reading.problem}
    assert {policy for policy, _ in both.label.elements} == readings


def test_a_document_of_two_policies_takes_each_mark_in_its_own() -> None:
    found = marked(from_text("(S//NF) American.\n\n(NS) Allied.\n\n(U) Open."))
    assert [sorted(policy for policy, _ in p.label.elements) for p in found.portions] == [["us"], ["nato"], []]
    assert {policy for policy, _ in found.label.elements} == {"us", "nato"}


def test_a_banner_of_two_lines_is_one() -> None:
    text = "SECRET\nSPÉCIAL FRANCE\n\nUn convoi.\n\nSECRET\nSPÉCIAL FRANCE"
    french = Policies.load(("fr",))
    found = marked(from_text(text, french))
    assert found.label is french.parse("SECRET", ("EXERCISE",)) | french.parse("SPÉCIAL FRANCE", ("EXERCISE",))
    assert found.banner == "SECRET SPÉCIAL FRANCE"


LONG = "\n\n".join(f"Line {number}." for number in range(6))


def test_a_mark_amid_the_text_speaks_for_nothing() -> None:
    text = f"{LONG}\n\nUNCLASSIFIED\n\n{LONG}"
    assert isinstance(from_text(text, US), Unmarked)
    stated = US.parse("SECRET//NOFORN")
    found = marked(from_text(text, US, stated=stated))
    assert {p.label for p in found.portions} == {us("SECRET//NOFORN")}
    quarantined(from_text(f"{LONG}\n\nTOP SECRET//NOFORN\n\n{LONG}", US, stated=stated), "above-stated")
    quarantined(from_text(f"SECRET\n\n{LONG}\n\nTOP SECRET//NOFORN\n\n{LONG}", US), "banner-above")
    assert marked(from_text(f"SECRET\n\n{LONG}\n\nCONFIDENTIAL\n\n{LONG}", US)).label is us("SECRET")


def test_a_few_marked_portions_do_not_lower_what_a_label_was_stated_for() -> None:
    stated = US.parse("CONFIDENTIAL//NOFORN")
    found = marked(from_text("(U) Open.\n\nNot marked.", US, stated=stated))
    assert [p.label for p in found.portions] == [US.bottom(("EXERCISE",)), us("CONFIDENTIAL//NOFORN")]
    assert found.label is us("CONFIDENTIAL//NOFORN")


def table(*rows: str, **options: object) -> Outcome:
    blocks = [Block("Stock", kind=HEADING), *(Block(row, kind="table") for row in rows)]
    return read(blocks, US, US.bottom(("EXERCISE",)), **options)  # type: ignore[arg-type]


def test_a_cell_of_a_table_is_no_banner() -> None:
    assert isinstance(table("Level\nMeaning", "UNCLASSIFIED\nopen"), Unmarked)
    stated = US.parse("CONFIDENTIAL")
    assert marked(table("UNCLASSIFIED\nopen", stated=stated)).label is us("CONFIDENTIAL")
    quarantined(table("SECRET\nclosed", stated=stated), "above-stated")


def test_cells_and_rows_of_a_table() -> None:
    found = marked(table("(U)\nFuel\n30 t", "(S) Missiles\n4", "(C) Guns\n(U) 7"))
    fuel, whole = us("UNCLASSIFIED"), us("SECRET")
    assert [(p.text, p.label) for p in found.portions] == [
        ("Stock", whole),
        ("Fuel\n30 t", fuel),
        ("Missiles", whole),
        ("4", whole),
        ("Guns", us("CONFIDENTIAL")),
        ("7", fuel),
    ]


def test_marks_around_a_document_are_banners_of_it() -> None:
    def part(text: str, cover: str) -> Outcome:
        return read([Block(text)], US, US.bottom(("EXERCISE",)), around=outer([Block("A volume"), Block(cover)], US))

    assert isinstance(part("Text.", "Contents"), Unmarked)
    assert marked(part("Text.", "SECRET//NOFORN")).portions[0].label is us("SECRET//NOFORN")
    assert marked(part("Text.", "(C) A chapter")).portions[0].label is us("CONFIDENTIAL")
    assert [p.text for p in marked(part("(U) Text.", "(C) A chapter")).portions] == ["Text."]
    quarantined(part("(TS) Text.", "SECRET//NOFORN"), "portion-above")


def test_running_lines_that_an_extractor_names_are_read_and_not_kept() -> None:
    made = [Block("SECRET//NOFORN", 1, "header"), Block("(U) Text.", 1), Block("(C) Page 1", 1, "footer")]
    found = marked(read(made, US, US.bottom(("EXERCISE",))))
    assert [p.text for p in found.portions] == ["Text."]
    assert found.label is us("SECRET//NOFORN")
    quarantined(read([*made, Block("(TS) Page", 1, "footer")], US, US.bottom(("EXERCISE",))), "portion-above")


def test_a_numbered_list_is_not_marked() -> None:
    text = "The chapters:\n\n(A) Peace\n\n(B) War\n\n(C) Trade\n\n(D) Law"
    found = from_text(text, US)
    assert isinstance(found, Unmarked)
    stated = marked(from_text(text, US, stated=US.parse("UNCLASSIFIED")))
    assert "(C) Trade" in [p.text for p in stated.portions]
    assert marked(from_text("(B) War\n\n(C) Trade", US)).label is us("CONFIDENTIAL")
    assert marked(from_text("(A) Peace\n\n(U) So.\n\n(B) War\n\n(C) Trade", US)).label is us("CONFIDENTIAL")


def test_where_no_choice_of_policies_reads_all_every_reading_counts() -> None:
    readings = {reading.policy for reading in POLICIES.read_banner("SECRET")}
    assert len(readings) > 1
    assert "nato" not in readings
    found = marked(from_text("SECRET\nNATO SECRET\n\nOne."))
    assert {policy for policy, _ in found.label.elements} == readings | {"nato"}


MARKS = ["(U)", "(C)", "(S//NF)", "(TS//SI//NF)", "(S//REL TO USA, FRA)", "(U//FOUO)", ""]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(MARKS), min_size=1, max_size=6), st.booleans())
def test_nothing_is_read_below_its_mark(chosen: list[str], banner: bool) -> None:
    paragraphs = [f"{mark} Paragraph {at}.".strip() for at, mark in enumerate(chosen)]
    own = [US.parse(mark, ("EXERCISE",)) if mark else US.bottom(("EXERCISE",)) for mark in chosen]
    whole = own[0]
    for label in own:
        whole = whole | label
    line = US.banner(whole)
    found = from_text("\n\n".join([line, *paragraphs, line] if banner else paragraphs), US)
    if isinstance(found, Unmarked):
        assert not any(chosen)
        return
    portions = marked(found).portions
    assert [p.text for p in portions] == [f"Paragraph {at}." for at in range(len(chosen))]
    for portion, label, mark in zip(portions, own, chosen, strict=True):
        assert portion.label is (label if mark else found.label)
        assert portion.label <= found.label
