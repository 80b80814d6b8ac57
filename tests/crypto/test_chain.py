"""Certificates of clients: each rule of the chain, broken by itself."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from casemate.crypto.chain import Anchors
from casemate.errors import BadInput, Unauthenticated
from casemate.identity.certificate import from_pem, shown
from tests.crypto.authority import Made, make, revoked

NOW = 1_790_000_000.0
ROOT = make("root", now=NOW, ca=True)
MIDDLE = make("middle", ROOT, now=NOW, ca=True)
ANN = make("ann", MIDDLE, now=NOW)
BUNDLE = ROOT.pem + MIDDLE.pem
SOMETHING = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"x")


def stands(leaf: Made, bundle: bytes = BUNDLE, lists: bytes | None = None, at: float = NOW) -> bool:
    return Anchors(bundle, lists).stands(leaf.der, int(at * 1_000_000))


def test_a_certificate_of_a_known_authority() -> None:
    assert stands(ANN)
    assert stands(make("ben", ROOT, now=NOW))
    assert stands(make("ben", ROOT, now=NOW, purpose=None))
    assert stands(make("ben", ROOT, now=NOW, purpose=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
    assert stands(make("ben", ROOT, now=NOW, basic=False))


def test_times() -> None:
    day = 86_400
    assert stands(ANN, at=NOW + 29 * day)
    assert not stands(ANN, at=NOW + 31 * day)
    assert not stands(ANN, at=NOW - 2 * day)
    old = make("old", now=NOW, ca=True, days=1)
    assert stands(make("ben", old, now=NOW), old.pem)
    assert not stands(make("ben", old, now=NOW), old.pem, at=NOW + 2 * day)


@pytest.mark.parametrize("name", ["another root of the name", "no middle", "no root", "nobody signed"])
def test_strangers(name: str) -> None:
    bundle = {
        "another root of the name": make("root", now=NOW, ca=True).pem + make("middle", ROOT, now=NOW, ca=True).pem,
        "no middle": ROOT.pem,
        "no root": MIDDLE.pem,
        "nobody signed": make("other", now=NOW, ca=True).pem,
    }[name]
    assert not stands(ANN, bundle)


def test_who_may_sign() -> None:
    leaf = make("leaf", ROOT, now=NOW)
    assert not stands(make("ben", leaf, now=NOW), ROOT.pem + leaf.pem)
    mute = make("mute", ROOT, now=NOW, ca=True, signs=False)
    assert not stands(make("ben", mute, now=NOW), ROOT.pem + mute.pem)
    plain = make("plain", ROOT, now=NOW, basic=False)
    assert not stands(make("ben", plain, now=NOW), ROOT.pem + plain.pem)
    short = make("short", now=NOW, ca=True, depth=0)
    below = make("below", short, now=NOW, ca=True)
    assert stands(make("ben", short, now=NOW), short.pem)
    assert not stands(make("ben", below, now=NOW), short.pem + below.pem)
    chain = [ROOT]
    for number in range(6):
        chain.append(make(f"n{number}", chain[-1], now=NOW, ca=True))
    assert not stands(make("ben", chain[-1], now=NOW), b"".join(each.pem for each in chain))


def test_what_a_certificate_is_for() -> None:
    assert not stands(make("ben", ROOT, now=NOW, purpose=ExtendedKeyUsageOID.SERVER_AUTH))
    assert not stands(make("ben", ROOT, now=NOW, signs=False))
    assert not stands(ROOT)
    assert not stands(make("ben", ROOT, now=NOW, ca=True))
    assert not stands(make("ben", ROOT, now=NOW, extra=SOMETHING))
    strange = make("strange", now=NOW, ca=True, extra=SOMETHING)
    assert not stands(make("ben", strange, now=NOW), strange.pem)


def test_revocation() -> None:
    lists = revoked(MIDDLE, now=NOW) + revoked(ROOT, now=NOW)
    assert stands(ANN, lists=lists)
    assert not stands(ANN, lists=revoked(MIDDLE, ANN, now=NOW) + revoked(ROOT, now=NOW))
    assert not stands(ANN, lists=revoked(MIDDLE, now=NOW) + revoked(ROOT, MIDDLE, now=NOW))
    assert not stands(ANN, lists=revoked(MIDDLE, now=NOW)), "the root's own list is missing"
    assert not stands(ANN, lists=lists, at=NOW + 8 * 86_400), "the lists are old"
    forged = revoked(MIDDLE, now=NOW, key=make("x", now=NOW).key) + revoked(ROOT, now=NOW)
    assert not stands(ANN, lists=forged)
    newer = revoked(MIDDLE, now=NOW, days=-1, begins=-3) + lists
    assert stands(ANN, lists=newer), "an old list beside a new one is passed over"
    both = revoked(MIDDLE, now=NOW) + revoked(MIDDLE, ANN, now=NOW) + revoked(ROOT, now=NOW)
    assert not stands(ANN, lists=both), "of two that are current, the one that lists it counts"


def test_what_cannot_be_read() -> None:
    anchors = Anchors(BUNDLE)
    assert not anchors.stands(b"", 0)
    assert not anchors.stands(ANN.der[:-1], int(NOW * 1e6))
    for authorities, lists in ((b"", None), (b"x", None), (BUNDLE, b""), (BUNDLE, b"x")):
        with pytest.raises(ValueError):
            Anchors(authorities, lists)


def test_a_list_of_some_certificates_only_is_refused() -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    moment = datetime.fromtimestamp(NOW, UTC)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ROOT.certificate.subject)
        .last_update(moment)
        .next_update(moment + timedelta(days=7))
        .add_extension(x509.DeltaCRLIndicator(1), critical=True)
        .sign(ROOT.key, SHA256())
    )
    with pytest.raises(ValueError):
        Anchors(BUNDLE, made.public_bytes(Encoding.PEM))


def test_who_a_certificate_says_that_he_is() -> None:
    upn = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x05a@mil")
    made = make("ann", ROOT, now=NOW, alternative=[x509.DNSName("ann.test"), upn])
    told = shown(made.der)
    assert (told.issuer, told.subject) == ("CN=root", "CN=ann")
    assert told.alternative == ("ann.test", "1.3.6.1.4.1.311.20.2.3:0c0561406d696c")
    assert from_pem(made.pem) == told
    own, names = told.outsiders()
    assert (own.scheme, own.subject, names.issuer) == ("fingerprint", told.fingerprint, "CN=root")
    assert made.der.hex() not in repr(told)
    assert shown(ANN.der).alternative == ()
    for wrong in (b"", b"x" * (70 << 10)):
        with pytest.raises(Unauthenticated):
            shown(wrong)
    for pem in (b"", made.pem * 2):
        with pytest.raises(BadInput):
            from_pem(pem)
