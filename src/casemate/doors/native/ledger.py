"""The ledger: read what one may, verify, export, and open what was said with a reason."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from casemate.access import Seen, audit, evidence, redact, witness
from casemate.accounts import agreed
from casemate.crypto import key_id
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.rooms import Rooms, marked, reply
from casemate.errors import Absent, BadInput
from casemate.labels import AccessClass
from casemate.ledger import PROFILES, Cosignature, Head
from casemate.policy import Action

__all__ = ["routes", "shown"]

EXPORT_LIMIT = 256 << 20


class OpenRequest(msgspec.Struct, frozen=True):
    """Why what was said is opened."""

    reason: str


class RedactRequest(msgspec.Struct, frozen=True):
    """Why what was said is destroyed."""

    reason: str


class WitnessRequest(msgspec.Struct, frozen=True):
    """A region whose logs are witnessed here, and its public key in hexadecimal digits."""

    name: str
    public: str


class CosignRequest(msgspec.Struct, frozen=True):
    """An export of another region's log, as it was written."""

    export: str


class VerifyRequest(msgspec.Struct, frozen=True):
    """Heads that somebody outside remembers."""

    heads: tuple[Head, ...] = ()


def routes(rooms: Rooms) -> list[Route]:
    """Ledger routes."""
    del rooms
    read, check, attest = Action("read", "ledger"), Action("verify", "ledger"), Action("witness", "ledger")
    return [
        Route("GET", "/api/ledger", "native", read, _list, gives=list[Any]),
        Route("POST", "/api/ledger/verify", "native", check, _verify, takes=VerifyRequest, gives=list[Any]),
        Route("GET", "/api/ledger/heads", "native", check, _heads, gives=list[Head]),
        Route("GET", "/api/ledger/key", "native", check, _key, gives=dict[str, str]),
        Route("GET", "/api/ledger/notes", "native", check, _notes, gives=list[str]),
        Route("GET", "/api/ledger/witnesses", "native", attest, _witnesses, gives=list[Any]),
        Route("POST", "/api/ledger/witnesses", "native", attest, _watch, takes=WitnessRequest),
        Route("GET", "/api/ledger/cosignatures", "native", attest, _cosignatures, gives=list[Cosignature]),
        Route(
            "POST",
            "/api/ledger/witnesses/{name}/cosign",
            "native",
            attest,
            _cosign,
            takes=CosignRequest,
            gives=dict[str, Any],
            limit=EXPORT_LIMIT,
        ),
        Route("GET", "/api/ledger/logs/{log}", "native", Action("open", "ledger"), _export),
        Route("GET", "/api/ledger/{id}/proof", "native", read, _prove),
        Route("POST", "/api/ledger/{id}/redact", "native", Action("redact", "ledger"), _redact, takes=RedactRequest),
        Route("GET", "/api/ledger/{id}", "native", read, _one, gives=dict[str, Any]),
        Route("POST", "/api/ledger/{id}/open", "native", Action("open", "ledger"), _open, takes=OpenRequest),
    ]


def shown(call: Call, seen: Seen) -> dict[str, Any]:
    """An entry with the label of its log."""
    return {"entry": seen.entry, "seq": seen.seq, "kept": seen.kept, **marked(call.flow, seen.access.label)}


async def _list(call: Call) -> Reply:
    """The newest entries that the caller may read, newest first."""
    limit = call.query.get("limit", "100")
    if not limit.isdigit() or not 0 < int(limit) <= 1000:
        raise BadInput(what="limit is 1 to 1000.")
    return reply(call.flow, [shown(call, seen) for seen in audit.entries(call.flow, int(limit))])


async def _one(call: Call) -> Reply:
    return reply(call.flow, shown(call, audit.entry(call.flow, call.path["id"])))


async def _open(call: Call) -> Reply:
    """What was said. The opening is an entry before anything is shown."""
    if not call.body.reason.strip():
        raise BadInput(what="Opening what was said needs a reason.")
    content = await audit.open_content(call.flow, call.path["id"], call.body.reason)
    text = None if content is None else content.decode("utf-8", "replace")
    return reply(call.flow, {"entry": call.path["id"], "content": text})


