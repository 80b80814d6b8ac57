"""What the two worlds do through the console: every page and deed, as a browser's form or as data."""

from __future__ import annotations

import random
from collections.abc import Callable
from urllib.parse import quote, urlencode

from tests.laws.document_operations import BASES, DECISIONS, chosen
from tests.laws.operations import AT, MAKERS, Doing, Maker, model, operation, question, sentence, somebody
from tests.laws.world import Seen, World

HTML = ("accept", "text/html")
SCRIPT = ("hx-request", "true")
FORM = ("content-type", "application/x-www-form-urlencoded")


def browse(
    method: str, target: str, fields: dict[str, str] | bytes | None, *more: tuple[str, str]
) -> Callable[..., Doing]:
    """A deed of somebody at a label, as his browser sends it."""
    raw = fields if isinstance(fields, bytes) else urlencode(fields).encode() if fields is not None else None

    def made(who: str, label: str) -> Doing:
        async def do(world: World) -> Seen:
            return await world.call(who, method, target, raw, label, headers=(HTML, FORM, *more))

        return do

    return made


def pages(*targets: str) -> None:
    """Pages that are only looked at, each with its `.json`: one operation for each."""
    for number, target in enumerate(targets):
        path, _, query = target.partition("?")
        routes = (("GET", path), ("GET", f"{path}.json"))

        @operation(*routes)
        def look_at(
            rng: random.Random, who: str, label: str, path: str = path, query: str = query
        ) -> tuple[Doing, str]:
            end = rng.choice(("", "", ".json"))
            script = rng.choice(((), (SCRIPT,)))
            return browse("GET", f"{path}{end}?{query}", None, *script)(who, label), ""

        MAKERS[f"page-{number}"] = Maker(f"page-{number}", routes, MAKERS.pop("look_at").make)


pages(
    "/ask",
    "/documents?all=1",
    "/review",
    "/knowledge",
    "/answers",
    "/today",
    "/ledger?limit=50",
    "/keys",
    "/principals",
    "/session",
    "/connect",
    "/queues",
)


@operation(("POST", "/ask"), ("POST", "/ask/stream"))
def ask_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)
    path = rng.choice(("/ask", "/ask/stream"))
    form = {
        "question": asked,
        "mode": rng.choice(("rungs", "rungs", "single")),
        "knowledge": rng.choice(("all", "all", "law", "never")),
        "who": somebody(rng),
        "model": model(rng),
        "reason": "law",
    }
    return browse("POST", path, form)(who, label), asked


@operation(("POST", "/prove"))
def prove_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    asked = question(rng)
    return browse("POST", "/prove", {"question": asked})(who, label), asked


@operation(("POST", "/answers"))
def keep_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    form = {"text": sentence(rng), "label": rng.choice(("", label, "agency=EXERCISE"))}
    return browse("POST", "/answers", form)(who, label), ""


@operation(("POST", "/documents"), ("POST", "/documents/file"))
def bring_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    text, name = sentence(rng, 8), f"drop-{rng.randrange(10**9)}.txt"
    edge = "edge"
    part = (
        f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n{text}\r\n--{edge}--\r\n'
    )
    whole = rng.random() < 0.5
    target = "/documents" if whole else f"/documents/file?name={name}&base=law&label={quote(label, safe='')}"
    body = part.encode() if whole else text.encode()

    async def do(world: World) -> Seen:
        headers = (HTML, ("content-type", f"multipart/form-data; boundary={edge}"))
        seen = await world.call(who, "POST", target, body, label, headers=headers)
        await world.step("knowledge.ingest")
        return seen

    return do, text


@operation(("GET", "/documents/{id}"))
def open_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    place, end = rng.random(), rng.choice(("", ".json"))

    async def do(world: World) -> Seen:
        """A document that exists somewhere in either world, or never did: the id is the law's choice."""
        known = sorted(world.prints)
        id = known[int(place * len(known))] if known and place < 0.8 else "doc_neverexisted"
        return await world.call(who, "GET", f"/documents/{id}{end}", acting=label, headers=(HTML,))

    return do, ""


EDGE = "edge"


def replacing(text: str) -> tuple[bytes, tuple[str, str]]:
    """A form with one file, and what kind of form it is."""
    name = 'form-data; name="files"; filename="newer.txt"'
    body = f"--{EDGE}\r\nContent-Disposition: {name}\r\n\r\n{text}\r\n"
    body += f'--{EDGE}\r\nContent-Disposition: form-data; name="base"\r\n\r\nlaw\r\n--{EDGE}--\r\n'
    return body.encode(), ("content-type", f"multipart/form-data; boundary={EDGE}")


