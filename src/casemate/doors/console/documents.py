"""Documents: drop files, see what became of each, and say the label of those that bear no mark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from casemate.doors.console import shades
from casemate.doors.console.document import DONE, acting
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.console.view import HTML, SAFE, View, render
from casemate.doors.frame import Call, Reply, Route, read_form
from casemate.doors.native.documents import FILE_LIMIT, StateRequest
from casemate.errors import CasemateError
from casemate.policy import Action
from casemate.words import problem

__all__ = ["routes"]

LIST, ADD = Action("list", "document"), Action("add", "document")
FIRST = 60  # rows that are shown before somebody asks for all
KINDS = (
    ".txt",
    ".md",
    ".html",
    ".htm",
    ".pdf",
    ".docx",
    ".pptx",
    ".xlsx",
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".eml",
    ".xml",
)
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
LOOKS = 8  # how often a page looks again by itself while something waits


class LabelForm(msgspec.Struct, frozen=True):
    """The label of unmarked documents; `ids` are theirs, separated by commas."""

    label: str
    ids: str = ""


def routes(face: Face) -> list[Route]:
    """The list, and the two ways to bring files: dropped one by one, or chosen in a form."""
    documents = _Documents(face)
    return [
        *page("GET", "/documents", LIST, documents.show),
        part("POST", "/documents", ADD, documents.form, limit=FILE_LIMIT),
        part("POST", "/documents/file", ADD, documents.one, limit=FILE_LIMIT),
        part("POST", "/documents/label", ADD, documents.state, takes=LabelForm),
    ]


class _Documents:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """Newest first; what waits, and what one has to say about it."""
        data, facts = await self._face.ask("GET /api/documents", call)
        for rows in (data["documents"], data["waiting"]):
            rows.sort(key=lambda row: -row["at"])
        looked = int(call.query.get("look", "0")[:2]) if call.query.get("look", "0").isdigit() else 0
        more = {
            "all": "all" in call.query,
            "first": FIRST,
            "again": looked + 1 if looked < LOOKS and any(w["state"] == "new" for w in data["waiting"]) else 0,
            "unmarked": _mine(call, data["waiting"]),
            "choices": shades.stating(call.flow, call.flow.session.language),
            "kinds": ",".join(KINDS + PICTURES),
            "done": call.query.get("done", "") if call.query.get("done", "") in DONE else "",
        }
        return Shown("documents.html", data, part="documents/library.html", facts=facts, more=more)

    async def one(self, call: Call) -> Reply:
        """One dropped file: a row that says what became of it, also where it was refused."""
        try:
            data, facts = await self._face.ask("POST /api/documents", call)
        except CasemateError as error:
            told = problem(error, call.flow.session.language, call.flow.label.text, error.entry)
            row = {"name": call.query.get("name", ""), "state": "refused", "problem": told}
            return self._row(call, row, told.status, {"error": error.slug})
        return self._row(call, data | {"problem": None}, 202, facts)

    def _row(self, call: Call, row: dict[str, Any], status: int, facts: dict[str, Any]) -> Reply:
        body = render("documents/file.html", View.of(call), row=row)
        return Reply(body.encode(), HTML, status, headers=SAFE, facts=facts)

    async def form(self, call: Call) -> Reply:
        """Files from a form: each as if it had come alone; the first that is refused is told."""
        fields, files = read_form(call.headers.get("content-type", ""), call.raw)
        for name, data in files:
            query = fields | {"name": name}
            await self._face.ask("POST /api/documents", replace(call, query=query, raw=data))
        return go("/documents", acting=acting(call), facts={"files": len(files)})

    async def state(self, call: Call) -> Reply:
        """One label for all that wait for one."""
        form: LabelForm = call.body
        ids = tuple(id for id in form.ids.split(",") if id)
        _, facts = await self._face.ask("POST /api/documents/label", call, StateRequest(form.label, ids))
        return go("/documents", acting=acting(call), look="1", facts=facts)


def _mine(call: Call, waiting: list[dict[str, Any]]) -> list[str]:
    """Ids of unmarked files that the caller brought at this acting label: he may say theirs."""
    name, label = call.flow.session.principal.name, call.flow.acting.text
    return [w["id"] for w in waiting if (w["state"], w["added_by"], w["label"]) == ("unmarked", name, label)]
