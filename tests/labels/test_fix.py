"""The fixer: nothing is lowered, nothing is fixed twice, and no word that is no mark is touched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.labels import Label, Mark, Policies, fix, lint

US = Policies.load(["us"])
SEVERAL = Policies.load(["us", "nato", "tlp"])


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("(S//NF) a\n", "SECRET//NOFORN\n\n(S//NF) a\n\nSECRET//NOFORN\n"),
        ("(S//NF) a", "SECRET//NOFORN\n\n(S//NF) a\n\nSECRET//NOFORN\n"),
        ("(S//NF) a\r\n", "SECRET//NOFORN\r\n\r\n(S//NF) a\r\n\r\nSECRET//NOFORN\r\n"),
        ("---\nt: 1\n---\n(S//NF) a\n", "---\nt: 1\n---\nSECRET//NOFORN\n\n(S//NF) a\n\nSECRET//NOFORN\n"),
        ("SECRET\n\n(TS) a\n\nSECRET\n", "TOP SECRET\n\n(TS) a\n\nTOP SECRET\n"),
        ("SECRET\n\n(TS) a\n\n**SECRET**\n", "TOP SECRET\n\n(TS) a\n\n**TOP SECRET**\n"),
        ("SECRET\n\n(S) a\n\nTOP SECRET\n", "TOP SECRET\n\n(S) a\n\nTOP SECRET\n"),
        ("SECRET\nCONFIDENTIAL\n\n(TS) a\n\nTOP SECRET\n", "TOP SECRET\n\n(TS) a\n\nTOP SECRET\n"),
        ("TOP SECRET\n\n(S) a\n\nTOP SECRET\n", "TOP SECRET\n\n(S) a\n\nTOP SECRET\n"),
        ("SECRET//NOFORN\n\n[S/NF]a\n\nSECRET//NOFORN\n", "SECRET//NOFORN\n\n(S//NF) a\n\nSECRET//NOFORN\n"),
        (
            "SECRET//NOFORN\n\n(S//NF)a\n\n(S//NF) \n\nS//NF\n",
            "SECRET//NOFORN\n\n(S//NF) a\n\n(S//NF) \n\nSECRET//NOFORN\n",
        ),
        ("SECRET\n\n(SECRET) a\n\nSECRET\n", "SECRET\n\n(S) a\n\nSECRET\n"),
        (
            "secret//noforn\n\n\u200b(S//N\u200bF) a\n\nSECRET//NOFORN\n",
            "SECRET//NOFORN\n\n(S//NF) a\n\nSECRET//NOFORN\n",
        ),
        ("SECRET//NOFORN\n\n(S//XX//NF/OC) a\n\nSECRET//NOFORN\n", None),
    ],
)
def test_what_is_written(text: str, fixed: str | None) -> None:
    done = fix(US, text)
    if fixed is None:
        assert "(S//XX//NF/OC)" in done.text
    else:
        assert done.text == fixed
    assert bool(done.edits) == (done.text != text)


def test_what_a_person_has_to_say_is_left_as_it_is() -> None:
    done = fix(US, "SECRET//NOFORN\n\n(X//NF) a\n\n(S//NF x\n\nSECRET//NOFORN\n")
    assert "(X//NF) a" in done.text
    assert "(S//NF x" in done.text
    assert {"unknown-level", "unclosed"} <= {finding.rule for finding in done.linted.findings}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_banner_is_written_in_its_own_language(language: str) -> None:
    low, high = (SEVERAL.render(Mark("nato", level), language) for level in ("NATO RESTRICTED", "NATO CONFIDENTIAL"))
    assert fix(SEVERAL, f"{low}\n\n(NC) a\n\n{low}\n").text == f"{high}\n\n(NC) a\n\n{high}\n"
    assert low.isascii()
    assert high == {"en": "NATO CONFIDENTIAL", "fr": "NATO CONFIDENTIEL"}[language]


def covered(policies: Policies, label: Label) -> Label:
    """The label and what its own rules leave unwritten: FOUO, say, which no classified banner shows."""
    return policies.clearance(label.text) if label.elements else label


PIECES = st.sampled_from(
    [
        "(U) a",
        "(U//FOUO) a",
        "(S//NF) a",
        "(S/NF) a",
        "(S//NF/OC) a",
        "(S) a",
        "(C//REL TO USA, GBR) a",
        "(S//REL TO GBR, USA) a",
        "(S//REL TO USA, QQQ) a",
        "(TS//SI//NF) a",
        "(TS//SI-G//NF) a",
        "(SECRET) a",
        "[S//NF] a",
        "(S//NF)a",
        "(X//NF) a",
        "(S//WHAT) a",
        "\u200b(S//NF) a",
        "(S//N\u200bF) a",
        "(S//REL TO USA, G\u200bBR) a",
        "(s//nf) a",
        "(S//NF x",
        "(S//NF/REL TO USA, GBR) a",
        "(S//REL) a",
        "Words.",
        "- an item",
        "SECRET",
        "SECRET//NOFORN",
        "TOP SECRET//SI",
        "S//NF",
        "UNCLASSIFIED",
        "UNCLASSIFIED//FOUO",
        "secret//noforn",
        "\f",
    ]
)


@settings(max_examples=250, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9).map("\n\n".join))
def test_the_laws_of_fixing(text: str) -> None:
    before, done = lint(US, text), fix(US, text)
    after = done.linted
    if before.rolled is not None:
        assert after.rolled is not None
        assert before.rolled.label <= covered(US, after.rolled.label)  # nothing is lowered
    again = fix(US, done.text)
    assert (again.text, again.edits) == (done.text, ())  # and nothing is fixed twice
    assert not any(finding.fix is not None for finding in after.findings)  # what can be fixed has been
    bare = re.compile(r"\([^)\n]*\)|\[[^]\n]*\]|^[A-Za-z/]+(?: SECRET)?[A-Z/]*$|[^a-z.]", re.MULTILINE)
    assert bare.sub("", done.text).count("a") >= text.count(" a") - text.count("(S//NF x")  # words stay


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["(NS) a", "(S) b", "(TLP:RED) c", "(S + NS) d", "NATO SECRET", "TLP:RED"]), max_size=6)
)
def test_the_laws_hold_across_policies(pieces: list[str]) -> None:
    text = "\n\n".join(pieces)
    before, done = lint(SEVERAL, text), fix(SEVERAL, text)
    if before.rolled is not None and done.linted.rolled is not None:
        assert before.rolled.label <= covered(SEVERAL, done.linted.rolled.label)
    assert fix(SEVERAL, done.text).edits == ()
