"""How a page is written: templates, and what they may ask of where the page stands. Everything is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from casemate.access import Flow, Gate
from casemate.clock import iso
from casemate.doors.console import shades
from casemate.doors.console.files import address
from casemate.doors.frame import Call
from casemate.identity import Session
from casemate.labels import Label
from casemate.models import Citation
from casemate.policy import ACTIONS
from casemate.words import LANGUAGES, say
from casemate.words.say import sentences

__all__ = ["HTML", "PLACES", "SAFE", "VISITOR", "View", "bare", "render"]

_NUMBER = re.compile(r"\[(\d{1,3})\]")
HTML = "text/html; charset=utf-8"
VISITOR = "visitor"  # the session of whoever has shown no credential
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SAFE = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),  # `no-referrer` would make a form's Origin null
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# The pages in the order of the navigation, each with the action that opens it.
PLACES = (
    ("/ask", "ask", "answer.ask"),
    ("/search", "search", "knowledge.search"),
    ("/documents", "documents", "document.list"),
    ("/knowledge", "knowledge", "knowledge.list"),
    ("/buckets", "buckets", "bucket.list"),
    ("/datasets", "datasets", "dataset.list"),
    ("/jobs", "jobs", "job.list"),
    ("/missions", "missions", "mission.list"),
    ("/answers", "answers", "answer.list"),
    ("/releases", "releases", "release.list"),
    ("/today", "today", "ledger.read"),
    ("/spill", "spill", "spill.list"),
    ("/transfer", "transfer", "channel.list"),
    ("/markings", "markings", "label.lint"),
    ("/ledger", "ledger", "ledger.read"),
    ("/live", "live", "metrics.read"),
    ("/keys", "keys", "key.list"),
    ("/principals", "principals", "principal.list"),
    ("/proofs", "proofs", "proof.list"),
)


@dataclass(frozen=True, slots=True)
class View:
    """Where a page stands: its label and language; `session` is None where nobody has been admitted."""

    gate: Gate
    label: Label
    language: str
    flow: Flow | None = None
    session: Session | None = None

    @classmethod
    def of(cls, call: Call) -> View:
        """The view of a request; a visitor's flow is nobody's."""
        flow = call.flow
        if flow.session.id == VISITOR:
            return cls(call.gate, flow.label, flow.session.language)
        return cls(call.gate, flow.label, flow.session.language, flow, flow.session)

    def say(self, slug: str, **facts: object) -> str:
        """A sentence of the console's catalogue."""
        return say(f"console.{slug}", self.language, **facts)

    @property
    def banner(self) -> str:
        """The marking of the page: the same words as in `Casemate-Marking`."""
        return self.gate.vault.region.policies.banner(self.label, self.language)

    @property
    def mark(self) -> str:
        """The portion mark of what stands at the label of the page."""
        return self.gate.vault.region.policies.portion(self.label)

    @property
    def region(self) -> str:
        return self.gate.vault.region.name

    @property
    def solo(self) -> bool:
        """Whether one officer's act suffices here: every page says so."""
        return not self.gate.directory.two_person()

    @property
    def style(self) -> str:
        """The sheet with the page's own marking, for its banners and for every printed sheet."""
        if self.label is self.gate.vault.region.floor:
            return f"/style/floor.css?lang={self.language}"
        return "/style/label.css?" + urlencode({"acting": self.label.text, "lang": self.language})

    @property
    def colours(self) -> str:
        """The sheet with the colours of the region's policies."""
        return f"/style/palette.css?v={shades.version(self.gate.vault.region.policies)}"

    @property
    def other(self) -> str:
        """The language that the switch offers."""
        return next(name for name in LANGUAGES if name != self.language)

    @property
    def who(self) -> str:
        return self.session.principal.name if self.session is not None else ""

    @property
    def acting(self) -> str:
        """The acting label where it is not the session's usual one: what links must carry on."""
        if self.flow is None or self.flow.acting is self.flow.session.usual:
            return ""
        return self.flow.acting.text

    def may(self, action: str) -> bool:
        """Whether one of the caller's roles allows the action at all."""
        return self.session is not None and bool(self.session.principal.roles & ACTIONS[action].roles)

    def role(self, name: str) -> bool:
        return self.session is not None and name in self.session.principal.roles

    def places(self) -> list[tuple[str, str]]:
        """The pages that the caller may open: path and slug."""
        return [(path, slug) for path, slug, action in PLACES if self.may(action)]

    @property
    def home(self) -> str:
        """The first page that is the caller's."""
        return next((path for path, _ in self.places()), "/")

    def outcome(self, name: str) -> str:
        """An outcome in the reader's words; one that has none stands as it is written in the record."""
        slug = f"console.outcome.{name}"
        return say(slug, self.language) if slug in sentences(self.language) else name

    def link(self, path: str, **query: object) -> str:
        """A path of ours that goes on at this acting label."""
        acting = {"acting": self.acting} if self.acting else {}
        asked = acting | {name: str(value) for name, value in query.items() if value != ""}
        before, hash_, after = path.partition("#")
        return f"{before}?{urlencode(asked)}{hash_}{after}" if asked else path

    def labels(self) -> Sequence[shades.Choice]:
        """Labels that the caller may act at."""
        return shades.acting(self.flow, self.language) if self.flow is not None else ()

    def tone(self, label: str) -> str:
        """The class of a label's colour."""
        return shades.tone(self.gate.vault.region.policies, label)

    def marking(self, label: str) -> str:
        """A label's marking in the reader's language, and who needs to know."""
        policies = self.gate.vault.region.policies
        return shades.told(policies, policies.parse(label), self.language)

    def marked(self, text: str, mark: str, number: int, citations: Sequence[Citation]) -> Markup:
        """A paragraph: its portion mark as text, and each number of a source as a link to it."""
        rest = text.removeprefix(mark).lstrip()
        known = {citation.number for citation in citations}

        def linked(found: re.Match[str]) -> str:
            if int(found[1]) not in known:
                return found[0]
            return f'<a class="ref" href="#rung-{number}-source-{found[1]}">{found[0]}</a>'

        said = _NUMBER.sub(linked, str(escape(rest)))
        return Markup('<span class="mark">{}</span> {}').format(mark, Markup(said))  # noqa: S704 - escaped above

    def moment(self, at: int) -> str:
        """A time as people read it, in UTC, to the second."""
        return iso(at)[:19].replace("T", " ") + "Z"

    def iso(self, at: int) -> str:
        return iso(at)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("casemate.doors.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["static"] = address
    return made


def render(template: str, view: View, **values: Any) -> str:
    """A template, filled."""
    return _environment().get_template(template).render(v=view, **values)


def bare(template: str, **values: Any) -> str:
    """A template that needs no view."""
    return _environment().get_template(template).render(**values)
