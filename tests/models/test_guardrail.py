"""What a guardrail finds, by kind; and that what cannot be searched counts as found."""

from __future__ import annotations

from typing import Any

import pytest

from casemate.models.guardrail import GUARDRAIL, PII, Guardrail, Rule, assess


def holding(*rules: Rule) -> Guardrail:
    return Guardrail(
        name="g", rules=rules, blocked_input="i", blocked_output="o", owner="p", created=1, updated=1, tags={"a": "b"}
    )


def masking(**rule: Any) -> Rule:
    return Rule(inputs="ANONYMIZE", outputs="ANONYMIZE", **rule)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("EMAIL", "to a.b@c-d.example, now", "to {EMAIL}, now"),
        ("EMAIL", "to a@b now", "to a@b now"),
        ("URL", "see HTTPS://a.example/b?c=d now", "see {URL} now"),
        ("IP_ADDRESS", "10.0.0.256 and 10.0.0.255", "10.0.0.256 and {IP_ADDRESS}"),
        ("MAC_ADDRESS", "00:1a:2B:3c:4d:5e", "{MAC_ADDRESS}"),
        ("CREDIT_DEBIT_CARD_NUMBER", "4111 1111 1111 1111", "{CREDIT_DEBIT_CARD_NUMBER}"),
        ("CREDIT_DEBIT_CARD_NUMBER", "4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "DE89 3704 0044 0532 0130 00.", "{INTERNATIONAL_BANK_ACCOUNT_NUMBER}."),
        ("INTERNATIONAL_BANK_ACCOUNT_NUMBER", "DE88 3704 0044 0532 0130 00.", "DE88 3704 0044 0532 0130 00."),
        ("US_SOCIAL_SECURITY_NUMBER", "123-45-6789", "{US_SOCIAL_SECURITY_NUMBER}"),
        ("AWS_ACCESS_KEY", "AKIAABCDEFGHIJKLMNOP", "{AWS_ACCESS_KEY}"),
    ],
)
def test_personal_data_by_its_form(kind: str, text: str, said: str) -> None:
    assert kind in PII
    verdict = assess(holding(masking(kind="pii", name=kind)), "INPUT", text, {})
    assert (verdict.text, verdict.blocked, verdict.changed) == (said, False, said != text)


@pytest.mark.parametrize(
    ("word", "text", "there"),
    [
        ("Fog", "the FOG.", True),
        ("fog", "foghorn fog", True),
        ("fog", "foghorn", False),
        ("(x)", "a(x)b", True),
        ("two words", "Two\n  Words", True),
        ("strasse", "Straße", True),
    ],
)
def test_words(word: str, text: str, there: bool) -> None:
    assert assess(holding(Rule(kind="word", name=word)), "INPUT", text, {}).blocked is there


def test_topics_by_name_and_examples() -> None:
    rule = Rule(kind="topic", name="moles", phrases=("who spies",))
    assert [f.match for f in assess(holding(rule), "OUTPUT", "Who spies on moles?", {}).found] == ["moles", "who spies"]


def test_sides_and_what_is_only_told() -> None:
    rule = Rule(kind="word", name="fog", inputs="OFF", outputs="NONE")
    assert assess(holding(rule), "INPUT", "fog", {}).found == ()
    told = assess(holding(rule), "OUTPUT", "fog", {})
    assert ([f.action for f in told.found], told.blocked, told.changed) == (["NONE"], False, False)


def test_overlapping_masks_are_one() -> None:
    rules = (masking(kind="regex", name="A", pattern="bcd"), masking(kind="regex", name="B", pattern="abc"))
    assert assess(holding(*rules), "INPUT", "xabcdx", {}).text == "x{B}x"


def test_what_the_house_finds() -> None:
    rule = masking(kind="regex", name="m", pattern="casemate:marks")
    assert assess(holding(rule), "INPUT", "abc", {"casemate:marks": lambda _: [(0, 1)]}).text == "{m}bc"


def test_a_search_that_cannot_end_in_its_budget_blocks() -> None:
    rule = masking(kind="regex", name="heavy", pattern="(a?){300}c")
    verdict = assess(holding(rule), "INPUT", "a" * 2000, {})
    assert verdict.blocked


def test_it_is_stored_as_it_is() -> None:
    kept = holding(Rule(kind="word", name="fog", told={"text": "fog"}))
    assert GUARDRAIL.decode(GUARDRAIL.encode(kept)) == kept
