"""`casemate spill drill`: a harmless document goes through the real doors, is derived from, contained, looked for.

Everything is done as any client does it, in a base of its own, so that no user's object is touched: the document is
brought, asked about, its answer kept; then it is contained and destroyed, which undoes the drill; then every way in
which anybody could still find it is tried. Each stage is timed. What stays is what the record always keeps: that it
was done.
"""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from casemate.cli.client import Answer, Client
from casemate.cli.command import option, verb
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import Conflict, Damaged, Unavailable

__all__ = ["drill"]

WAIT = 60.0  # seconds until the document must have been read
NEW = click.Path(path_type=Path, dir_okay=False)


class Stage(msgspec.Struct, frozen=True):
    """One stage and how long it took, in milliseconds."""

    name: str
    ms: float


class Drill:
    """One drill: what was made, and how long each stage took."""

    def __init__(self, client: Client, low: str, true: str) -> None:
        self.client, self.low, self.true = client, low, true
        self.token = "drill" + secrets.token_hex(8)
        self.base = f"spill-drill-{self.token[5:13]}"
        self.text = f"{t('spill.drill_text')} {self.token} {t('spill.drill_more')}"
        self.stages: list[Stage] = []
        self.document = self.kept = self.case = ""
        self.traces: list[str] = []
        self.picture = b""
        self.waits = False

    def timed(self, name: str, work: Callable[[], None]) -> None:
        began = time.perf_counter()
        work()
        self.stages.append(Stage(name, round(1000 * (time.perf_counter() - began), 1)))

    def bring(self) -> None:
        query = {"name": f"{self.token}.txt", "base": self.base, "label": self.low}
        added = self.client.call("POST", "/api/documents", self.text.encode(), self.low, query)
        self.document = added.data["id"]
        ends = time.monotonic() + WAIT
        while self._get(f"/api/documents/{self.document}").status != 200:
            if time.monotonic() > ends:
                raise Unavailable(what="knowledge.ingest")
            time.sleep(0.05)

    def derive(self) -> None:
        question = {"question": f"{t('spill.drill_question')} {self.token}?", "knowledge": self.base}
        asked = self.client.post("/api/ask", question, self.low)
        body = {"text": asked.data["text"], "question": question["question"], "asked": asked.entry}
        self.client.post("/api/answers", body, self.low)
        kept = [each["id"] for each in self.client.get("/api/answers", self.low).data if self.token in str(each)]
        if not kept:
            raise Damaged(what="drill")
        self.kept = kept[-1]

    def draw(self) -> None:
        self.picture = self.client.get(f"/api/lineage.svg/{self.document}", self.low, way="down").raw

    def freeze(self) -> None:
        self.case = self.client.post("/api/spills", {"object": self.document}, self.true).data["id"]

    def destroy(self) -> None:
        asked = {"object": self.document, "how": "shred"}
        self.waits = bool(self.client.post("/api/spills", asked, self.true).data["waits"])

    def look(self) -> None:
        """Every way in which it could still be found; what still finds it."""
        at = self.low
        ways: dict[str, Answer] = {
            "document": self._get(f"/api/documents/{self.document}"),
            "lineage": self._get(f"/api/lineage/{self.document}"),
            "source": self._get(f"/api/documents/{self.document}/source"),
            "search": self.client.raw("GET", "/api/search", None, at, {"q": self.token}),
            "list": self._get("/api/documents"),
            "answers": self._get("/api/answers"),
            "ask": self.client.raw("POST", "/api/ask", {"question": f"{t('spill.drill_question')} lantern?"}, at),
        }
        for label in (self.low, self.true):
            asked = {"question": t("spill.drill_question")}
            ways[f"ask {label}"] = self.client.raw("POST", "/api/ask", asked, label)
        mine = (self.document, self.kept, self.token)
        self.traces = [
            name
            for name, seen in ways.items()
            if (name in ("document", "lineage", "source") and seen.status != 404)
            or (seen.status == 200 and any(word in str(seen.data) for word in mine))
        ]

    def _get(self, path: str) -> Answer:
        return self.client.raw("GET", path, None, self.low)


def _results(seen: Answer) -> Any:
    """What was given, without what was asked."""
    return seen.data


@verb(
    "spill.drill",
    option("--true-label", "true", default="", metavar="LABEL"),
    option("--label", "low", default="", metavar="LABEL"),
    option("--svg", type=NEW, default=None, metavar="FILE"),
    option("--page", type=NEW, default=None, metavar="FILE"),
)
def drill(talk: Talk, true: str, low: str, svg: Path | None, page: Path | None) -> None:
    client = talk.client()
    session = client.get("/api/session").data
    low, true = low or session["floor"]["label"], true or session["ceiling"]["label"]
    if low == true:
        raise Conflict(what=t("spill.drill_flat"))
    run = Drill(client, low, true)
    steps = {"bring": run.bring, "derive": run.derive, "draw": run.draw, "freeze": run.freeze, "frozen": run.look}
    for name, work in steps.items():
        run.timed(name, work)
    frozen = list(run.traces)
    run.timed("destroy", run.destroy)
    run.timed("look", run.look)
    traces = sorted({*frozen, *run.traces})
    told = {
        "document": run.document,
        "case": run.case,
        "stages": run.stages,
        "traces": traces,
        "waits": run.waits,
        "from": low,
        "to": true,
    }
    talk.data(msgspec.to_builtins(told))
    for line in columns([(t(f"spill.stage_{each.name}"), f"{each.ms:.0f} ms") for each in run.stages]):
        talk.out(line)
    if svg is not None:
        svg.write_bytes(run.picture)
    if page is not None:
        page.write_text(_page(talk, run), encoding="utf-8")
    if run.waits:
        talk.say("spill.drill_waits", id=run.document, true=true)
    if traces:
        raise Damaged(what=", ".join(traces))
    talk.out(t("spill.drill_clean"))


def _page(talk: Talk, run: Drill) -> str:
    """The drill as a page that stands alone: its marking, its stages, its picture."""
    banner = html.escape(talk.marking(run.low))
    rows = "".join(
        f"<tr><td>{html.escape(t(f'spill.stage_{each.name}'))}</td><td>{each.ms:.0f} ms</td></tr>"
        for each in run.stages
    )
    end = html.escape(t("spill.drill_clean") if not run.traces else ", ".join(run.traces))
    title = html.escape(t("spill.drill_title"))
    return (
        f'<!doctype html><meta charset="utf-8"><title>{banner}</title><p><b>{banner}</b></p><h1>{title}'
        f"</h1><table>{rows}</table><p>{end}</p>{run.picture.decode()}<p><b>{banner}</b></p>\n"
    )
