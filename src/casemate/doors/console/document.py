"""One document: what may be read of it, where it comes from, and what whoever brought it may do.

What is not visible is absent: no gap, no bar and no number stands for it. Each deed is one request at the label at
which the page stands, so the page says what that reaches, and where the rest lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from casemate.access import Flow
from casemate.assistants import order
from casemate.doors.console import shades
from casemate.doors.console.face import Face, Shown, go, page, part
from casemate.doors.frame import Call, Reply, Route, read_form
from casemate.doors.native.documents import FILE_LIMIT
from casemate.doors.native.upkeep import LabelRequest
from casemate.errors import Absent, BadInput
from casemate.labels import Label
from casemate.policy import Action
from casemate.words import say
from casemate.words.say import sentences

__all__ = ["DONE", "acting", "routes"]

NEAR = 8  # documents that are nearly the same, named on the page
DONE = ("removed", "raised", "replaced")  # what a page may say that it has just done


class RaiseForm(msgspec.Struct, frozen=True):
    """The label to which it is raised, chosen or written."""

    label: str = ""
    written: str = ""


def routes(face: Face) -> list[Route]:
    """The page of one document, and three deeds."""
    at = _Document(face)
    remove, relabel = Action("remove", "document"), Action("relabel", "document")
    return [
        *page("GET", "/documents/{id}", Action("read", "document"), at.show),
        part("POST", "/documents/{id}/remove", remove, at.remove),
        part("POST", "/documents/{id}/raise", relabel, at.raises, takes=RaiseForm),
        part("POST", "/documents/{id}/replace", Action("add", "document"), at.replaces, limit=FILE_LIMIT),
    ]


class _Document:
    def __init__(self, face: Face) -> None:
        self._face = face

    async def show(self, call: Call) -> Shown:
        """Its portions, and beside them where they come from; the deeds for whoever brought it."""
        id = call.path["id"]
        data, facts = await self._face.ask("GET /api/documents/{id}", call)
        data["lineage"] = from_where = (await self._face.ask("GET /api/documents/{id}/lineage", call))[0]
        whole = data["document"]
        lie = {each["label"]: each for each in from_where["pieces"]}
        labels = _ordered(call.flow, {*lie, *([whole["label"]] if whole else [])})
        more = {
            "attributes": [(name, _said(value, call)) for name, value in sorted(data["attributes"].items())],
            "pieces": [_piece(call.flow, label, lie.get(label.text)) for label in labels],
            "near": [await self._named(call, each) for each in data["near"][:NEAR]],
            "newer": [await self._named(call, each) for each in from_where["replaced_by"]],
            "made": _made(call.flow, from_where["made"]),
            "tend": _tend(call.flow, labels, whole, from_where),
            "done": call.query.get("done", "") if call.query.get("done", "") in DONE else "",
            "id": id,
        }
        return Shown("document.html", data, facts=facts, more=more)

    async def _named(self, call: Call, id: str) -> dict[str, str]:
        """Another visible document, by its title and file; without them where it went away meanwhile."""
        try:
            data, _ = await self._face.ask("GET /api/documents/{id}", call, id=id)
        except Absent:
            return {"id": id, "title": "", "name": ""}
        return {"id": id, "title": data["title"], "name": data["document"]["name"] if data["document"] else ""}

    async def remove(self, call: Call) -> Reply:
        """Gone at the acting label and above; what is left is shown, where there is any."""
        data, facts = await self._face.ask("DELETE /api/documents/{id}", call)
        return self._go(call, data["left"], "removed", facts)

    async def raises(self, call: Call) -> Reply:
        """Brought anew at the higher label."""
        form: RaiseForm = call.body
        label = form.written.strip() or form.label
        if not label:
            raise BadInput(what=say("console.document.no_label", call.flow.session.language))
        data, facts = await self._face.ask("PUT /api/documents/{id}/label", call, LabelRequest(label))
        return self._go(call, data["left"], "raised", facts)

    async def replaces(self, call: Call) -> Reply:
        """Another file takes its place as soon as its marks are read."""
        fields, files = read_form(call.headers.get("content-type", ""), call.raw)
        if len(files) != 1:
            raise BadInput(what=say("console.document.one_file", call.flow.session.language))
        [(name, data)] = files
        query = {"name": name, "base": fields.get("base", ""), "label": fields.get("label", "")}
        asked = replace(call, query={**query, "replaces": call.path["id"]}, raw=data)
        _, facts = await self._face.ask("POST /api/documents", asked)
        return go("/documents", acting=acting(call), done="replaced", facts=facts)

    def _go(self, call: Call, left: list[str], done: str, facts: dict[str, Any]) -> Reply:
        """Back to what is left of it, or to the list."""
        to = f"/documents/{call.path['id']}" if left else "/documents"
        return go(to, acting=acting(call), done=done, facts=facts)


def acting(call: Call) -> str:
    """The acting label where it is not the usual one: what an address must say."""
    return "" if call.flow.acting is call.flow.session.usual else call.flow.acting.text


def _ordered(flow: Flow, texts: Iterable[str]) -> tuple[Label, ...]:
    """Lowest first."""
    policies = flow.gate.vault.region.policies
    return order(policies.parse(text) for text in texts)


def _piece(flow: Flow, label: Label, lies: dict[str, Any] | None) -> dict[str, Any]:
    """What lies at one label; `there`: whether one may act exactly there."""
    policies, language = flow.gate.vault.region.policies, flow.session.language
    session = flow.session
    return {
        "label": label.text,
        "mark": policies.portion(label),
        "marking": shades.told(policies, label, language),
        "passages": lies["passages"] if lies else 0,
        "language": _language(lies["language"] if lies else "", language),
        "here": label is flow.acting,
        "there": label is not flow.acting and session.floor <= label <= session.ceiling,
    }


def _said(value: str | float | bool, call: Call) -> str:
    """An attribute as people write it."""
    if isinstance(value, bool):
        return say(f"console.document.{'yes' if value else 'no'}", call.flow.session.language)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _language(code: str, language: str) -> str:
    slug = f"search.language.{code}"
    return say(slug, language) if slug in sentences(language) else ""


def _made(flow: Flow, made: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What was made of it: how many of each kind at each label."""
    policies, language = flow.gate.vault.region.policies, flow.session.language
    counts: dict[tuple[str, str], int] = {}
    for each in made:
        counts[each["kind"], each["label"]] = counts.get((each["kind"], each["label"]), 0) + 1
    return [
        {"told": _kind(kind, language), "count": count, "label": label, "mark": policies.portion(policies.parse(label))}
        for (kind, label), count in sorted(counts.items())
    ]


def _kind(kind: str, language: str) -> str:
    """A kind of object in the reader's words; one that has none stands by its own name."""
    slug = f"console.document.kind.{kind.replace('.', '_')}"
    return say(slug, language) if slug in sentences(language) else kind


def _tend(
    flow: Flow, labels: tuple[Label, ...], whole: dict[str, Any] | None, lineage: dict[str, Any]
) -> dict[str, Any] | None:
    """What its bringer may do here; None for anybody else.

    `here`: whether something lies exactly at the acting label; `alike`: whether something lies at another one that is
    marked in the same way; `raise`: whether the whole does, with its file.
    """
    if lineage["by"] != flow.session.principal.name:
        return None
    language, policies = flow.session.language, flow.gate.vault.region.policies
    return {
        "here": flow.acting in labels,
        "alike": any(
            each is not flow.acting and policies.banner(each) == policies.banner(flow.acting) for each in labels
        ),
        "below": any(each is not flow.acting for each in labels),
        "raise": bool(whole and lineage["source"] and whole["label"] == flow.acting.text),
        "above": shades.raising(flow, language),
        "stating": shades.stating(flow, language),
    }
