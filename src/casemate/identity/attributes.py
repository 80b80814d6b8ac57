"""Attribute files: what an attribute authority says of people outside, signed. Pure.

    {"payload": BASE64URL, "signature": BASE64URL, "key": FINGERPRINT}      the payload's bytes are what is signed

The payload is a `Statement` in JSON. Whoever signs in says who he is; what he may see stands here or in a binding, and
nowhere else. A statement is for one region, has a number that only rises and an end, so that it can be neither carried
to another region, nor replaced by an older one, nor kept for ever. It may also take away: `revoked` names principals of
the region itself, who are cleared for nothing from then on.
"""

from __future__ import annotations

import hashlib
import tomllib

import msgspec

from casemate.crypto.foreign import PublicKey, signed_by, spki_key
from casemate.crypto.sign import Signer
from casemate.errors import BadInput
from casemate.identity.strict import from_base64url, object_of, to_base64url

__all__ = [
    "LIMIT",
    "ROLES",
    "Statement",
    "Subject",
    "authority_key",
    "fingerprint",
    "opened",
    "public_text",
    "shown",
    "sign",
    "statement",
]

LIMIT = 2 << 20  # bytes of a file
MOST = 2000  # subjects
ROLES = ("user", "auditor", "operator")  # nobody outside makes an officer or a releaser
_DOMAIN = b"casemate attributes v1\x00"
_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`scheme` oidc or certificate. `clearance` and `floor` are markings; without `floor` it is the clearance.

    `needs` are authorizations beside the clearance. `not_before` and `not_after` (RFC 3339) are its own, "" for none;
    it ends with the statement at the latest.
    """

    issuer: str
    subject: str
    clearance: str
    agencies: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("user",)
    floor: str = ""
    scheme: str = "oidc"
    needs: tuple[str, ...] = ()
    not_before: str = ""
    not_after: str = ""


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an authority says to one region: `number` rises with each, `not_after` is RFC 3339.

    `revoked`: names of principals of the region who have no clearance and no role any more.
    """

    authority: str
    region: str
    number: int
    not_after: str
    subjects: tuple[Subject, ...]
    revoked: tuple[str, ...] = ()


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    signature: str
    key: str


def statement(text: bytes) -> Statement:
    """The statement in JSON or TOML, as its author writes it. Raises BadInput."""
    try:
        plain = object_of(text) if text.lstrip().startswith(b"{") else tomllib.loads(text.decode("utf-8"))
        found = msgspec.convert(plain, Statement)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(what=f"This is no attribute statement: {error}.") from None
    _checked(found)
    return found


def sign(found: Statement, signer: Signer) -> bytes:
    """The attribute file, signed with Ed25519."""
    _checked(found)
    payload = msgspec.json.encode(found)
    made = signer.sign(_DOMAIN + payload)
    key = fingerprint(spki_key(_ED25519_SPKI + signer.public))
    return msgspec.json.encode(_Signed(to_base64url(payload), to_base64url(made), key))


def opened(raw: bytes, key: PublicKey) -> Statement:
    """The statement in an attribute file of that authority. Raises BadInput."""
    payload, signature = _parts(raw)
    if not signed_by(key, key.algorithm, _DOMAIN + payload, signature):
        raise BadInput(what="The attribute file is not signed with its authority's key.")
    return statement(payload)


def shown(raw: bytes) -> Statement:
    """What an attribute file says, whoever signed it: for those who carry it. Raises BadInput."""
    return statement(_parts(raw)[0])


def authority_key(text: str) -> PublicKey:
    """A public key as casemate.toml has it: SubjectPublicKeyInfo in base64url. Raises BadInput."""
    try:
        return spki_key(from_base64url(text.strip()))
    except ValueError:
        raise BadInput(what="A public key is its SubjectPublicKeyInfo in base64url.") from None


def public_text(signer: Signer) -> str:
    """The line for casemate.toml of a signing key of ours."""
    return to_base64url(_ED25519_SPKI + signer.public)


def fingerprint(key: PublicKey) -> str:
    """SHA-384 of the key's SubjectPublicKeyInfo, in hex."""
    return hashlib.sha384(key.spki).hexdigest()


def _parts(raw: bytes) -> tuple[bytes, bytes]:
    """Payload and signature. Raises BadInput."""
    if len(raw) > LIMIT:
        raise BadInput(what=f"An attribute file has at most {LIMIT} bytes.")
    try:
        signed = msgspec.convert(object_of(raw), _Signed)
        return from_base64url(signed.payload), from_base64url(signed.signature)
    except (ValueError, msgspec.ValidationError):
        raise BadInput(what="This is no signed attribute file.") from None


def _checked(found: Statement) -> None:
    if not 0 < found.number < 1 << 53 or max(len(found.subjects), len(found.revoked)) > MOST:
        raise BadInput(what=f"An attribute statement has a number from 1 on, and at most {MOST} subjects.")
    named = [(each.scheme, each.issuer, each.subject) for each in found.subjects]
    if len(named) != len(set(named)):
        raise BadInput(what="A subject stands twice in the attribute statement.")
    for each in found.subjects:
        if each.scheme not in ("oidc", "certificate") or not each.roles or set(each.roles) - set(ROLES):
            raise BadInput(what=f"A subject is of oidc or certificate, and its roles are {', '.join(ROLES)}.")
