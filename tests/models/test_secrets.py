"""Forms of secrets: each is found, with exactly its span; what only speaks of one is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.identity.keys import make_key
from casemate.models.secrets import FORMS, found_in

A40 = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdEfGh1"
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA" * 8 + "\n-----END RSA PRIVATE KEY-----"
HELD = {
    "private-key": PEM,
    "casemate-key": make_key(bytes(range(48))).text,
    "aws-key": "AKIAIOSFODNN7ABCDEFG",
    "github-token": f"ghp_{A40}",
    "gitlab-token": f"glpat-{A40[:20]}",
    "slack-token": "xoxb-1234567890-abcdefghij",
    "stripe-key": f"sk_live_{A40[:24]}",
    "google-key": f"AIza{A40[:35]}",
    "model-key": f"sk-ant-api03-{A40}",
    "huggingface-token": f"hf_{A40[:34]}",
    "npm-token": f"npm_{A40[:36]}",
    "pypi-token": f"pypi-AgEIcHlwaS5vcmc{A40}{A40}",
    "sendgrid-key": f"SG.{A40[:22]}.{A40}",
    "jwt": f"eyJ{A40}.eyJ{A40}.{A40}",
}
WITHIN = {
    "azure-key": ("AccountKey=", A40 + A40 + "=="),
    "url-password": ("postgres://app:", "Pa55word!x"),
    "password": ('"db_password": "', "hunter2Kx91qq"),
}
AFTER = {"url-password": "@db.example/x", "password": '"'}


def test_every_form_has_its_case() -> None:
    assert {form.rule for form in FORMS} == {*HELD, *WITHIN}


@pytest.mark.parametrize("before", ["", "Use ", "x\n   12\t", '{"key": "', "key="])
@pytest.mark.parametrize("rule", HELD)
def test_a_secret_is_found_where_it_stands(rule: str, before: str) -> None:
    text = f"{before}{HELD[rule]}\n"
    assert list(found_in(text)) == [(rule, len(before), len(before) + len(HELD[rule]))]


@pytest.mark.parametrize("rule", WITHIN)
def test_a_secret_behind_its_name(rule: str) -> None:
    name, secret = WITHIN[rule]
    text = f"See {name}{secret}{AFTER.get(rule, '')} there"
    ((found, start, end),) = found_in(text)
    assert (found, text[start:end]) == (rule, secret)


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=hunter2Kx91qq",
        "password: 'hunter2Kx91qq'",
        '{\\"api_key\\": \\"hunter2Kx91qq\\"}',
        "access-token => hunter2Kx91qq",
        "credentials := hunter2Kx91qq;",
    ],
)
def test_passwords_as_files_write_them(text: str) -> None:
    ((rule, start, end),) = found_in(text)
    assert (rule, text[start:end]) == ("password", "hunter2Kx91qq")


@pytest.mark.parametrize(
    "text",
    [
        "The harbour is closed today.",
        "AKIAIOSFODNN7EXAMPLE",
        "password = hashlib.sha256(x)",
        "api_key = os.environ['API_KEY_1']",
        "password=changeme123",
        "secret: ${VAULT_SECRET_1}",
        "password=aaaaaaaa1111",
        "password=correcthorsebatterystaple",
        "max_tokens=4096abcdef, next_page_token: CAUQAA1234",
        "'-----BEGIN PRIVATE KEY-----' in text",
        "https://user@host/path and https://user:***@host",
        "task-management-and-other-long-names-of-branches",
    ],
)
def test_what_only_speaks_of_secrets_is_none(text: str) -> None:
    assert list(found_in(text)) == []


def test_a_key_that_is_cut_is_found_as_far_as_it_goes() -> None:
    cut = PEM[:100]
    assert [rule for rule, _, _ in found_in(cut)] == ["private-key"]


def test_what_overlaps_is_told_once() -> None:
    text = f"password={HELD['github-token']}"
    assert len(list(found_in(text))) == 1


@given(st.lists(st.sampled_from([*HELD.values(), "plain words", "=", "\n", "password=", "eyJ", "-----BEGIN "])))
def test_spans_are_in_order_and_inside(parts: list[str]) -> None:
    text = " ".join(parts)
    place = 0
    for _, start, end in found_in(text):
        assert place <= start < end <= len(text)
        place = end