@operation(
    ("POST", "/documents/{id}/remove"),
    ("POST", "/documents/{id}/raise"),
    ("POST", "/documents/{id}/replace"),
    ("POST", "/review/{id}"),
    ("GET", "/documents/{id}"),
)
def tend_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    """A deed on a document of either world, or on one's own; then its page, what is under review, and the bases."""
    place, own, text = rng.random(), rng.random() < 0.6, sentence(rng, 8)
    raised = urlencode({"label": rng.choice((label, *AT))}).encode()
    decision = urlencode({"decision": rng.choice(DECISIONS), "label": rng.choice((label, *AT))}).encode()
    newer, multipart = replacing(f"{text} Newer.")
    at, body, kind = rng.choice(
        (
            ("/documents/{}/remove", b"", FORM),
            ("/documents/{}/raise", raised, FORM),
            ("/documents/{}/replace", newer, multipart),
            ("/review/{}", decision, FORM),
        )
    )
    name = f"tended-{rng.randrange(10**9)}.txt"
    last = rng.choice(("/documents/{}", "/documents/{}.json", "/review", "/knowledge"))

    async def do(world: World) -> Seen:
        id = chosen(world, place)
        if own:
            target = f"/api/documents?name={name}&base=law&label={quote(label, safe='')}"
            brought = await world.call(who, "POST", target, text.encode(), label)
            await world.step("knowledge.ingest")
            id = brought.json["data"]["id"] if brought.status == 202 else id
        done = await world.call(who, "POST", at.format(id), body, label, headers=(HTML, kind))
        await world.step("knowledge.ingest")
        shown = await world.call(who, "GET", last.format(id), acting=label, headers=(HTML,))
        told = f"{done.status} {done.header('location')}".encode()
        return Seen(shown.status, shown.headers, (told, *done.pieces, *shown.pieces), (*done.calls, *shown.calls))

    return do, text


@operation(
    ("POST", "/knowledge"),
    ("POST", "/knowledge/{base}/embedder"),
    ("POST", "/knowledge/{base}/remove"),
    ("POST", "/sources"),
    ("POST", "/sources/{id}/remove"),
)
def shelve_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    base = rng.choice(BASES)
    target, form = rng.choice(
        (
            ("/knowledge", {"name": base, "title": sentence(rng, 2), "granularity": "document"}),
            ("/knowledge", {"name": base, "embedder": rng.choice(("hashing", "never"))}),
            (f"/knowledge/{base}/embedder", {"embedder": rng.choice(("hashing", "", "never"))}),
            (f"/knowledge/{base}/remove", {}),
            ("/sources", {"base": base, "place": "nowhere", "every": rng.choice(("60", "no"))}),
            ("/sources/src_never/remove", {}),
        )
    )
    return browse("POST", target, form)(who, label), ""


@operation(("POST", "/keys"), ("POST", "/ledger/verify"), ("GET", "/style/label.css"), ("POST", "/session"))
def deed_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    method, target, form = rng.choice(
        (
            ("POST", "/keys", {"client": "openai", "days": "1"}),
            ("POST", "/keys", {"client": "boto3", "days": "no"}),
            ("POST", "/ledger/verify", {"heads": ""}),
            ("GET", "/style/label.css", None),
            ("POST", "/session", {"next": "/today"}),
            ("GET", "/nowhere", None),
        )
    )
    return browse(method, target, form)(who, label), ""


@operation(
    ("POST", "/sign-out"),
    ("POST", "/documents/label"),
    ("GET", "/ledger/{id}"),
    ("POST", "/ledger/{id}/open"),
    ("POST", "/keys/revoke"),
    ("POST", "/principals"),
    ("POST", "/principals/{id}"),
    ("POST", "/principals/{id}/confirm"),
)
def refused_in_console(rng: random.Random, who: str, label: str) -> tuple[Doing, str]:
    person = {"name": "x", "clearance": "us:UNCLASSIFIED", "role_user": "1"}
    method, target, form = rng.choice(
        (
            ("POST", "/sign-out", {}),
            ("POST", "/sign-in", {"key": "cm_none_none"}),
            ("POST", "/documents/label", {"label": "us:SECRET", "ids": "doc_none"}),
            ("GET", "/ledger/ent_none", None),
            ("POST", "/ledger/ent_none/open", {"reason": "law"}),
            ("POST", "/keys/revoke", {"id": "none"}),
            ("POST", "/principals", person),
            ("POST", "/principals/prn_x", person),
            ("POST", "/principals/prn_x/confirm", {}),
        )
    )
    return browse(method, target, form, *rng.choice(((), (SCRIPT,))))(who, label), ""
