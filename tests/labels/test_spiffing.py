"""The tests of spiffing, a label engine that we did not write: ADatP-4774 table 17, UK, TLP; and what lies outside.

Its policies are files, as ours are: NATO's and the United Kingdom's are packaged, its two TLP ones are a site's here,
and what one policy's label is in another is an equivalence that a site states. Its food policy is no test of ours.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from casemate.errors import MarkingError
from casemate.labels import Label, Mark, Policies, make_label
from casemate.labels.equivalence import equated, read_equivalences
from casemate.labels.marking import ordered
from casemate.labels.xml.naming import Information, Tagged, mark_of_information
from casemate.labels.xml.stanag4774 import from_4774, read_label

HERE = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("CASEMATE_TEST_DATA", HERE.parent / "shared" / "data")) / "labels" / "spiffing"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="CASEMATE_TEST_DATA holds no labels: no referee to ask"),
]
SPIF = "{http://www.xmlspif.org/spif}"
SPIFFY = "{http://surevine.com/xmlns/spiffy}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# spiffing's two TLP policies: tlp-plus.xml and tlp.xml.
TLPX = """
name = "tlpx"
version = "2015-09-24"
title = { en = "TLPX", fr = "TLPX" }
source = "surevine/spiffing, tlp-plus.xml"
levels = [
  { name = "WHITE", banner = { en = "TLPX:WHITE" }, portion = "TLPX:WHITE", colour = ["#000000", "#ffffff"] },
  { name = "GREEN", banner = { en = "TLPX:GREEN" }, portion = "TLPX:GREEN", colour = ["#000000", "#33ff00"] },
  { name = "AMBER", banner = { en = "TLPX:AMBER" }, portion = "TLPX:AMBER", colour = ["#000000", "#ffc000"] },
  { name = "RED", banner = { en = "TLPX:RED" }, portion = "TLPX:RED", colour = ["#000000", "#ff5050"] },
]
[[categories]]
name = "DISSEMINATION"
type = "permissive"
section = 1
owner = "SOURCE"
glue = " "
tokens = ["SOURCE", "EU", { name = "SAFEHARBOUR", banner = { en = "SafeHarbour" } }, "US"]
list = { prefix = { en = "J:" }, portion = "J:", order = 1, separator = ",", as_listed = true }
[[categories]]
name = "STATUS"
type = "restrictive"
section = 2
glue = " "
tokens = [{ name = "DO-NOT-ACTION", banner = { en = "Do not action" }, free = true }]
"""
TLP1 = """
name = "tlp1"
version = "2015-09-24"
title = { en = "TLP", fr = "TLP" }
source = "surevine/spiffing, tlp.xml"
levels = [
  { name = "WHITE", banner = { en = "TLP:WHITE" }, portion = "TLP:WHITE", colour = ["#000000", "#ffffff"] },
  { name = "GREEN", banner = { en = "TLP:GREEN" }, portion = "TLP:GREEN", colour = ["#000000", "#33ff00"] },
  { name = "AMBER", banner = { en = "TLP:AMBER" }, portion = "TLP:AMBER", colour = ["#000000", "#ffc000"] },
  { name = "RED", banner = { en = "TLP:RED" }, portion = "TLP:RED", colour = ["#000000", "#ff5050"] },
]
[[categories]]
name = "REGION"
type = "permissive"
section = 1
owner = "SOURCE"
glue = " "
tokens = ["SOURCE", "EU", "US"]
list = { prefix = { en = "[REGION=" }, portion = "[REGION=", order = 1, separator = "/", suffix = "]" }
[[categories]]
name = "WARNING"
type = "restrictive"
section = 2
glue = " "
tokens = [
  { name = "EXTRA", banner = { en = "[Additional Handling May Apply]" }, order = 1, free = true },
  { name = "FOREIGN", banner = { en = "[Imported Data]" }, order = 2, free = true },
  { name = "NONE", order = 3, free = true }, # a label that holds every free token is a clearance, and writes none
]
"""
# What tlp-plus.xml states of its labels in the two other policies (equivalentClassification and the like), written out.
AGREED = """
[[equivalences]]
from = "tlpx:TLPX:AMBER J:EU"
to = "tlp1:AMBER//REGION=EU,SOURCE//WARNING=EXTRA,FOREIGN"
agreement = "tlp-plus.xml, equivalentPolicy TLP"

[[equivalences]]
from = "tlpx:GREEN//DISSEMINATION=SAFEHARBOUR,SOURCE//STATUS=DO-NOT-ACTION"
to = "tlp1:GREEN//REGION=EU,SOURCE,US//WARNING=FOREIGN"
agreement = "tlp-plus.xml, equivalentPolicy TLP"

