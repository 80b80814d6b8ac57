"""Buckets: each with its floor and ceiling, and what is in one of them, folder by folder, each object with its mark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from casemate.doors.console.document import acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route
from casemate.doors.native.buckets import BucketRequest
from casemate.policy import Action

__all__ = ["routes"]

LIST, MAKE, DROP = Action("list", "bucket"), Action("make", "bucket"), Action("drop", "bucket")
ASKED = ("prefix", "after")


class BucketForm(msgspec.Struct, frozen=True):
    """A bucket as the page asks for it."""

    name: str
    ceiling: str = ""


def routes(face: Face) -> list[Route]:
    """The page, a new bucket, and the end of one."""
    at = _Buckets(face)
    return [
        *page("GET", "/buckets", LIST, at.show),
        part("POST", "/buckets", MAKE, at.make, takes=BucketForm, texts=_words),
        part("POST", "/buckets/{name}/remove", DROP, at.drop),
    ]


def _words(form: BucketForm) -> Iterable[str]:
    return (form.name,)


class _Buckets:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """The buckets; with `name` in the query, what lies in that one under `prefix`."""
        name = call.query.get("name", "")
        buckets, facts = await self._face.ask("GET /api/buckets", call)
        inside: dict[str, Any] = {}
        if name:
            asked = {each: call.query[each] for each in ASKED if each in call.query}
            call.query.clear()
            call.query.update({**asked, "delimiter": "/"})
            inside, _ = await self._face.ask("GET /api/buckets/{name}/objects", call, name=name)
            inside = {**inside, "name": name, "prefix": asked.get("prefix", "")}
        return Shown("buckets.html", {"buckets": buckets, "inside": inside}, facts=facts)

    async def make(self, call: Call) -> Reply:
        """What is left empty is the region's ceiling."""
        form: BucketForm = call.body
        body = BucketRequest(form.name.strip(), form.ceiling.strip())
        _, facts = await self._face.ask("POST /api/buckets", call, body)
        return go("/buckets", acting=acting(call), facts=facts)

    async def drop(self, call: Call) -> Reply:
        _, facts = await self._face.ask("DELETE /api/buckets/{name}", call)
        return go("/buckets", acting=acting(call), facts=facts)
