"""What a file gives, before it is committed: its documents, their parts and passages, label by label. Pure.

Everything that is kept at a label is a function of what may be seen there, of when and by whom the file was brought,
and of what its bringer said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from casemate.access import HeldRecord
from casemate.knowledge.documents import near
from casemate.knowledge.documents.document import Document, Part
from casemate.knowledge.index.filed import Filed
from casemate.knowledge.reading import extract, portions
from casemate.knowledge.reading.language import detect
from casemate.knowledge.reading.passage import Passage, passages
from casemate.labels import Label

__all__ = ["FILE", "Gathered", "blocks", "gather", "why"]

FILE = "file-"


@dataclass(slots=True)
class Gathered:
    """`documents` and `parts` by id and label; `filed` is what the shards of a label are told of them."""

    media: str = ""
    documents: list[tuple[str, Document, Label]] = field(default_factory=list)
    parts: list[tuple[str, Part, Label]] = field(default_factory=list)
    passages: dict[Label, list[Passage]] = field(default_factory=dict)
    filed: dict[Label, list[Filed]] = field(default_factory=dict)
    unmarked: int = 0
    total: int = 0


def gather(into: Gathered, id: str, held: HeldRecord, title: str, marked: portions.Marked) -> None:
    """Passages and parts of one document, per label; of a base that labels whole documents, at the whole's alone."""
    if held.granularity == "document":
        marked = _whole(marked)
    count = 0
    named = title if title or marked.by_portions else _stem(held.name)
    for label in marked.labels():
        made = passages(marked.portions, label, id, "" if marked.by_portions else named)
        if made:
            part = _part(held, into.media if label is marked.label else "", made)
            into.passages.setdefault(label, []).extend(made)
            into.parts.append((id, part, label))
            filed = Filed(id, part.title, part.at, part.media, part.language, part.attributes)
            into.filed.setdefault(label, []).append(filed)
            count += len(made)
    shown = named or next((part.title for other, part, _ in into.parts if other == id), held.name)
    into.documents.append((id, _document(held, into.media, shown, count), marked.label))
    into.total += count


def blocks(part: extract.Part) -> list[portions.Block]:
    """The paragraphs of a document, with their pages where it has several."""
    paged = len(part.pages) > 1
    return [
        portions.Block(paragraph.text, number if paged else 0, paragraph.kind)
        for number, page in enumerate(part.pages, start=1)
        for paragraph in page
    ]


def why(outcome: portions.Outcome) -> tuple[str, dict[str, str | int]]:
    """The reason and the facts of what is put aside."""
    if isinstance(outcome, portions.Quarantine):
        return outcome.reason, dict(outcome.facts)
    return "above-acting", {}


def _whole(marked: portions.Marked) -> portions.Marked:
    """Every portion under the label of the whole; the marks have done their work."""
    same = tuple(replace(portion, label=marked.label, mark="") for portion in marked.portions)
    return replace(marked, portions=same)


def _part(held: HeldRecord, media: str, made: Sequence[Passage]) -> Part:
    """What kind of file it was (`media`) is told of the whole, and so where the whole lies.

    An origin that is a name (a connector's) was chosen by somebody who knew all of the file: it stays above.

    That of a place is PLACE:..., and a place's own name may begin as ids of files do.
    """
    text = "\n".join(passage.text for passage in made)
    return Part(
        held.base,
        made[0].title,
        tuple(made),
        by=held.principal,
        at=held.at,
        media=media,
        language=detect(text),
        attributes=held.attributes,
        origin=held.origin if held.origin.startswith(FILE) and ":" not in held.origin else "",
        sketch=near.sketch(text),
    )


def _document(held: HeldRecord, media: str, title: str, count: int) -> Document:
    return Document(
        name=held.name,
        base=held.base,
        title=title,
        digest=held.digest,
        passages=count,
        added_by=held.principal,
        at=held.at,
        origin=held.origin,
        media=media,
        attributes=held.attributes,
        marks=held.marks,
        replaces=held.replaces,
    )


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0].replace("_", " ")
