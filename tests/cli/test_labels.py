"""`casemate labels`: offline, on every kind of file; what people read, what programs read, how it ends."""

from __future__ import annotations

import io
import json
import re
import stat
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import pytest

from casemate.errors import Mismarked, Unreadable
from tests.cells.made import docx, p, pdf
from tests.cli.running import Place

WRONG = "SECRET//NOFORN\n\n(S//NF) The convoy leaves.\n\n(TS/SI//NF) More.\n\n(U) Derived From: a guide.\n\n"
WRONG += "SECRET//NOFORN\n"
RIGHT = "SECRET//NOFORN\n\n(S//NF) The convoy leaves.\n\n(U) Derived From: a guide.\n\nSECRET//NOFORN\n"
FIXED = WRONG.replace("SECRET//NOFORN", "TOP SECRET//SI//NOFORN").replace("TS/SI", "TS//SI")


def put(place: Place, **files: str | bytes) -> None:
    for name, said in files.items():
        path = place.path / name.replace("_", ".")
        path.write_bytes(said.encode() if isinstance(said, str) else said)


def test_findings_with_their_lines_for_people(place: Place) -> None:
    put(place, a_md=WRONG)
    ran = place.run("labels", "lint", "a.md")
    assert ran.code == Mismarked.exit == 16
    assert "a.md:5:2: error separator:" in ran.out
    assert "    (TS/SI//NF) More.\n     ^^^^^^^^^\n" in ran.out
    assert "write: TS//SI//NF" in ran.out
    assert "D.2" in ran.out
    assert "Marks to correct" in ran.err
    french = place.run("labels", "lint", "a.md", "--language", "fr")
    assert "erreur separator" in french.out
    assert "Mentions à corriger" in french.err


def test_a_clean_file_ends_with_nothing_and_zero(place: Place) -> None:
    put(place, a_txt=RIGHT)
    ran = place.run("labels", "lint", "a.txt")
    assert (ran.code, ran.out) == (0, "")


def test_notes_count_where_they_are_asked_for(place: Place) -> None:
    put(place, a_txt=RIGHT.replace("Derived From: a guide", "Two"))
    assert place.run("labels", "lint", "a.txt").code == 0
    assert place.run("labels", "lint", "a.txt", "--strict").code == Mismarked.exit


def test_standard_input_and_json(place: Place) -> None:
    ran = place.run("labels", "lint", "-", "--json", stdin=WRONG)
    assert ran.code == Mismarked.exit
    assert ran.err == ""
    told = ran.json
    [file] = told["data"]["files"]
    assert (file["path"], file["policy"], file["banner"]) == ("-", "us", "TOP SECRET//SI//NOFORN")
    assert told["marking"] == "TOP SECRET//SI//NOFORN"
    assert told["label"].startswith("us:TOP SECRET")
    found = next(each for each in file["findings"] if each["rule"] == "separator")
    assert (found["line"], found["column"], found["text"], found["fix"]) == (5, 2, "TS/SI//NF", "TS//SI//NF")
    assert WRONG[found["start"] : found["end"]] == found["text"]
    assert found["source"]


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(place: Place) -> None:
    put(place, a_txt=RIGHT, b_txt=b"\xff\xfe\x00S", c_txt=b"a\0b", d_pdf=b"%PDF-1.7 nothing")
    ran = place.run("labels", "lint", "a.txt", "b.txt", "c.txt", "d.pdf", "--json")
    assert ran.code == Unreadable.exit == 12
    assert [each["path"] for each in ran.json["data"]["unread"]] == ["b.txt", "c.txt", "d.pdf"]
    assert len(ran.json["data"]["files"]) == 1
    spoken = place.run("labels", "lint", "a.txt", "b.txt")
    assert spoken.code == Unreadable.exit
    assert "b.txt: It is not written in UTF-8." in spoken.err
    assert place.run("labels", "lint", "nowhere.txt").code == 2


