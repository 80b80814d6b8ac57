"""A problem, told to a person: a page, or a part of one where a script asked. Never more than the Problem says.

Whoever must first sign in is led there. A program that asks for JSON gets the native API's problem.
"""

from __future__ import annotations

from urllib.parse import urlencode

from casemate.doors.console.view import HTML, SAFE, VISITOR, View, bare, render
from casemate.doors.frame import Request, Told, Whereabouts
from casemate.doors.native import PLANE as NATIVE
from casemate.words import Problem

__all__ = ["event", "page"]


def page(problem: Problem, request: Request, at: Whereabouts) -> Told:
    """The response."""
    script = "hx-request" in request.headers
    if request.raw_path.endswith(".json") or not (script or "text/html" in request.headers.get("accept", "")):
        told = NATIVE.tell(problem, request)
        return Told(told.status, told.media, told.body, (*told.headers, *SAFE))
    known = at.session if at.session is not None and at.session.id != VISITOR else None
    view = View(at.gate, at.label, at.language, at.flow if known is not None else None, known)
    if problem.status == 401:
        return _sign_in(request, view, script)
    template = "problem/part.html" if script else "problem.html"
    return Told(problem.status, HTML, render(template, view, problem=problem).encode(), SAFE)


def event(problem: Problem) -> bytes:
    """A problem after an answer has begun: the last message of its stream."""
    html = bare("problem/bare.html", problem=problem)
    return b"".join(b"data: " + line.encode() + b"\n" for line in html.splitlines()) + b"\n"


def _sign_in(request: Request, view: View, script: bool) -> Told:
    """To the sign-in page, and back afterwards.

    A link from another site comes without our cookie (SameSite=Strict): a page of our own then asks once more.
    """
    asked = request.raw_path + (f"?{request.query_string}" if request.query_string else "")
    query = {"next": asked} if request.method == "GET" and not script else {}
    to = "/sign-in" + (f"?{urlencode(query)}" if query else "")
    if script:
        return Told(401, HTML, b"", (("HX-Redirect", to), *SAFE))
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        body = render("away.html", view, d={"to": asked})
        return Told(401, HTML, body.encode(), SAFE)
    return Told(303, HTML, b"", (("Location", to), *SAFE))