[[equivalences]]
from = "tlpx:TLPX:AMBER J:EU"
to = "uk:SECRET - UK / EU EYES ONLY"
agreement = "tlp-plus.xml, equivalentPolicy UK-DEMO"
"""
ALL = Policies.load(["nato", "uk", "tlpx", "tlp1"], [TLPX, TLP1])
POLICY = {"NATO": "nato", "TLPX": "tlpx", "TLP": "tlp1", "UK": "uk"}
# spiffing's tag sets by our categories, where the packaged policies name them otherwise than the file.
TAGS = {
    ("UK", "Sensitive"): "HANDLING",
    ("UK", "Sensitive Descriptors"): "DESCRIPTOR",
    ("UK", "National Caveats"): "EYES",
    ("TLPX", "Dissemination"): "DISSEMINATION",
    ("TLPX", "Data Status"): "STATUS",
}


@dataclass(frozen=True)
class Spif:
    """What of a policy file the tests need: names by number."""

    name: str
    levels: Mapping[str, str]
    tags: Mapping[tuple[str, str, str], tuple[str, str]]  # (tag set, kind, number) -> (its name, the category's)


KINDS = {"restrictive": "RESTRICTIVE", "permissive": "PERMISSIVE", "tagType7": "INFORMATIVE"}
KINDS |= {"enumeratedRestrictive": "RESTRICTIVE", "enumeratedPermissive": "PERMISSIVE", "informative": "INFORMATIVE"}


@cache
def _spifs() -> dict[str, Spif]:
    """The policy files that are read, by their number."""
    found = {}
    for file in ("nato-4774-policy.xml", "tlp-plus.xml", "tlp.xml", "uk-demo.xml"):
        root = ET.parse(DATA / file).getroot()
        named = root.find(f"{SPIF}securityPolicyId")
        assert named is not None
        tags = {
            (sets.get("id", ""), _kind(tag), str(int(each.get("lacv", "0")))): (
                sets.get("name", ""),
                each.get("name", ""),
            )
            for sets in root.iter(f"{SPIF}securityCategoryTagSet")
            for tag in sets.findall(f"{SPIF}securityCategoryTag")
            for each in tag.findall(f"{SPIF}tagCategory")
        }
        levels = {each.get("lacv", ""): each.get("name", "") for each in root.iter(f"{SPIF}securityClassification")}
        found[named.get("id", "")] = Spif(named.get("name", ""), levels, tags)
    return found


def _kind(tag: ET.Element) -> str:
    kind = tag.get("tagType", "")
    return KINDS[tag.get("enumType", "") if kind == "enumerated" else kind]


def _information(root: ET.Element) -> Information:
    """A label of spiffing's own form, or one policy's part of a clearance at its highest level, in words."""
    policy = root.find(f"{SPIFFY}policy")
    assert policy is not None
    spif = _spifs()[policy.get("id", "")]
    level = [spif.levels[each.get("lacv", "")] for each in root.findall(f"{SPIFFY}classification")][-1]
    sets: dict[tuple[str, str], list[str]] = {}
    for tag in root.findall(f"{SPIFFY}tag"):
        kind = KINDS[tag.get("type", "")]
        name, value = spif.tags[tag.get("id", ""), kind, str(int(tag.get("lacv", "0")))]
        sets.setdefault((TAGS.get((spif.name, name), name), kind), []).append(
            value.upper().replace(" ", "-") if spif.name != "NATO" else value
        )
    return Information(
        spif.name, level, tuple(Tagged(name, kind, tuple(values)) for (name, kind), values in sets.items())
    )


def _mark(file: str) -> Mark:
    """The mark of a test's label, written as its policy prescribes."""
    if file.endswith(".nato"):
        information = read_label((DATA / file).read_bytes()).information
    else:
        information = _information(ET.parse(DATA / file).getroot())
    policy = ALL.listed[POLICY[information.policy]]
    return ordered(policy, mark_of_information(policy, information))


def _tests(sequence: int) -> Iterator[dict[str, str]]:
    root = ET.parse(DATA / "tests.xml").getroot()
    for test in root.findall("sequence")[sequence].findall("test"):
        yield dict(test.attrib)


def test_table_17_in_english_and_french(record_property: Callable[[str, object], None]) -> None:
    """Every label of NATO's with the marking that spiffing expects of it, from both forms of it."""
    count = 0
    for test in _tests(3):
        form = test.get(LANG, "en")[:2]
        mark = _mark(test["label"])
        assert ALL.render(mark, form) == test["label-marking"], test
        (again,) = (each for each in ALL.parse_mark(test["label-marking"], "full") if each.mark.policy == "nato")
        assert again.right
        assert ALL.label(again.mark) is ALL.label(mark)
        count += 1
    record_property("spiffing, NATO", count)
    assert count == 14