def test_folders_policies_and_a_sites_own_names(place: Place) -> None:
    papers = place.path / "papers"
    papers.mkdir()
    (papers / "a.md").write_text(RIGHT)
    (papers / "b.txt").write_text("NATO SECRET\n\n(NS) Words.\n\nNATO SECRET\n")
    (papers / "c.bin").write_text("not looked at")
    ran = place.run("labels", "lint", "papers", "--json")
    assert ran.code == Unreadable.exit  # what a folder holds and nobody can read is told
    assert [each["policy"] for each in ran.json["data"]["files"]] == ["us", "nato"]
    banner = "TOP SECRET//SI-G ABCD//ORCON/NOFORN\n"
    named = f"{banner}\n(TS//SI-G ABCD//OC/NF) Words. Derived From: x\n\n{banner}"
    put(place, n_txt=named, site_toml='extends = "us"\ntokens.SCI = ["SI-G-ABCD"]\n')
    assert place.run("labels", "lint", "n.txt").code == Mismarked.exit
    assert place.run("labels", "lint", "n.txt", "--extra", "site.toml").code == 0
    assert place.run("labels", "lint", "n.txt", "--policy", "nowhere").code == 15


def test_fix_writes_text_and_nothing_twice(place: Place) -> None:
    put(place, a_md=WRONG)
    printed = place.run("labels", "fix", "a.md")
    assert (printed.code, printed.out) == (0, FIXED)
    assert (place.path / "a.md").read_text() == WRONG
    (place.path / "a.md").chmod(0o640)
    assert place.run("labels", "fix", "a.md", "--in-place").code == 0
    assert (place.path / "a.md").read_text() == FIXED
    assert stat.S_IMODE((place.path / "a.md").stat().st_mode) == 0o640
    before = (place.path / "a.md").stat().st_ino
    assert place.run("labels", "fix", "a.md", "--in-place").code == 0
    assert (place.path / "a.md").stat().st_ino == before  # nothing to write, so nothing is written
    assert [each.name for each in place.path.iterdir()] == ["a.md"]


def test_fix_keeps_line_ends_byte_order_mark_and_links(place: Place) -> None:
    (place.path / "a.txt").write_bytes(b"\xef\xbb\xbf" + WRONG.replace("\n", "\r\n").encode())
    (place.path / "link.txt").symlink_to("a.txt")
    assert place.run("labels", "fix", "link.txt", "--in-place").code == 0
    assert (place.path / "link.txt").is_symlink()
    assert (place.path / "a.txt").read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode()


def test_fix_of_several_needs_a_place_to_write(place: Place) -> None:
    put(place, a_md=WRONG, b_md=WRONG)
    assert place.run("labels", "fix", "a.md", "b.md").code == 2
    assert place.run("labels", "fix", "a.md", "b.md", "--output", "c.md").code == 2
    assert place.run("labels", "fix", "a.md", "--output", "c.md").code == 0
    assert (place.path / "c.md").read_text() == FIXED
    assert place.run("labels", "fix", "a.md", "b.md", "--in-place", "--json").data["files"][1]["path"] == "b.md"
    assert place.run("labels", "fix", "-", stdin=WRONG).out == FIXED


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def words(xml: bytes) -> list[str]:
    """The text of a part of a DOCX, run by run."""
    return [element.text or "" for element in ET.fromstring(xml).iter() if element.tag.endswith("}t")]


def test_fix_of_a_docx_is_a_copy_with_comments_and_never_its_text(place: Place) -> None:
    body = p("(S//NF) The convoy leaves.") + p("(TS/SI//NF) More.") + p("Unmarked here.")
    put(place, a_docx=docx(body, header1=p("SECRET//NOFORN"), footer1=p("SECRET//NOFORN")))
    old = (place.path / "a.docx").read_bytes()
    ran = place.run("labels", "fix", "a.docx")
    assert ran.code == Mismarked.exit
    assert (place.path / "a.docx").read_bytes() == old
    before, after = members(old), members((place.path / "a.marked.docx").read_bytes())
    assert words(after["word/document.xml"]) == words(before["word/document.xml"])
    assert after["word/header1.xml"] == before["word/header1.xml"]
    said = " ".join(words(after["word/comments.xml"]))
    assert "separator" in said
    assert "banner-below “SECRET//NOFORN”" in said
    assert "TOP SECRET//SI//NOFORN" in said
    again = place.run("labels", "lint", "a.marked.docx", "--json").json["data"]["files"][0]
    assert [each["rule"] for each in again["findings"]] == [
        each["rule"] for each in place.run("labels", "lint", "a.docx", "--json").json["data"]["files"][0]["findings"]
    ]


