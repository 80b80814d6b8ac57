"""A sign-in provider in this process: keys of every type, a key set, and tokens right and wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from casemate.identity.strict import to_base64url as b64

ISSUER, AUDIENCE = "https://login.test/realm", "https://region.test"


def number(value: int, size: int = 0) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


@dataclass
class Provider:
    """Private keys by algorithm; the key id is the algorithm's name in small letters."""

    issuer: str = ISSUER
    keys: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shared = rsa.generate_private_key(65537, 2048)
        self.keys = {
            "RS256": shared,
            "PS256": rsa.generate_private_key(65537, 2048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "ES384": ec.generate_private_key(ec.SECP384R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        }

    def jwk(self, algorithm: str) -> dict[str, str]:
        public = self.keys[algorithm].public_key()
        common = {"kid": algorithm.lower(), "use": "sig", "alg": algorithm}
        if algorithm in ("RS256", "PS256"):
            numbers = public.public_numbers()
            return {**common, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        if algorithm == "EdDSA":
            return {**common, "kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}
        size = 32 if algorithm == "ES256" else 48
        numbers = public.public_numbers()
        curve = "P-256" if algorithm == "ES256" else "P-384"
        return {**common, "kty": "EC", "crv": curve, "x": number(numbers.x, size), "y": number(numbers.y, size)}

    def jwks(self, *algorithms: str) -> bytes:
        return json.dumps({"keys": [self.jwk(each) for each in algorithms or self.keys]}).encode()

    def sign(self, algorithm: str, data: bytes, der: bool = False) -> bytes:
        key = self.keys[algorithm]
        if algorithm == "EdDSA":
            return key.sign(data)
        if algorithm == "RS256":
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if algorithm == "PS256":
            return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        made = key.sign(data, ec.ECDSA(hashes.SHA384() if algorithm == "ES384" else hashes.SHA256()))
        if der:
            return made
        size = 32 if algorithm == "ES256" else 48
        return b"".join(part.to_bytes(size, "big") for part in decode_dss_signature(made))

    def claims(self, now: float, **more: Any) -> dict[str, Any]:
        plain = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "ann",
            "iat": int(now),
            "exp": int(now) + 300,
            "client_id": "agent",
        }
        return {name: value for name, value in {**plain, **more}.items() if value is not None}

    def token(self, now: float, algorithm: str = "ES256", head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A right token, but for what a test says: a header or claim of None is left out."""
        header = {"alg": algorithm, "typ": "at+jwt", "kid": algorithm.lower(), **(head or {})}
        kept = {name: value for name, value in header.items() if value is not None}
        return self.raw(json.dumps(kept).encode(), json.dumps(self.claims(now, **claims)).encode(), algorithm)

    def raw(self, header: bytes, payload: bytes, algorithm: str = "ES256") -> str:
        """Any bytes at all, rightly signed."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.sign(algorithm, signed.encode()))}"


def forged(right: Provider, other: Provider, now: float) -> dict[str, str]:
    """Tokens of every kind that must be nobody's; `other` is a provider of its own."""
    import hashlib
    import hmac

    head = b'{"alg":"ES256","typ":"at+jwt","kid":"es256"}'
    plain = json.dumps(right.claims(now)).encode()
    good = right.token(now)
    parts = good.split(".")

    def with_head(header: dict[str, Any], seal: bytes) -> str:
        signed = f"{b64(json.dumps(header).encode())}.{b64(plain)}"
        return f"{signed}.{b64(seal)}"

    hs = {"alg": "HS256", "typ": "at+jwt", "kid": "es256"}
    signed = f"{b64(json.dumps(hs).encode())}.{b64(plain)}"
    public = json.dumps(right.jwk("ES256")).encode()
    der = right.sign("ES256", f"{parts[0]}.{parts[1]}".encode(), der=True)
    twice = plain[:-1] + b',"sub":"root"}'
    return {
        "alg none": with_head({"alg": "none", "typ": "at+jwt"}, b""),
        "alg none with a seal": with_head({"alg": "none", "typ": "at+jwt", "kid": "es256"}, b"x" * 64),
        "alg None": with_head({"alg": "nOnE", "typ": "at+jwt", "kid": "es256"}, b"x" * 64),
        "no alg": right.raw(b'{"typ":"at+jwt","kid":"es256"}', plain),
        "HS256 with the public key": f"{signed}.{b64(hmac.digest(public, signed.encode(), hashlib.sha256))}",
        "alg that is not allowed": right.token(now, "EdDSA"),
        "another's key": other.token(now),
        "another's key, this issuer": Provider.token(other, now, iss=right.issuer),
        "kid of another's": right.token(now, head={"kid": "another"}),
        "kid of another algorithm": right.token(now, head={"kid": "rs256"}),
        "wrong issuer": right.token(now, iss="https://evil.test"),
        "issuer with a slash": right.token(now, iss=right.issuer + "/"),
        "no issuer": right.token(now, iss=None),
        "issuer that is a list": right.token(now, iss=[right.issuer]),
        "wrong audience": right.token(now, aud="https://elsewhere.test"),
        "audience in a text": right.token(now, aud=AUDIENCE + " x"),
        "no audience": right.token(now, aud=None),
        "expired": right.token(now - 1000),
        "no end": right.token(now, exp=None),
        "end that is a text": right.token(now, exp=str(int(now) + 300)),
        "end that is true": right.token(now, exp=True),
        "end that is too large": right.raw(head, plain.replace(b'"exp": ', b'"exp": 1e999, "x": ')),
        "not yet": right.token(now, nbf=int(now) + 600),
        "made in the future": right.token(now, iat=int(now) + 600),
        "no beginning": right.token(now, iat=None),
        "bound to a key": right.token(now, cnf={"jkt": "x"}),
        "jwk in its header": right.token(now, head={"jwk": other.jwk("ES256")}),
        "jku in its header": right.token(now, head={"jku": "https://evil.test/jwks"}),
        "x5u in its header": right.token(now, head={"x5u": "https://evil.test/x"}),
        "x5c in its header": right.token(now, head={"x5c": ["MII"]}),
        "crit in its header": right.token(now, head={"crit": ["exp"]}),
        "b64 in its header": right.token(now, head={"b64": False}),
        "an id token's type": right.token(now, head={"typ": "id+jwt"}),
        "a logout token's type": right.token(now, head={"typ": "logout+jwt"}),
        "no type": right.token(now, head={"typ": None}),
        "type that is a number": right.token(now, head={"typ": 7}),
        "a claim twice": right.raw(head, twice),
        "alg twice": right.raw(b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"es256"}', plain),
        "huge": right.token(now, pad="x" * 20_000),
        "nested": right.raw(head, b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        "not UTF-8": right.raw(head, plain.replace(b"ann", b"\xff\xfe")),
        "not JSON": right.raw(head, b"{"),
        "a list": right.raw(head, b"[]"),
        "NaN": right.raw(head, plain[:-1] + b',"x":NaN}'),
        "no signature": f"{parts[0]}.{parts[1]}.",
        "signature of another": f"{parts[0]}.{parts[1]}.{right.token(now, sub='ben').split('.')[2]}",
        "signature of zeros": f"{parts[0]}.{parts[1]}.{b64(bytes(64))}",
        "DER for raw": f"{parts[0]}.{parts[1]}.{b64(der)}",
        "padding": good + "==",
        "a space": parts[0] + "." + parts[1] + " ." + parts[2],
        "other payload": f"{parts[0]}.{b64(plain.replace(b'ann', b'eve'))}.{parts[2]}",
        "no subject": right.token(now, sub=None),
        "empty subject": right.token(now, sub=""),
        "subject that is a number": right.token(now, sub=7),
        "subject with a control character": right.token(now, sub="a\nb"),
        "not ASCII": good[:-1] + "é",
        "dots": "..",
        "four parts": good + ".x",
    }
