"""Access tokens: right ones name a subject, and every way of being wrong looks the same."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.clock import SECOND
from casemate.crypto import foreign
from casemate.errors import BadInput, Unauthenticated
from casemate.identity import jwks, token
from casemate.identity.jws import take_apart
from casemate.identity.outsider import Outsider
from casemate.identity.strict import from_base64url, object_of, to_base64url
from tests.identity.provider import AUDIENCE, ISSUER, Provider, forged

NOW = 1_790_000_000
RIGHT, OTHER = Provider(), Provider("https://other.test")
ALL = frozenset(foreign.ALGORITHMS)
COMMON = frozenset({"RS256", "ES256"})


def known(algorithms: frozenset[str] = ALL, **more: Any) -> Any:
    every = {
        each.issuer: token.Provider(each.issuer, AUDIENCE, jwks.parse(each.jwks()), algorithms, **more)
        for each in (RIGHT, OTHER)
    }
    return every.get


def judge(text: str, provider: Any = None, now: float = NOW) -> Outsider:
    return token.verify(text, provider or known(), int(now * SECOND))


@pytest.mark.parametrize("algorithm", sorted(foreign.ALGORITHMS))
def test_a_right_token_names_its_subject_and_nothing_else(algorithm: str) -> None:
    text = RIGHT.token(NOW, algorithm, clearance="TOP SECRET", roles=["officer"], groups=["admins"])
    assert judge(text) == Outsider("oidc", ISSUER, "ann")
    assert judge(text).text == f"oidc\x00{ISSUER}\x00ann"


@pytest.mark.parametrize(
    "claims",
    [{"aud": [AUDIENCE, "other"]}, {"nbf": NOW + 59}, {"iat": NOW + 59}, {"iat": NOW + 0.5}, {"exp": NOW - 59}],
    ids=str,
)
def test_what_a_right_token_may_say(claims: dict[str, Any]) -> None:
    assert judge(RIGHT.token(NOW, **claims)).subject == "ann"


def test_types_and_key_ids() -> None:
    for type in ("JWT", "at+JWT", "application/at+jwt"):
        judge(RIGHT.token(NOW, head={"typ": type}))
    judge(RIGHT.token(NOW, head={"kid": None}))  # only one key is for this algorithm
    judge(RIGHT.token(NOW, head={"x5t": "informative"}))


def test_another_claim_may_be_the_subject() -> None:
    assert judge(RIGHT.token(NOW, upn="ann@x"), known(claim="upn")).subject == "ann@x"
    with pytest.raises(Unauthenticated):
        judge(RIGHT.token(NOW), known(claim="upn"))


@pytest.mark.parametrize("name", sorted(forged(RIGHT, OTHER, NOW)))
def test_forged_tokens_look_alike(name: str) -> None:
    text = forged(RIGHT, OTHER, NOW)[name]
    provider = known(COMMON)
    if name == "another's key":
        provider = {ISSUER: provider(ISSUER)}.get
    with pytest.raises(Unauthenticated) as told:
        judge(text, provider)
    assert (type(told.value), told.value.facts) == (Unauthenticated, {})


def test_unknown_and_wrong_cost_one_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str]] = []
    real = foreign.signed_by

    def counting(key: foreign.PublicKey, algorithm: str, data: bytes, signature: bytes) -> bool:
        counted.append((key.type, algorithm))
        return real(key, algorithm, data, signature)

    monkeypatch.setattr(token, "signed_by", counting)
    shown = [
        RIGHT.token(NOW),
        RIGHT.token(NOW, iss="https://nobody.test"),
        RIGHT.token(NOW, head={"kid": "nobody"}),
        OTHER.token(NOW, iss=ISSUER),
    ]
    told = []
    for text in shown:
        counted.clear()
        with contextlib.suppress(Unauthenticated):
            judge(text)
        told.append(list(counted))
    assert told == [[("P-256", "ES256")]] * 4


@pytest.mark.parametrize("algorithm", [*sorted(foreign.ALGORITHMS), "HS256"])
def test_a_decoy_believes_nothing(algorithm: str) -> None:
    key = foreign.decoy(algorithm)
    used = algorithm if algorithm != "HS256" else "ES256"
    assert key.type == foreign.ALGORITHMS[used][0]
    assert not foreign.signed_by(key, used, b"x", b"y" * (foreign.ALGORITHMS[used][1] or 256))


def test_a_large_token_is_not_read() -> None:
    text = "a" * (8 << 20) + ".b.c"
    tracemalloc.start()
    with pytest.raises(Unauthenticated):
        take_apart(text)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@given(st.text(max_size=200) | st.binary(max_size=200).map(to_base64url))
def test_whatever_is_no_token_is_nobodys(text: str) -> None:
    for shown in (text, f"{text}.{text}.{text}"):
        with pytest.raises(Unauthenticated):
            judge(shown)


@given(st.data())
def test_no_byte_of_a_token_can_be_changed(data: st.DataObject) -> None:
    good = RIGHT.token(NOW)
    place = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("ABCabc019-_.").filter(lambda c: c != good[place]))
    with pytest.raises(Unauthenticated):
        judge(good[:place] + other + good[place + 1 :])


@given(st.binary(max_size=64))
def test_base64url_has_one_spelling(raw: bytes) -> None:
    text = to_base64url(raw)
    assert from_base64url(text) == raw
    if len(raw) % 3:
        last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        stray = text[:-1] + last[last.index(text[-1]) ^ 1]
        with pytest.raises(ValueError):
            from_base64url(stray)
    for wrong in (text + "=", text + "\n", "+" + text, "a"):
        with pytest.raises(ValueError):
            from_base64url(wrong)


@pytest.mark.parametrize("raw", [b'{"a":1,"a":1}', b"[]", b"1", b"NaN", b'{"a":Infinity}', b"\xff", b"", b"{" * 9000])
def test_json_of_two_readings(raw: bytes) -> None:
    with pytest.raises(ValueError):
        object_of(raw)


def keys(*jwk: dict[str, Any]) -> bytes:
    return json.dumps({"keys": list(jwk)}).encode()


def test_a_key_set_keeps_what_signs() -> None:
    es = RIGHT.jwk("ES256")
    symmetric = {"kty": "oct", "k": "AAAA", "kid": "o"}
    kept = jwks.parse(
        keys(
            es,
            symmetric,
            {**RIGHT.jwk("RS256"), "use": "enc"},
            {**RIGHT.jwk("PS256"), "alg": "RSA-OAEP"},
            {**RIGHT.jwk("EdDSA"), "key_ops": ["sign"]},
            {**RIGHT.jwk("ES384"), "crv": "P-521"},
            {**RIGHT.jwk("ES384"), "kid": 7},
        )
    )
    assert [each.kid for each in kept.keys] == ["es256"]
    assert kept.find("es256", "ES256") is not None
    assert kept.find("es256", "RS256") is None
    assert kept.find("es256", "HS256") is None
    both = jwks.parse(keys(es, {**OTHER.jwk("ES256"), "kid": "two"}))
    assert both.find("", "ES256") is None  # it could mean either


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"keys":{}}',
        b'{"keys":[7]}',
        b'{"keys":[]}',
        keys(*[RIGHT.jwk("ES256")] * 65),
        keys(RIGHT.jwk("ES256"), OTHER.jwk("ES256")),
        keys({**RIGHT.jwk("ES256"), "d": "AAAA"}),
        keys({**RIGHT.jwk("ES256"), "x": "AAAA"}),
        keys({**RIGHT.jwk("ES256"), "x": RIGHT.jwk("ES256")["y"]}),
        keys({**RIGHT.jwk("RS256"), "e": "Aw"}),
        keys({**RIGHT.jwk("RS256"), "n": "AQAB"}),
        keys({**RIGHT.jwk("EdDSA"), "x": "AAAA"}),
        keys({"kty": "EC", "crv": "P-256"}),
        b" " * (300 << 10),
    ],
    ids=lambda raw: raw[:40].decode(),
)
def test_key_sets_that_cannot_be(raw: bytes) -> None:
    with pytest.raises(BadInput):
        jwks.parse(raw)


@pytest.mark.parametrize(
    "parts",
    [("saml", "i", "s"), ("oidc", "", "s"), ("oidc", "i", ""), ("fingerprint", "i", "s"), ("oidc", "i", "\x00")],
)
def test_names_that_cannot_be(parts: tuple[str, str, str]) -> None:
    with pytest.raises(BadInput):
        Outsider(*parts)
