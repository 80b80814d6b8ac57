"""The package of an office file (ISO/IEC 29500-2): its members, what they refer to, and what no reader may pass over.

Macros are refused, and so is whatever lies outside of the file or in an object of another program: it could bear a
mark, and nothing is fetched or run to see it. Office files that are embedded (a chart's workbook) are read.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from casemate.cells.extract.archive import Archive
from casemate.cells.extract.draft import Draft
from casemate.cells.extract.nested import Nest, called
from casemate.cells.extract.sniff import MACROS
from casemate.cells.extract.xml import Events, parse
from casemate.cells.serve import CannotRead

__all__ = ["Office", "Relation"]

_ACTIVE = re.compile(r"vba(project|data)|macrosheets/|/activex/|/dialogsheets/|\.vba")
_ACTIVE_TYPE = re.compile(r"macroenabled|vbaproject|macrosheet|activex|intlmacrosheet", re.IGNORECASE)
_ACTIVE_KIND = frozenset(("vbaProject", "wordVbaData", "control", "activeXControlBinary", "xlMacrosheet"))
_READABLE = (".docx", ".xlsx", ".pptx", ".html", ".htm", ".txt", ".csv")
_PICTURE = re.compile(r"\.(png|jpe?g|tiff?|gif|bmp|emf|wmf|svg|webp)$")
_DIRECTORY = "[content_types].xml"


@dataclass(frozen=True, slots=True)
class Relation:
    """What a member refers to. `kind` is the last word of its type; `target` a member's name."""

    id: str
    kind: str
    target: str


class Office:
    """One package, looked through before any of it is read. Raises CannotRead."""

    def __init__(self, data: bytes, nest: Nest) -> None:
        self.archive = Archive(data)
        self._nest = nest
        self._relations: dict[str, list[Relation]] = {}
        self._held: list[str] = []
        for name in self.archive.names:
            if _ACTIVE.search(f"/{name.lower()}"):
                raise CannotRead(MACROS)
            if name.lower() == _DIRECTORY:
                parse(self.archive.read(name), _Types())
            elif name.endswith(".rels"):
                self._look(name)
        held = [name for name in self.archive.names if "/embeddings/" in f"/{name.lower()}" and not name.endswith("/")]
        self._held = list(dict.fromkeys([*held, *self._held]))

    def main(self, usual: str) -> str:
        """The member that the package names as its document; the usual one where it names none. "" without either."""
        named = [relation.target for relation in self.relations("") if relation.kind == "officeDocument"]
        if len(named) > 1:
            raise CannotRead("Its archive names two documents.")
        found = named[0] if named else usual
        return found if found in self.archive else ""

    def relations(self, member: str) -> list[Relation]:
        """What a member refers to inside the package, in the order of its list."""
        folder, name = posixpath.split(member)
        return self._relations.get(posixpath.join(folder, "_rels", f"{name}.rels"), [])

    def of_kind(self, member: str, *kinds: str) -> list[str]:
        """The members of these kinds that it refers to."""
        found = [x.target for x in self.relations(member) if x.kind in kinds]
        return [target for target in dict.fromkeys(found) if target in self.archive]

    def title(self) -> str:
        """As docProps/core.xml has it."""
        title = _Title()
        if "docProps/core.xml" in self.archive:
            parse(self.archive.read("docProps/core.xml"), title)
        return title.title

    def embedded(self, draft: Draft) -> None:
        """The paragraphs of the files inside, each on pages of its own, after those of the document."""
        for name in self._held:
            shown = posixpath.basename(name)
            if not name.lower().endswith(_READABLE):
                raise CannotRead(f"It holds an object of another program, {called(shown)}, that is not read.")
            found = self._nest.inside(shown, self.archive.read(name), "The file embedded in it,")
            for page in (page for part in found.parts for page in part.pages) if found else ():
                draft.turn()
                for paragraph in page:
                    draft.add(paragraph.text, paragraph.kind)

    def notes(self) -> tuple[str, ...]:
        """What was passed over: pictures, which nothing here looks at."""
        count = sum(bool(_PICTURE.search(name.lower())) for name in self.archive.names if "thumbnail" not in name)
        return (f"Pictures in it were not read: {count}.",) if count else ()

    def _look(self, name: str) -> None:
        relations = _Relations()
        parse(self.archive.read(name), relations)
        folder = posixpath.dirname(posixpath.dirname(name))
        found = self._relations[name] = []
        for id, kind, target, outside in relations.found:
            if kind in _ACTIVE_KIND:
                raise CannotRead(MACROS)
            if outside:
                if kind != "hyperlink":  # a link is only text; anything else would be shown as if it were in the file
                    raise CannotRead(f"It refers to content outside of it ({kind[:40]}), which is not fetched.")
                continue
            path = posixpath.normpath(target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target))
            found.append(Relation(id, kind, path))
            if kind in ("aFChunk", "oleObject", "package") and path in self.archive:
                self._held.append(path)


class _Relations(Events):
    """(id, kind, target, whether it lies outside)."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, str, bool]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "rel:Relationship":
            kind = attributes.get("Type", "").rpartition("/")[2]
            outside = attributes.get("TargetMode", "").lower() == "external"
            self.found.append((attributes.get("Id", ""), kind, attributes.get("Target", ""), outside))


class _Types(Events):
    def start(self, name: str, attributes: dict[str, str]) -> None:
        del name
        if _ACTIVE_TYPE.search(attributes.get("ContentType", "")):
            raise CannotRead(MACROS)


class _Title(Events):
    def __init__(self) -> None:
        self.title = ""
        self._within = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self._within = name == "dc:title"

    def end(self, name: str) -> None:
        self._within = self._within and name != "dc:title"

    def text(self, text: str) -> None:
        if self._within:
            self.title += text