def test_html_and_pdf_are_reported_on_by_page_and_paragraph(place: Place) -> None:
    page = [(72, 760, 10, "SECRET//NOFORN"), (72, 700, 10, "(S//NF) One."), (72, 40, 10, "SECRET//NOFORN")]
    low = [(72, 760, 10, "UNCLASSIFIED"), (72, 700, 10, "(S/NF) Two."), (72, 40, 10, "UNCLASSIFIED")]
    put(place, a_pdf=pdf([page, low]), b_html="<h1>SECRET//NOFORN</h1><p>(S/NF) one</p><p>SECRET//NOFORN</p>")
    before = (place.path / "a.pdf").read_bytes()
    told = place.run("labels", "lint", "a.pdf", "b.html", "--json").json["data"]["files"]
    found = [
        (each["rule"], each["page"], each["paragraph"]) for each in told[0]["findings"] if each["severity"] != "note"
    ]
    assert found == [("banner-below", 2, 4), ("separator", 2, 5), ("banner-below", 2, 6)]
    assert [each["rule"] for each in told[1]["findings"] if each["severity"] == "error"] == ["separator"]
    assert "a.pdf: page 2, paragraph 5: error separator" in place.run("labels", "fix", "a.pdf").err
    assert (place.path / "a.pdf").read_bytes() == before


def test_rollup_says_why(place: Place) -> None:
    put(place, a_md=WRONG)
    ran = place.run("labels", "rollup", "a.md")
    assert ran.code == 0
    assert ran.out.startswith("TOP SECRET//SI//NOFORN\nus:TOP SECRET")
    assert "Every control of this category" in ran.out
    told = place.run("labels", "rollup", "a.md", "--json", "--language", "fr").data
    assert {why["effect"] for why in told[0]["reasons"]} >= {"put", "missing"}
    assert all(why["source"] and why["said"] for why in told[0]["reasons"])
    assert "No mark" in place.run("labels", "rollup", "-", stdin="words").out


def test_rollup_as_ism(place: Place) -> None:
    put(place, a_md=WRONG)
    ran = place.run("labels", "rollup", "a.md", "--ism", "--created", "2026-11-21")
    assert ran.code == 0
    root = ET.fromstring(ran.out.encode())
    ism = "{urn:us:gov:ic:ism}"
    assert root.attrib[f"{ism}classification"] == "TS"
    assert root.attrib[f"{ism}createDate"] == "2026-11-21"
    assert [child.attrib[f"{ism}classification"] for child in root] == ["S", "TS", "U"]
    assert "The convoy leaves." in (root[0].text or "")
    short = "SECRET//REL TO USA, GBR\n\n(S//REL) One.\n\nSECRET//REL TO USA, GBR\n"
    inner = ET.fromstring(place.run("labels", "rollup", "-", "--ism", stdin=short).out.encode())[0]
    assert inner.attrib[f"{ism}releasableTo"] == "USA GBR"
    put(place, b_md=RIGHT)
    assert place.run("labels", "rollup", "a.md", "b.md", "--ism").code == 2
    assert place.run("labels", "rollup", "-", "--ism", stdin="words").code == 2


@pytest.mark.parametrize(
    ("marking", "code", "said"),
    [
        ("(S//SI//OC/NF)", 0, ("SECRET//SI//ORCON/NOFORN", "H.8 ORCON", "USA")),
        ("SECRET//REL TO USA, GBR", 0, ("(S//REL TO USA, GBR)", "GBR")),
        ("NATO SECRET", 0, ("(NS)",)),
        ("(S//XYZZY)", 16, ("unknown-control",)),
        ("what is this", 2, ()),
    ],
)
def test_explain_says_it_in_words(place: Place, marking: str, code: int, said: tuple[str, ...]) -> None:
    ran = place.run("labels", "explain", marking)
    assert ran.code == code
    assert all(words in ran.out for words in said), ran.out
    if code == 0:
        told = place.run("labels", "explain", marking, "--json", "--language", "fr").data
        assert told[0]["seen_by"]
        assert told[0]["label"]


def test_what_a_terminal_may_show(place: Place) -> None:
    put(place, a_txt="SECRET\n\n(S//\x1b[2J\u202eNF) words\n\nSECRET\n")
    assert "\x1b" not in place.run("labels", "lint", "a.txt").out