async def _verify(call: Call) -> Reply:
    """A verdict for every log that the caller sees."""
    verdicts = await audit.judged(call.flow, list(call.body.heads))
    data = []
    for access, verdict in verdicts:
        data.append({"verdict": _plain(verdict), **marked(call.flow, access.label)})
    return reply(call.flow, data, logs=len(data))


async def _heads(call: Call) -> Reply:
    """The newest signed head of every visible log: keep them elsewhere, and a rollback can be seen."""
    return reply(call.flow, await asyncio.to_thread(audit.heads, call.flow))


async def _export(call: Call) -> Reply:
    """One log, or a part of it, as a file that can be verified alone; `profile` names its hash."""
    for access in call.flow.classes():
        if access.id == call.path["log"]:
            file = await asyncio.to_thread(_exported, call, access)
            return Reply(file, "application/jsonl", facts={"log": access.id})
    raise Absent(kind="log", id=call.path["log"])


def _exported(call: Call, access: AccessClass) -> bytes:
    asked = {name: call.query[name] for name in ("from", "to", "profile") if call.query.get(name)}
    if not asked:
        return audit.export(call.flow, access)
    profile = PROFILES.get(asked.get("profile", "sha384"))
    places = [asked.get("from", "0"), asked.get("to", "0")]
    if profile is None or not all(place.isascii() and place.isdigit() and len(place) < 19 for place in places):
        raise BadInput(what="from and to are places of entries; profile is sha384 or sha256.")
    start, stop = map(int, places)
    return evidence.part(call.flow, access, start, stop if "to" in asked else None, profile)


async def _prove(call: Call) -> Reply:
    """An entry with its path to a signed head: a file that proves it alone."""
    file = await asyncio.to_thread(evidence.prove, call.flow, call.path["id"])
    return Reply(file, "application/json", facts={"entry": call.path["id"]})


async def _redact(call: Call) -> Reply:
    """Destroy what was said. Where two people are asked for, the first asks, and the second does it."""
    id, reason = call.path["id"], call.body.reason.strip()
    if not reason:
        raise BadInput(what="Destroying what was said needs a reason.")
    audit.known(call.flow, id)  # what nobody may know of is not waited for
    changes = await agreed(call.flow, f"ledger.redact {id} {reason}")
    if changes is None:
        return reply(call.flow, {"entry": id, "redacted": False, "waits": True}, status=202)
    done = await redact(call.flow, id, reason, changes)
    return reply(call.flow, {"entry": id, "redacted": done, "waits": False})


async def _key(call: Call) -> Reply:
    """The key under which this region signs, for whoever verifies elsewhere."""
    vault = call.gate.vault
    public = vault.signer.public
    return reply(call.flow, {"region": vault.region.name, "key_id": key_id(public), "public": public.hex()})


async def _notes(call: Call) -> Reply:
    """The newest head of every visible log as a C2SP signed note."""
    return reply(call.flow, await asyncio.to_thread(evidence.notes, call.flow))


async def _witnesses(call: Call) -> Reply:
    """The regions whose logs are witnessed here."""
    known = [(record, key_id(bytes.fromhex(record.public))) for record in witness.watched(call.flow)]
    return reply(call.flow, [{"name": record.name, "key_id": id, "public": record.public} for record, id in known])


async def _watch(call: Call) -> Reply:
    record = await witness.add(call.flow, call.body.name, call.body.public)
    return reply(call.flow, {"name": record.name, "key_id": key_id(bytes.fromhex(record.public))}, status=201)


async def _cosignatures(call: Call) -> Reply:
    """What this region signed of others' logs, as far as the acting label sees it."""
    return reply(call.flow, witness.cosignatures(call.flow))


async def _cosign(call: Call) -> Reply:
    """Check an export of another region's log, and sign the head that it proves."""
    verdict, given = await witness.seen(call.flow, call.path["name"], call.body.export.encode())
    return reply(call.flow, {"verdict": _plain(verdict), "cosignature": given})


def _plain(verdict: Any) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in verdict.__slots__}
