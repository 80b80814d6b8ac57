"""The console's operations: the same laws through pages, forms and cookies."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote, urlencode

from casemate.accounts import open_console
from casemate.identity import Bearer
from casemate.policy import Action
from tests.laws.operations import Doing, operation, question, sentence
from tests.laws.world import Seen, World

FORM = "application/x-www-form-urlencoded"
OWN = (("origin", "http://region.test"), ("sec-fetch-site", "same-origin"))


async def browse(
    world: World, who: str, label: str, method: str, target: str, fields: Any = None, media: str = FORM
) -> Seen:
    """A request of a browser that is signed in as somebody."""
    if who not in world.cookies:
        gate = world.house.gate
        session = gate.admit(Bearer(world.keys[who]))
        flow = await gate.open(session, Action("open", "session"))
        world.cookies[who] = await open_console(flow, session.floor, session.ceiling, "en")
    body = fields if isinstance(fields, bytes) else urlencode(fields or {}).encode()
    joint = "&" if "?" in target else "?"
    headers = [("cookie", f"casemate={world.cookies[who]}"), ("accept", "text/html"), *OWN]
    if method == "POST":
        headers.append(("content-type", media))
    target = f"{target}{joint}acting={quote(label, safe='')}"
    return await world.call("nobody", method, target, body, headers=tuple(headers))


LOOKS = (
    "/session",
    "/session.json",
    "/ask",
    "/ask.json",
    "/answers",
    "/answers.json",
    "/documents",
    "/documents.json",
    "/today",
    "/today.json",
    "/ledger",
    "/ledger.json",
    "/keys",
    "/keys.json",
    "/principals",
    "/principals.json",
    "/connect",
    "/connect.json",
    "/style/label.css",
)


@operation(*(("GET", target) for target in LOOKS), ("GET", "/ledger/{id}"))
def console_page(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target = rng.choice((*LOOKS, "/ledger/ent_none"))

    async def do(world: World) -> Seen:
        return await browse(world, who, label, "GET", target)

    return do, ""


@operation(("GET", "/documents/{id}"))
def console_document(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place = rng.random()

    async def do(world: World) -> Seen:
        known = sorted(world.prints)
        id = known[int(place * len(known))] if known and place < 0.8 else "doc_neverexisted"
        return await browse(world, who, label, "GET", f"/documents/{id}")

    return do, ""


@operation(("POST", "/ask"), ("POST", "/ask/stream"), ("POST", "/prove"))
def console_ask(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target, asked = rng.choice(("/ask", "/ask/stream", "/prove")), question(rng)
    fields = {"question": asked, "who": rng.choice(("", "", "somebody")), "reason": rng.choice(("", "law"))}

    async def do(world: World) -> Seen:
        return await browse(world, who, label, "POST", target, fields)

    return do, asked


@operation(("POST", "/documents"), ("POST", "/documents/file"))
def console_add(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    text, whole = sentence(rng, 6), rng.random() < 0.5
    name = f"form-{rng.randrange(10**9)}.txt"
    part = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n{text}\r\n--cut--\r\n'

    async def do(world: World) -> Seen:
        media = "multipart/form-data; boundary=cut"
        target = f"/documents/file?name={name}" if not whole else "/documents"
        body = part.encode() if whole else text.encode()
        seen = await browse(world, who, label, "POST", target, body, media if whole else "text/plain")
        await world.step("knowledge.ingest")
        return seen

    return do, text


@operation(
    ("POST", "/answers"),
    ("POST", "/documents/label"),
    ("POST", "/ledger/verify"),
    ("POST", "/ledger/{id}/open"),
    ("POST", "/keys"),
    ("POST", "/keys/revoke"),
    ("POST", "/principals"),
    ("POST", "/principals/{id}"),
    ("POST", "/principals/{id}/confirm"),
    ("POST", "/session"),
)
def console_form(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    target, fields = rng.choice(
        (
            ("/answers", {"text": sentence(rng), "label": rng.choice(("", "agency=EXERCISE"))}),
            ("/documents/label", {"label": label, "ids": rng.choice(("", "doc_none"))}),
            ("/ledger/verify", {}),
            ("/ledger/ent_none/open", {"reason": "law"}),
            ("/keys", {"client": "openai", "days": rng.choice(("1", "0"))}),
            ("/keys/revoke", {"id": "none"}),
            ("/principals", {"name": "x", "clearance": "PUBLIC"}),
            ("/principals/prn_none", {"clearance": "PUBLIC"}),
            ("/principals/prn_none/confirm", {}),
            ("/session", {"floor": label, "ceiling": rng.choice((label, "us:TOP SECRET//SI"))}),
        )
    )

    async def do(world: World) -> Seen:
        return await browse(world, who, label, "POST", target, fields)

    return do, ""


@operation(("POST", "/sign-out"))
def console_sign_out(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    del rng

    async def do(world: World) -> Seen:
        seen = await browse(world, who, label, "POST", "/sign-out", {})
        world.cookies.pop(who, None)
        return seen

    return do, ""