# ---- SARIF 2.1.0 -----------------------------------------------------------------------------------------------------

LEVELS = {"none", "note", "warning", "error"}


def message(told: dict[str, Any]) -> None:
    """Section 3.11: a message has words."""
    assert isinstance(told["text"], str)
    assert told["text"]


def region(told: dict[str, Any]) -> None:
    """Section 3.30: lines and columns count from 1, an end is no earlier than its start, offsets are not negative."""
    assert set(told) <= {"startLine", "startColumn", "endLine", "endColumn", "charOffset", "charLength", "snippet"}
    assert told["startLine"] >= 1
    assert told["startColumn"] >= 1
    assert (told["endLine"], told["endColumn"]) >= (told["startLine"], told["startColumn"])
    assert told["charOffset"] >= 0
    assert told["charLength"] >= 0


def artifact(told: dict[str, Any]) -> None:
    """Section 3.4: a valid URI reference, so without spaces or what is not ASCII."""
    assert re.fullmatch(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", told["uri"])


def validate(log: dict[str, Any]) -> None:
    """What the standard requires of the parts that are used here, and that none is there which it does not know."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    for run in log["runs"]:
        assert set(run) == {"tool", "columnKind", "invocations", "results"}
        assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        driver = run["tool"]["driver"]
        assert driver["name"]
        assert re.fullmatch(r"[a-zA-Z]{2}(-[a-zA-Z]{2})?", driver["language"])
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(ids) == len(set(ids))
        for rule in driver["rules"]:
            assert rule["defaultConfiguration"]["level"] in LEVELS
            for part in ("shortDescription", "fullDescription", "help"):
                message(rule[part])
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)
            for note in invocation["toolExecutionNotifications"]:
                assert note["level"] in LEVELS
                message(note["message"])
        for result in run["results"]:
            assert set(result) <= {
                "ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties", "fixes",
            }  # fmt: skip
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["level"] in LEVELS
            message(result["message"])
            for location in result["locations"]:
                artifact(location["physicalLocation"]["artifactLocation"])
                if "region" in location["physicalLocation"]:
                    region(location["physicalLocation"]["region"])
                for logical in location.get("logicalLocations", ()):
                    assert logical["fullyQualifiedName"]
            for fix in result.get("fixes", ()):
                message(fix["description"])
                for change in fix["artifactChanges"]:
                    artifact(change["artifactLocation"])
                    assert change["replacements"]
                    for replacement in change["replacements"]:
                        region(replacement["deletedRegion"])
                        assert isinstance(replacement["insertedContent"]["text"], str)


def test_sarif_is_as_the_standard_demands(place: Place) -> None:
    put(place, b_docx=docx(p("SECRET") + p("(S//NF) a") + p("SECRET")), c_txt=b"\xff")
    (place.path / "é a.md").write_text(WRONG)
    ran = place.run("labels", "lint", "é a.md", "b.docx", "c.txt", place.path / "é a.md", "--sarif")
    assert ran.code == Unreadable.exit
    assert ran.err == ""
    log = json.loads(ran.out)
    validate(log)
    [run] = log["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert uris == {"%C3%A9%20a.md", "b.docx", Path(place.path, "é a.md").as_uri()}
    fixed = [each for each in run["results"] if "fixes" in each and each["ruleId"] == "separator"]
    assert fixed[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] == "TS//SI//NF"
    prints = [each["partialFingerprints"]["casemateFinding/v1"] for each in run["results"]]
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in prints)
    empty = json.loads(place.run("labels", "lint", "-", "--sarif", stdin=RIGHT).out)
    validate(empty)
    assert empty["runs"][0]["results"] == []


def test_the_pre_commit_entry_runs_what_there_is(place: Place) -> None:
    """Each hook's entry is a command of ours; the file is what pre-commit reads at the repository's root."""
    hooks = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text()
    entries = re.findall(r"^  entry: (.+)$", hooks, re.MULTILINE)
    assert entries == ["casemate labels lint", "casemate labels fix --in-place"]
    put(place, a_md=WRONG)
    for entry in entries:
        name, *words = entry.split(" ")
        assert name == "casemate"
        assert place.run(*words, "a.md").code in (0, Mismarked.exit)
    assert (place.path / "a.md").read_text() == FIXED