FRENCH = {
    "17-1": "NATO SANS CLASSIFICATION Communicable a ISAF, KFOR, RESOLUTE SUPPORT",
    "17-2": "NATO SANS CLASSIFICATION",
    "17-3": "NATO SANS CLASSIFICATION - STAFF",
    "17-4": "NATO DIFFUSION RESTREINTE Communicable a Japon, Suisse, Ukraine",
    "17-5": "NATO/EAPC CONFIDENTIEL Communicable a EAPC, ISAF",
    "17-6": "NATO/KFOR CONFIDENTIEL Irlande, Suède, Ukraine, NATO SEULEMENT",
}


@pytest.mark.parametrize(("example", "french"), FRENCH.items())
def test_the_six_examples_in_french(example: str, french: str) -> None:
    """From the words of the policy file; spiffing expects the first of them."""
    assert ALL.render(_mark(f"nato-4774-{example}.nato"), "fr") == french


def test_the_example_that_breaks_its_own_policy() -> None:
    """Example 5 is released to communities that the policy excludes from CONFIDENTIAL: spiffing leaves it out."""
    mark = _mark("nato-4774-17-5.nato")
    assert ALL.render(mark) == "NATO/EAPC CONFIDENTIAL Releasable to EAPC, ISAF"
    with pytest.raises(MarkingError):
        from_4774(ALL, [(DATA / "nato-4774-17-5.nato").read_bytes()])
    (parsed,) = ALL.parse_mark("NATO/EAPC CONFIDENTIAL Releasable to ISAF", "full")
    assert [(each.rule, each.severity) for each in parsed.findings] == [("level", "error")]


@pytest.mark.parametrize("example", ["17-1", "17-2", "17-3", "17-4", "17-6"])
def test_an_example_is_the_label_of_its_marking(example: str) -> None:
    file = f"nato-4774-{example}.nato"
    assert from_4774(ALL, [(DATA / file).read_bytes()]) is ALL.label(_mark(file))


ENCRYPTED = {"1.2.826.0.1.6726289.0.2": "tlp1", "1.2.826.0.1.6726289.0.4": "uk"}


def test_the_traffic_light_protocol_and_the_united_kingdom(record_property: Callable[[str, object], None]) -> None:
    """A label of TLPX, as it is written, and in the policy that it is sent to, with what spiffing grants."""
    agreed = read_equivalences(ALL, AGREED, "agreed.toml")
    written = decided = 0
    for test in _tests(2):
        mark = _mark(test["label"])
        if "label-marking" in test:
            assert ALL.render(mark) == test["label-marking"]
            written += 1
        name = ENCRYPTED[test["encrypt"]]
        other = dict(equated(ALL.label(mark), agreed).label.elements)[name]
        sent = make_label({name: other})
        prefix = "DEMO-UK " if name == "uk" else ""
        assert prefix + ALL.banner(sent) == test["encrypt-marking"]
        written += 1
        if "acdf-result" in test:
            # Whoever holds several memberships has a clearance for each, and any one is enough.
            granted = any(sent <= each for each in _clearances(test["clearance"]))
            assert granted is (test["acdf-result"] == "1")
            decided += 1
    record_property("spiffing, markings of TLP and UK", written)
    record_property("spiffing, access decisions", decided)
    assert (written, decided) == (5, 1)


def _clearances(file: str) -> Iterator[Label]:
    information = _information(ET.parse(DATA / file).getroot())
    controls = [f"{each.name}={','.join(each.values)}" for each in information.tags if each.kind == "RESTRICTIVE"]
    (memberships,) = (each for each in information.tags if each.kind == "PERMISSIVE")
    for one in memberships.values:
        if one == ALL.listed["uk"].by_name[memberships.name].owner:  # a set of ours holds its owner
            text = "//".join([f"uk:{information.classification}", *controls, f"{memberships.name}={one}"])
            yield ALL.parse(text)


def test_what_lies_outside_is_named() -> None:
    """The other sequences speak of a policy that is not one of ours, nor could be a site's."""
    sequences = ET.parse(DATA / "tests.xml").getroot().findall("sequence")
    files = {each.get("spif", "") for at in (0, 1) for each in sequences[at].findall("policy")}
    assert files == {"food-policy.xml", "food-policy-borked.xml"}
    assert len(list(_tests(0))) + len(list(_tests(1))) == 8
    text = (DATA / "food-policy.xml").read_text()
    with pytest.raises(ET.ParseError):  # the file itself is not well formed
        ET.fromstring(text)
    assert "<excludedCategory" in text  # what one category excludes of another is no part of a lattice
