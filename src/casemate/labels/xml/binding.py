"""Labels bound to data: STANAG 4778 (ADatP-4778 (A)(1)), and two profiles of ADatP-4778.2, sidecar and REST.

    BindingInformation / MetadataBindingContainer / MetadataBinding: Metadata (one label each), then DataReference
    sidecar   a file beside the data that names it       urn:nato:stanag:4778:profile:sidecar:1:2
    REST      the header field Binding-Data               urn:nato:stanag:4778:profile:rest:1:2

A signature is neither made nor verified here: what is read says whether there was one. It must never bind to a whole
what was bound to a part of it, nor pass over a label of the data.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.xml.markup import DECLARATION, LONGEST, Node, element, read_xml
from casemate.labels.xml.stanag4774 import NAMESPACE as LABEL
from casemate.labels.xml.stanag4774 import ConfidentialityLabel, read_label, write_label

__all__ = [
    "HEADER",
    "NAMESPACE",
    "Binding",
    "BindingInformation",
    "DataReference",
    "header",
    "read_binding",
    "read_header",
    "read_sidecar",
    "sidecar",
    "write_binding",
]

NAMESPACE = "urn:nato:stanag:4778:bindinginformation:1:0"
HEADER = "Binding-Data"
_MIME = "http://www.w3.org/2005/05/xmlmime"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_NS = f"{{{NAMESPACE}}}"
_HTTP = "message/http"
_PARAMETER = re.compile(r'\s*([A-Za-z-]+)="([^"]*)"\s*(?:;|$)')


@dataclass(frozen=True, slots=True)
class DataReference:
    """Where the data is: a URI, "" for what carries the binding itself. What is not XML has a `media_type`."""

    uri: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """All these labels are bound to all this data."""

    labels: tuple[ConfidentialityLabel, ...]
    data: tuple[DataReference, ...]


@dataclass(frozen=True, slots=True)
class BindingInformation:
    """What a binding data object holds; `signed`: it bore a signature, which nobody has verified here."""

    bindings: tuple[Binding, ...]
    signed: bool = False


def write_binding(bindings: Sequence[Binding]) -> str:
    """The bindings as an XML document. MarkingError if one binds nothing or to nothing."""
    inside = []
    for binding in bindings:
        if not binding.labels or not binding.data:
            _refuse("", "a binding has a label and names its data")
        metadata = [element("mb:Metadata", {}, [write_label(label)]) for label in binding.labels]
        inside.append(element("mb:MetadataBinding", {}, [*metadata, *map(_reference, binding.data)]))
    container = element("mb:MetadataBindingContainer", {}, inside)
    spaces = {"xmlns:mb": NAMESPACE, "xmlns:xmime": _MIME}
    return DECLARATION + element("mb:BindingInformation", spaces, [container]) + "\n"


def read_binding(source: str | bytes) -> BindingInformation:
    """What a binding data object says. Metadata that is no label is passed over; what is bound to a part is refused."""
    root = read_xml(source)
    if root.name != f"{_NS}BindingInformation":
        _refuse(root.name, "not binding information")
    signed = bool(root.all(_SIGNATURE))
    containers = _only(root, {f"{_NS}MetadataBindingContainer", _SIGNATURE}).all(f"{_NS}MetadataBindingContainer")
    bindings = [each for one in containers for each in _only(one, {f"{_NS}MetadataBinding"}).children]
    if not bindings:
        _refuse(root.name, "binds nothing")
    return BindingInformation(tuple(map(_binding, bindings)), signed)


def sidecar(labels: Iterable[ConfidentialityLabel], uri: str, media_type: str = "") -> str:
    """The document that stands beside the data and names it by `uri`, relative to itself or absolute."""
    if not uri:
        _refuse("", "a sidecar names its data")
    return write_binding([Binding(tuple(labels), (DataReference(uri, media_type),))])


def read_sidecar(source: str | bytes, uri: str) -> tuple[ConfidentialityLabel, ...]:
    """The labels that a sidecar binds to `uri`. MarkingError if none: data without its label is not bottom."""
    return _bound(read_binding(source), uri)


def header(labels: Iterable[ConfidentialityLabel]) -> tuple[str, str]:
    """The name and the value of the header field that binds labels to the message that bears it."""
    document = write_binding([Binding(tuple(labels), (DataReference("", _HTTP),))])
    encoded = base64.b64encode(document.encode()).decode()
    return HEADER, f'binding-type="{NAMESPACE}"; binding-data-object="{encoded}"'


def read_header(value: str) -> tuple[ConfidentialityLabel, ...]:
    """The labels that the value of a Binding-Data field binds to its message. MarkingError if it binds none."""
    if len(value) > 2 * LONGEST:
        _refuse(value, "longer than a header field can be")
    said: dict[str, str] = {}
    at = 0
    while at < len(value):
        found = _PARAMETER.match(value, at)
        if found is None or found[1].lower() in said:
            _refuse(value, f"not a value of {HEADER}")
        said[found[1].lower()] = found[2]
        at = found.end()
    if said.keys() != {"binding-type", "binding-data-object"} or said["binding-type"] != NAMESPACE:
        _refuse(value, f"not a value of {HEADER}")
    try:
        document = base64.b64decode(said["binding-data-object"], validate=True)
    except ValueError:
        _refuse(value, "not base64")
    return _bound(read_binding(document), "")


def _bound(information: BindingInformation, uri: str) -> tuple[ConfidentialityLabel, ...]:
    found = tuple(
        label
        for binding in information.bindings
        for label in binding.labels
        if uri in (reference.uri for reference in binding.data)
    )
    if not found:
        _refuse(uri, "no label is bound to it")
    return found


def _reference(reference: DataReference) -> str:
    media = {"xmime:contentType": reference.media_type} if reference.media_type else {}
    return element("mb:DataReference", {"URI": reference.uri} | media)


def _binding(node: Node) -> Binding:
    _only(node, {f"{_NS}Metadata", f"{_NS}DataReference"})
    labels = []
    for metadata in node.all(f"{_NS}Metadata"):
        if len(metadata.children) != 1:
            _refuse(metadata.name, "holds exactly one element")
        if metadata.children[0].name.startswith(f"{{{LABEL}}}"):
            labels.append(read_label(metadata.children[0]))
    data = [_data(each) for each in node.all(f"{_NS}DataReference")]
    if not data:
        _refuse(node.name, "names no data")
    return Binding(tuple(labels), tuple(data))


def _data(node: Node) -> DataReference:
    if node.children or "URI" not in node.attributes:
        _refuse(node.name, "names a part of its data, or none")
    return DataReference(node.attributes["URI"], node.attributes.get(f"{{{_MIME}}}contentType", ""))


def _only(node: Node, names: set[str]) -> Node:
    """The element itself. MarkingError if it holds another kind: data of its own, or metadata that stands elsewhere."""
    strange = [child.name for child in node.children if child.name not in names]
    if strange:
        _refuse(strange[0], "an element that a binding here has no place for")
    return node


def _refuse(what: str, why: str) -> NoReturn:
    raise MarkingError(marking=shown(what), why=why)
