"""A marked document as XML with attributes of ISM: what a roll-up prints so that a third party can validate it.

    <document ism:DESVersion ism:resourceElement="true" ism:createDate ism:classification ...>
      <portion ism:classification ...>text</portion>
    </document>

The element names are ours; everything that is judged is an attribute of ISM. A validator also asks for the notices
that some controls need: they are text that only the manual prescribes, and are not supplied here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.mark import Mark
from casemate.labels.xml.authority import Authority, authority_of
from casemate.labels.xml.ism import DES_VERSION, NAMESPACE, from_ism, to_ism
from casemate.labels.xml.markup import DECLARATION, Node, element, read_xml

__all__ = ["OURS", "Document", "Portion", "read_document", "write_document"]

OURS = "urn:casemate:marked-document:1"
_DOCUMENT, _PORTION = f"{{{OURS}}}document", f"{{{OURS}}}portion"
_PREFIX = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class Portion:
    """A marked part; `excluded` from the roll-up where the document only quotes it."""

    mark: Mark
    text: str
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What a document bears. `created` is YYYY-MM-DD; `compilation` the reason why it stands above its portions."""

    resource: Mark
    portions: tuple[Portion, ...]
    created: str
    authority: Authority | None = None
    compilation: str = ""
    complies_with: tuple[str, ...] = ()


def write_document(document: Document) -> str:
    """The document as XML. MarkingError if a mark of it cannot be said in ISM."""
    about = {
        "DESVersion": DES_VERSION,
        "resourceElement": "true",
        "createDate": document.created,
        "compliesWith": " ".join(document.complies_with),
        "compilationReason": document.compilation,
    }
    said = {name: value for name, value in about.items() if value} | to_ism(document.resource)
    if document.authority:
        said |= document.authority.attributes()
    portions = [f"\n  {_portion(portion)}" for portion in document.portions]
    spaces = {"xmlns": OURS, "xmlns:ism": NAMESPACE}
    return DECLARATION + element("document", spaces | _prefixed(said), [*portions, "\n"]) + "\n"


def read_document(source: str | bytes) -> Document:
    """The document that XML of this form holds. MarkingError if it is another, or a mark of it says nothing."""
    root = read_xml(source)
    if root.name != _DOCUMENT or root.attributes.get(f"{_PREFIX}resourceElement") != "true":
        raise MarkingError(marking=shown(root.name), why="not a document with a resource element")
    said = _said(root)
    strange = [child.name for child in root.children if child.name != _PORTION or child.children]
    if strange:
        raise MarkingError(marking=shown(strange[0]), why="not a portion")
    return Document(
        resource=from_ism(said),
        portions=tuple(_read(child) for child in root.children),
        created=said.get("createDate", ""),
        authority=authority_of(said),
        compilation=said.get("compilationReason", ""),
        complies_with=tuple(said.get("compliesWith", "").split()),
    )


def _portion(portion: Portion) -> str:
    said = to_ism(portion.mark)
    if portion.excluded:
        said["excludeFromRollup"] = "true"
    return element("portion", _prefixed(said), portion.text)


def _read(node: Node) -> Portion:
    said = _said(node)
    return Portion(from_ism(said), node.text, said.get("excludeFromRollup") == "true")


def _prefixed(said: Mapping[str, str]) -> dict[str, str]:
    return {f"ism:{name}": value for name, value in said.items()}


def _said(node: Node) -> dict[str, str]:
    """Its attributes of ISM, without the namespace; others are not ours to judge."""
    return {name.removeprefix(_PREFIX): value for name, value in node.attributes.items() if name.startswith(_PREFIX)}
