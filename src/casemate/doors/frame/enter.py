"""Coming in: the request's parts, its bounded body, and the credentials that a protocol may bear."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from casemate.errors import BadInput, TooLarge, Unauthenticated
from casemate.identity import Bearer, Certificate, Credential, Peer
from casemate.words import LANGUAGES, language_of, say

__all__ = [
    "CERTIFICATE",
    "LANGUAGE",
    "Cookies",
    "Request",
    "announced",
    "arriving",
    "bearer",
    "cookie",
    "cookie_of",
    "form_as_json",
    "peer",
    "query_of",
    "read_body",
    "request_of",
    "same_origin",
    "spoken",
]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
COOKIE = "casemate"
CERTIFICATE = "casemate.certificate"  # the extension of a scope in which a client's certificate comes
_CREDENTIALS = ("authorization", "x-api-key")
FIELDS = 100
LANGUAGE = "casemate-language"


class Cookies:
    """The console's cookie: never for scripts, never from another site."""

    name = COOKIE

    @staticmethod
    def set(value: str, seconds: int) -> str:
        return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"

    @staticmethod
    def clear() -> str:
        return f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"


@dataclass(slots=True)
class Request:
    """What arrived, before anybody is believed. Header names are in lower case."""

    method: str
    raw_path: str
    query_string: str
    headers: dict[str, str]
    client: tuple[str, int] | None
    body: bytes = b""
    query: dict[str, str] = field(default_factory=dict)
    certificate: Certificate | None = None


def request_of(scope: MutableMapping[str, Any]) -> Request:
    """The request in an ASGI scope. Header bytes are latin-1 (RFC 9110 section 5.5)."""
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"").decode("latin-1")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if len(headers) != len(scope["headers"]):
        headers |= _doubled(scope["headers"])
    client = scope.get("client")
    secured = scope.get("extensions") or {}
    return Request(
        method=scope["method"],
        raw_path=raw.decode("latin-1").split("?")[0],
        query_string=query,
        headers=headers,
        client=(client[0], client[1]) if client else None,
        certificate=secured.get(CERTIFICATE, {}).get("shown"),
    )


def _doubled(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """A credential that is sent twice is the list of both (RFC 9110 section 5.3), and so no credential at all."""
    found: dict[str, list[str]] = {}
    for name, value in raw:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return {name: ", ".join(found[name]) for name in _CREDENTIALS if name in found}


def query_of(text: str, language: str) -> dict[str, str]:
    """The fields of a query. Raises BadInput where they are too many."""
    if not text:
        return {}
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS))
    except ValueError:
        raise BadInput(what=say("frame.query", language, most=FIELDS)) from None


def announced(headers: dict[str, str], limit: int, language: str) -> None:
    """Raises TooLarge where the request itself says that its body is beyond the limit."""
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        raise TooLarge(what=say("frame.body", language), limit=limit)


async def read_body(receive: Receive, limit: int, language: str) -> bytes:
    """The whole body, at most `limit` bytes. Raises TooLarge without reading on, and BadInput where the client left."""
    return b"".join([part async for part in arriving(receive, limit, language)])


async def arriving(receive: Receive, limit: int, language: str) -> AsyncIterator[bytes]:
    """The body's pieces as they arrive, at most `limit` bytes. Raises TooLarge, and BadInput where the client left."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadInput(what=say("frame.left", language))
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(what=say("frame.body", language), limit=limit)
        if part:
            yield part
        if not message.get("more_body", False):
            return


def form_as_json(headers: dict[str, str], body: bytes, language: str) -> bytes:
    """The fields of a form as the JSON object that a program would send; any other body as it is."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return body
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise BadInput(what=say("frame.form", language, most=FIELDS)) from None
    return msgspec.json.encode({name: value.replace("\r\n", "\n") for name, value in fields})


def spoken(request: Request) -> str:
    """The language that somebody chose in the console, or "" where he chose none."""
    chosen = cookie_of(request.headers, LANGUAGE)
    return chosen if chosen in LANGUAGES else ""


def bearer(request: Request) -> Credential | None:
    """An API key or access token in `Authorization: Bearer` (RFC 6750) or `x-api-key`, else the client's certificate.

    Two credentials that differ are nobody's: which of them counts must not depend on who reads them. Raises
    Unauthenticated.
    """
    said, key = request.headers.get("authorization", ""), request.headers.get("x-api-key", "").strip()
    scheme, _, secret = said.partition(" ")
    secret = secret.strip() if scheme.lower() == "bearer" else ""
    if key and said and key != secret:
        raise Unauthenticated
    if key or secret:
        return Bearer(key or secret)
    return None if said else _certificate(request)


def _certificate(request: Request) -> Certificate | None:
    """The certificate of the connection. A browser shows it unasked, so a change must come from our own pages."""
    browser = "origin" in request.headers or "sec-fetch-site" in request.headers
    if browser and request.method not in ("GET", "HEAD") and not same_origin(request.headers):
        return None
    return request.certificate


def cookie(request: Request) -> Credential | None:
    """The console's cookie. A change must come from our own pages: same origin by the browser's own word."""
    found = cookie_of(request.headers, COOKIE)
    if not found:
        return None
    if request.method not in ("GET", "HEAD") and not same_origin(request.headers):
        return None
    return Bearer(found, "console")


def same_origin(headers: dict[str, str]) -> bool:
    """Whether the browser says that one of our own pages sent this."""
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin", "").partition("://")[2]
    return site in (None, "same-origin") and bool(origin) and origin == headers.get("host", "")


def cookie_of(headers: dict[str, str], name: str) -> str:
    """The value of a cookie, "" where there is none (RFC 6265 section 4.2).

    Other programs of the same host send theirs along, well-formed or not: each pair is read by itself. Of two of one
    name the last counts: browsers send the one of the longest path first, and ours is the root's.
    """
    value = ""
    for pair in headers["cookie"].split(";") if "cookie" in headers else ():
        found, equals, said = pair.strip().partition("=")
        if equals and found.rstrip() == name:
            value = said.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def peer(request: Request) -> Credential | None:
    """The process at the other end of the local socket, as the kernel names it."""
    if request.client is None or request.client[0] != "peer":
        return None
    return Peer(request.client[1], language_of(request.headers.get("accept-language", "")))
