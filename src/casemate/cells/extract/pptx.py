"""PPTX (ISO/IEC 29500): a page for each slide, hidden ones too, with its tables, notes, comments, charts and diagrams.

What stands on a slide's layout or master, outside the places that wait for text, is shown on the slide and is told as
its header: banners live there. Shapes are told from the top of the slide to its end.
"""

from __future__ import annotations

from casemate.cells.extract import bounds
from casemate.cells.extract.draft import Draft, NoText
from casemate.cells.extract.drawing import PICTURED, Drawing
from casemate.cells.extract.nested import Nest
from casemate.cells.extract.office import Office
from casemate.cells.extract.shape import FOOTER, HEADER, HEADING, PARAGRAPH, Extracted
from casemate.cells.extract.sniff import PPTX
from casemate.cells.extract.xml import Events, parse
from casemate.cells.serve import CannotRead

__all__ = ["read"]

_SHOW = "ppt/presentation.xml"
_BESIDE = ("chart", "chartEx", "diagramData", "comments", "notesSlide")


class _Slides(Events):
    """The slides of a show by the ids under which it refers to them, in the order in which they are shown."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "p:sldId":
            self.ids.append(attributes.get("r:id", ""))


class _Remarks(Drawing):
    """Comments on a slide: of the older kind, whose text is no DrawingML, and of the newer."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        self._reading = self._reading or name == "p:text"

    def end(self, name: str) -> None:
        super().end(name)
        self._reading = self._reading and name != "p:text"


class _Show:
    """One presentation. What layouts and masters say is read once each."""

    def __init__(self, office: Office, draft: Draft) -> None:
        self._office, self._draft = office, draft
        self._behind: dict[str, list[str]] = {}
        self.titles: list[str] = []

    def slide(self, member: str) -> None:
        for layout in self._office.of_kind(member, "slideLayout"):
            for text in self._static(layout):
                self._draft.add(text, HEADER)
            for master in self._office.of_kind(layout, "slideMaster"):
                for text in self._static(master):
                    self._draft.add(text, HEADER)
        said = self._drawing(member).by_place()
        self.titles += [text for text, kind in said if kind == HEADING][:1]
        beside = [
            (text, kind if kind in (HEADER, FOOTER) else PARAGRAPH)
            for other in self._office.of_kind(member, *_BESIDE)
            for text, kind in self._drawing(other).by_place()
        ]
        # a footer is the end of the slide, whatever is written beside it
        for text, kind in sorted([*said, *beside], key=lambda told: told[1] == FOOTER):
            self._draft.add(text, kind)

    def _static(self, member: str) -> list[str]:
        if member not in self._behind:
            shapes = [shape for shape in self._drawing(member).shapes if not shape.holder]
            self._behind[member] = [text for shape in shapes for text, _ in shape.said]
        return self._behind[member]

    def _drawing(self, member: str) -> Drawing:
        drawing = _Remarks()
        parse(self._office.archive.read(member), drawing)
        return drawing


def read(data: bytes, nest: Nest) -> Extracted:
    """One document; its title is the file's own, else the first slide's."""
    office = Office(data, nest)
    main = office.main(_SHOW)
    if not main.startswith("ppt/"):
        raise CannotRead("Its archive holds no presentation.")
    slides = _Slides()
    parse(office.archive.read(main), slides)
    bounds.within(len(slides.ids), bounds.PAGES, "slides")
    targets = {relation.id: relation.target for relation in office.relations(main)}
    draft = Draft()
    show = _Show(office, draft)
    for number, id in enumerate(slides.ids):
        if targets.get(id, "") not in office.archive:
            raise CannotRead(f"Its slide {number + 1} is missing.")
        if number:
            draft.turn()
        show.slide(targets[id])
    office.embedded(draft)
    if draft.empty:
        raise CannotRead(PICTURED) if office.notes() else NoText
    title = office.title()
    if title.strip().lower() in ("", "powerpoint presentation", "présentation powerpoint"):
        title = show.titles[0] if show.titles else ""
    return Extracted(PPTX, (draft.part(title),), notes=office.notes())
