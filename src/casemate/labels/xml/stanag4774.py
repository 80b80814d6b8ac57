"""Confidentiality labels as XML: STANAG 4774, ADatP-4774 (A)(1), in its own words; `naming` says which are ours.

    Label --said_in_4774--> ConfidentialityLabels      one per policy: the first listed one's is the originator's, and
    the others are alternatives    --label_in_4774--> Label      the join: whoever writes several means all of them
    ConfidentialityLabel --write_label--> XML --read_label--> ConfidentialityLabel
    to_4774, from_4774: both steps at once

A label's agencies and needs stay in their region: whoever reads says whose it is, as with every marking. It must never
read less than is written: what has no place in a label (a privacy mark, an unknown category or value) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn

from casemate.errors import MarkingError
from casemate.labels.disguise import shown
from casemate.labels.label import Element, Label, make_label
from casemate.labels.listed import Policies
from casemate.labels.xml.markup import Node, element, read_xml
from casemate.labels.xml.naming import Information, Tagged, element_of, information_of_element, policy_of

__all__ = [
    "NAMESPACE",
    "ConfidentialityLabel",
    "Role",
    "from_4774",
    "label_in_4774",
    "read_label",
    "said_in_4774",
    "to_4774",
    "write_label",
]

NAMESPACE = "urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"
Role = Literal["originator", "alternative", "metadata"]

_NS = f"{{{NAMESPACE}}}"
_ROLES: dict[str, Role] = {
    f"{_NS}originatorConfidentialityLabel": "originator",
    f"{_NS}ConfidentialityLabel": "originator",  # kept by the standard for what was written before it
    f"{_NS}alternativeConfidentialityLabel": "alternative",
    f"{_NS}metadataConfidentialityLabel": "metadata",
}
_KINDS = ("RESTRICTIVE", "PERMISSIVE", "INFORMATIVE")
_ABOUT = frozenset(f"{_NS}{name}" for name in ("OriginatorID", "CreationDateTime", "SuccessionHandling"))
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class ConfidentialityLabel:
    """One policy's label. `originator` is an RFC 822 name, or "".

    `created` and `review` are xs:dateTime: the standard asks for both, and one that was read without them has "".
    """

    role: Role
    information: Information
    created: str = ""
    review: str = ""
    originator: str = ""


def write_label(label: ConfidentialityLabel) -> str:
    """The label as an XML element with its own namespace declaration. MarkingError without its two times."""
    for time in (label.created, label.review):
        if not _TIME.fullmatch(time):
            _refuse(time, "not a date and time with its zone, which ADatP-4774 asks for twice")
    information = label.information
    inside = [
        element("PolicyIdentifier", _uri(information.uri), information.policy),
        element("Classification", {}, information.classification),
        *(_category(tagged) for tagged in information.tags),
    ]
    whose = [element("OriginatorID", {"IDType": "rfc822Name"}, label.originator)] if label.originator else []
    return element(
        f"{label.role}ConfidentialityLabel",
        {"xmlns": NAMESPACE, "ReviewDateTime": label.review},
        [
            element("ConfidentialityInformation", {}, inside),
            *whose,
            element("CreationDateTime", {}, label.created),
        ],
    )


def read_label(source: str | bytes | Node) -> ConfidentialityLabel:
    """The label that an XML document or element holds. Times that the standard asks for may be missing."""
    node = source if isinstance(source, Node) else read_xml(source)
    role = _ROLES.get(node.name)
    if role is None:
        _refuse(node.name, "not a confidentiality label")
    inside = node.one(f"{_NS}ConfidentialityInformation")
    _only(node, _ABOUT | {inside.name})
    policy, classification = inside.one(f"{_NS}PolicyIdentifier"), inside.one(f"{_NS}Classification")
    _only(inside, {policy.name, classification.name, f"{_NS}Category"})
    tags = tuple(_tagged(each) for each in inside.all(f"{_NS}Category"))
    information = Information(policy.text, classification.text, tags, policy.attributes.get("URI", ""))
    return ConfidentialityLabel(
        role,
        information,
        _text(node, "CreationDateTime"),
        node.attributes.get("ReviewDateTime", ""),
        _text(node, "OriginatorID"),
    )


def said_in_4774(
    policies: Policies, label: Label, created: str, review: str, *, originator: str = ""
) -> tuple[ConfidentialityLabel, ...]:
    """A label, policy by policy; the bottom of the first policy if it says nothing in any."""
    held = dict(label.elements)
    first = next(iter(policies.listed.values()))
    named = [(policy, held.pop(name)) for name, policy in policies.listed.items() if name in held]
    if held:
        _refuse(label.text, f"of a policy that is not listed: {min(held)}")
    said = [information_of_element(policy, each) for policy, each in named or [(first, first.bottom)]]
    return tuple(
        ConfidentialityLabel("alternative" if at else "originator", information, created, review, originator)
        for at, information in enumerate(said)
    )


def label_in_4774(policies: Policies, labels: Iterable[ConfidentialityLabel], agencies: Iterable[str] = ()) -> Label:
    """The label of what is so labelled, in the words of the listed policies. MarkingError if it is not one of theirs.

    A label of the metadata is passed over: it is not the data's.
    """
    elements: dict[str, Element] = {}
    for label in labels:
        if label.role == "metadata":
            continue
        policy = policy_of(policies.listed.values(), label.information)
        if policy.name in elements:
            _refuse(label.information.policy, f"two labels of the policy {policy.name}")
        elements[policy.name] = element_of(policies, policy, label.information)
    if not elements:
        _refuse("", "no label of the data")
    return make_label(elements, agencies)


def to_4774(policies: Policies, label: Label, created: str, review: str, *, originator: str = "") -> tuple[str, ...]:
    """A label's XML: an element per policy that it says something in."""
    return tuple(map(write_label, said_in_4774(policies, label, created, review, originator=originator)))


def from_4774(policies: Policies, sources: Iterable[str | bytes], agencies: Iterable[str] = ()) -> Label:
    """The label that XML of this form says."""
    return label_in_4774(policies, map(read_label, sources), agencies)


def _category(tagged: Tagged) -> str:
    attributes = {"Type": tagged.kind, "TagName": tagged.name} | _uri(tagged.uri)
    return element("Category", attributes, [element("GenericValue", {}, value) for value in tagged.values])


def _tagged(node: Node) -> Tagged:
    kind, name = node.attributes.get("Type", ""), node.attributes.get("TagName", "")
    if kind not in _KINDS or not name:
        _refuse(f"{name} {kind}", "a category has a tag name, and is RESTRICTIVE, PERMISSIVE or INFORMATIVE")
    _only(node, {f"{_NS}GenericValue"})
    return Tagged(name, kind, tuple(child.text for child in node.children), node.attributes.get("URI", ""))


def _uri(uri: str) -> dict[str, str]:
    return {"URI": uri} if uri else {}


def _text(node: Node, name: str) -> str:
    found = node.all(f"{_NS}{name}")
    return found[0].text if found else ""


def _only(node: Node, names: Iterable[str]) -> None:
    strange = [child.name for child in node.children if child.name not in set(names)]
    if strange:
        _refuse(strange[0], "an element that a label here has no place for")


def _refuse(what: str, why: str) -> NoReturn:
    raise MarkingError(marking=shown(what), why=why)
