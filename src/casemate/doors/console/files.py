"""Our own files: what they are, what they weigh, and the address that changes with their bytes."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["FILES", "FONT", "MEDIA", "File", "address", "file"]

MEDIA = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FONT = "vendor/public-sans.woff2"
FILES = (
    "console.css",
    "markings.css",
    "search.css",
    "document.css",
    "bases.css",
    "jobs.css",
    "app.js",
    "icon.svg",
    "vendor/htmx.min.js",
    "vendor/hx-sse.min.js",
    FONT,
)


@dataclass(frozen=True, slots=True)
class File:
    """A file of the package, packed once."""

    media: str
    raw: bytes
    packed: bytes
    digest: str


@cache
def file(name: str) -> File:
    """The file of that name."""
    raw = resources.files("casemate.doors.console").joinpath("static", *name.split("/")).read_bytes()
    if name == "console.css":
        raw = raw.replace(f"url({FONT})".encode(), f"url({address(FONT)})".encode())
    media = next((media for end, media in MEDIA.items() if name.endswith(end)), "font/woff2")
    packed = b"" if media == "font/woff2" else gzip.compress(raw, 9, mtime=0)
    return File(media, raw, packed, hashlib.sha256(raw).hexdigest())


def address(name: str) -> str:
    """Where a page finds it: another digest is another address."""
    return f"/static/{name}?v={file(name).digest[:12]}"
