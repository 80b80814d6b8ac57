"""Serves our own files, and the style sheets that depend on the region's policies or on the caller's acting label.

Files are named with their digest, so a browser keeps them for good; nothing here is ever fetched from elsewhere.
"""

from __future__ import annotations

from casemate.doors.console import shades
from casemate.doors.console.face import Face
from casemate.doors.console.files import FILES, MEDIA, file
from casemate.doors.console.view import SAFE
from casemate.doors.frame import Call, Reply, Route
from casemate.errors import Absent
from casemate.policy import Action
from casemate.words import LANGUAGES

__all__ = ["routes"]

SEE = Action("read", "region")
FOR_GOOD = ("Cache-Control", "public, max-age=31536000, immutable")
FOR_NOW = ("Cache-Control", "private, max-age=3600")
COLD = ("Cache-Control", "no-cache")


def routes(face: Face) -> list[Route]:
    """Files for everybody; the sheet of a label for those who may act at it."""
    policies = face.gate.vault.region.policies
    palette = shades.palette(policies).encode()

    async def colours(call: Call) -> Reply:
        kept = FOR_GOOD if call.query.get("v") == shades.version(policies) else COLD
        return Reply(palette, MEDIA[".css"], headers=(*SAFE, kept))

    return [
        Route("GET", "/static/{name*}", "console", SEE, _static, public=True),
        Route("GET", "/style/palette.css", "console", SEE, colours, public=True),
        Route("GET", "/style/floor.css", "console", SEE, _sheet, public=True),
        Route("GET", "/style/label.css", "console", Action("read", "session"), _sheet),
        Route("GET", "/favicon.ico", "console", SEE, _icon, public=True),
    ]


async def _static(call: Call) -> Reply:
    name = call.path["name"]
    if name not in FILES:
        raise Absent(kind="file", id=name[:200])
    found = file(name)
    kept = FOR_GOOD if call.query.get("v") == found.digest[:12] else COLD
    if found.packed and "gzip" in call.headers.get("accept-encoding", ""):
        packed = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
        return Reply(found.packed, found.media, headers=(*SAFE, kept, *packed))
    return Reply(found.raw, found.media, headers=(*SAFE, kept))


async def _icon(call: Call) -> Reply:
    del call
    return Reply(file("icon.svg").raw, MEDIA[".svg"], headers=(*SAFE, COLD))


async def _sheet(call: Call) -> Reply:
    """The sheet of the request's own label: a visitor's is the region's floor."""
    asked = call.query.get("lang", "")
    language = asked if asked in LANGUAGES else call.flow.session.language
    text = shades.sheet(call.gate.vault.region.policies, call.flow.label, language)
    return Reply(text.encode(), MEDIA[".css"], headers=(*SAFE, FOR_NOW))
