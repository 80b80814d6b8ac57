"""Keys for clients and cookies for the console: a floor, a ceiling and an end, never more than their owner may.

A key is shown once. What stays is a digest; a SigV4 secret is derived again from the credential key and a generation.
"""

from __future__ import annotations

import msgspec

from casemate.access import CREDENTIAL, CredentialRecord, Enrol, Flow, is_outside
from casemate.accounts.project import named_project
from casemate.clock import SECOND
from casemate.errors import Absent, BadInput, Refused
from casemate.identity import digest_of, make_key
from casemate.ids import short
from casemate.labels import Label
from casemate.objects import Delete, Found, Kind, Put
from casemate.policy import authorizations

__all__ = ["Key", "KeyRequest", "close_console", "issue", "keys", "open_console", "revoke"]

DAY = 86_400 * SECOND
CONSOLE_HOURS = 8
CLIENTS = ("openai", "anthropic", "boto3")
LONGEST_DAYS = 366


class KeyRequest(msgspec.Struct, frozen=True):
    """`client`: openai, anthropic or boto3 (SigV4). Floor and ceiling as labels or markings; both default to
    the acting label. `needs` are the authorizations that its ceiling has beside: those that its requests may act with.

    `project` is what the key's requests are counted under, where their acting label dominates the one at which the key
    was issued; elsewhere, and without it, they are counted under the default project.
    """

    client: str = "openai"
    floor: str = ""
    ceiling: str = ""
    days: int = 90
    name: str = ""
    principal: str = ""
    project: str = ""
    needs: tuple[str, ...] = ()


class Key(msgspec.Struct, frozen=True):
    """A key as listed: everything but its secret."""

    id: str
    owner: str
    owner_name: str
    client: str
    floor: str
    ceiling: str
    expires: int
    name: str = ""
    project: str = ""


KEY = Kind("key", Key, indexed=("owner",))


def _range(flow: Flow, request: KeyRequest, owner: Label) -> tuple[Label, Label]:
    """Floor and ceiling. Another's key may have his authorizations, which an officer need not have himself."""
    region = flow.gate.vault.region
    own = most = flow.gives & owner
    if owner is not flow.session.principal.clearance and request.principal:
        most = flow.gives.with_needs(owner.needs) & owner
    ceiling = region.reach(request.ceiling) if request.ceiling else own
    ceiling = ceiling.with_needs(authorizations(request.needs))
    floor = region.label(request.floor) if request.floor else ceiling
    if not flow.floor <= floor:
        raise Refused(rule="key-floor", asked=floor.text, floor=flow.floor.text)
    for asked in (floor, ceiling):
        if not asked <= most:
            raise Refused(rule="clearance", asked=asked.text, clearance=most.text)
    if not floor <= ceiling:
        raise BadInput(what="A key's floor must be dominated by its ceiling.")
    return floor, ceiling


def _from_inside(flow: Flow) -> None:
    """Raises Refused for a session of a token or certificate: what it makes would outlive these."""
    if is_outside(flow.session):
        raise Refused(rule="from-outside")


async def issue(flow: Flow, request: KeyRequest) -> tuple[Key, str]:
    """A new key and its secret: the whole key text, and for boto3 the secret access key of `Key.id`.

    Whoever holds a key acts as its owner. So where clearances take two people, an officer makes only the first key of
    another, and none of an officer: he could say yes to himself with it.
    """
    _from_inside(flow)
    if request.client not in CLIENTS or not 0 < request.days <= LONGEST_DAYS:
        raise BadInput(what=f"A key is for {', '.join(CLIENTS)} and lives 1 to {LONGEST_DAYS} days.")
    owner = flow.session.principal
    if request.principal and request.principal != owner.name:
        found = flow.gate.directory.named(request.principal)
        if found is None or "officer" not in owner.roles:
            raise Absent(kind="principal", id=request.principal)
        first = "officer" not in found.roles and flow.gate.directory.keyless(found.id)
        if flow.gate.directory.two_person() and not first:
            raise Refused(rule="key-of-another")
        owner = found
    floor, ceiling = _range(flow, request, owner.clearance)
    if request.project:
        await named_project(flow, request.project)
    expires = flow.gate.vault.clock.now() + request.days * DAY
    raw = flow.gate.vault.entropy.draw(f"key/{flow.access.id}/{flow.session.id}", 48)
    sigv4 = request.client == "boto3"
    id = "CMK" + short(raw[:16]).upper() if sigv4 else make_key(raw).id
    record = CredentialRecord(
        principal=owner.id,
        use="sigv4" if sigv4 else "api",
        digest="" if sigv4 else digest_of(make_key(raw).secret),
        floor=floor.text,
        ceiling=ceiling.text,
        expires=expires,
        generation=1,
        language=flow.session.language,
    )
    key = Key(
        id, owner.id, owner.name, request.client, floor.text, ceiling.text, expires, request.name, request.project
    )
    await flow.commit(Put(KEY, id, key, expect=0), Enrol(Put(CREDENTIAL, id, record, expect=0)), facts={"key": id})
    return key, flow.gate.directory.sigv4_secret(id, 1) if sigv4 else make_key(raw).text


async def keys(flow: Flow) -> list[Found[Key]]:
    """The caller's own keys; an officer sees all that his acting label dominates."""
    every = await flow.every(KEY)
    officer = "officer" in flow.session.principal.roles
    return [k for k in every if officer or k.value.owner == flow.session.principal.id]


async def revoke(flow: Flow, id: str) -> None:
    """From the next request on nobody knows this key."""
    found = await flow.read(KEY, id)
    mine = found.value.owner == flow.session.principal.id or "officer" in flow.session.principal.roles
    if not mine or found.ref.class_id != flow.access.id:
        raise Absent(kind="key", id=id)
    await flow.commit(Delete(KEY, id), Enrol(Delete(CREDENTIAL, id)), facts={"revoked": id})


async def open_console(flow: Flow, floor: Label, ceiling: Label, language: str) -> str:
    """A console session between floor and ceiling, within the session that signs in; the cookie's text."""
    _from_inside(flow)
    session = flow.session
    if not session.floor <= floor <= ceiling <= session.ceiling:
        raise Refused(rule="clearance", asked=ceiling.text, clearance=session.ceiling.text)
    raw = flow.gate.vault.entropy.draw(f"console/{flow.access.id}/{session.id}", 48)
    key = make_key(raw)
    expires = flow.gate.vault.clock.now() + CONSOLE_HOURS * 3600 * SECOND
    shown = flow.gate.directory.credential(session.id)
    if shown is not None:
        expires = min(expires, shown.expires)
    record = CredentialRecord(
        principal=session.principal.id,
        use="console",
        digest=digest_of(key.secret),
        floor=floor.text,
        ceiling=ceiling.text,
        expires=expires,
        generation=1,
        language=language,
        under="" if shown is None else shown.under or session.id,
    )
    await flow.commit(Enrol(Put(CREDENTIAL, key.id, record, expect=0)), facts={"session": key.id})
    return key.text


async def close_console(flow: Flow) -> None:
    """The console session that asks is nobody's from now on. A key that asks stays what it is."""
    id = flow.session.id
    found = flow.gate.directory.credential(id)
    if found is None or found.use != "console":
        return
    await flow.commit(Enrol(Delete(CREDENTIAL, id)), facts={"closed": id})
