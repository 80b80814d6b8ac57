"""Documents, knowledge bases and sources on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import Up


def found(region: Up, question: str, base: str = "port") -> set[str]:
    """The documents that a search finds, by id."""
    seen = region.run("search", question, "--base", base, "--for", "PUBLIC", "--json")
    return {hit["document"] for hit in seen.data["hits"]} if seen.code == 0 else set()


def brought(region: Up, tmp_path: Path, name: str, text: str) -> str:
    file = tmp_path / name
    file.write_text(text)
    assert region.run("add", file, "--base", "port", "--label", "PUBLIC").code == 0
    [id] = found(region, text)
    return id


def test_a_document_is_replaced_raised_and_removed(region: Up, tmp_path: Path) -> None:
    words = ("--for", "PUBLIC")
    id = brought(region, tmp_path, "ferry.txt", "The ferry leaves the harbour at nine every morning.")
    line = region.run("document", "lineage", id, *words)
    assert ("ferry.txt" in line.out, "passages" in line.out) == (True, True)
    assert region.run("document", "near", id, *words).out == ""
    newer = tmp_path / "ferry.txt"
    newer.write_text("The lantern burns.")
    done = region.run("document", "replace", id, newer, "--base", "port", "--label", "PUBLIC", *words)
    assert (done.code, "takes its place" in done.out) == (0, True)
    new = done.out.split()[0]
    again = region.run("document", "replace", id, newer, "--base", "port", "--label", "PUBLIC", *words)
    assert again.code in (0, 5), "it waits still, or what it replaces is gone"
    for _ in range(100):
        if found(region, "lantern") == {new}:
            break
    assert found(region, "lantern") == {new}
    assert (new != id, found(region, "harbour")) == (True, set())
    assert region.run("document", "lineage", id, *words).code == 5
    raised = region.run("document", "relabel", new, "house:CONFIDENTIAL", *words)
    assert (raised.code, found(region, "lantern")) == (0, set())
    assert region.run("document", "remove", new, *words).code == 5
    other = brought(region, tmp_path, "b.txt", "Another lantern at the pier.")
    assert "is gone" in region.run("document", "remove", other, *words).out
    assert found(region, "pier") == set()
    third = brought(region, tmp_path, "c.txt", "A third lantern at the mole.")
    assert "is gone" in region.run("document", "remove", third).out, "it lies at one label: there is nothing to say"
    assert found(region, "mole") == set()


def test_what_was_put_aside_is_reviewed(region: Up, tmp_path: Path) -> None:
    file = tmp_path / "aside.txt"
    file.write_text("UNCLASSIFIED\n\n(S//NF) The convoy of the review.\n\nUNCLASSIFIED\n")
    region.run("add", file, "--base", "aside")
    told = region.run("document", "review", "--json").data["quarantined"]
    [one] = [each for each in told if each["name"] == "aside.txt"]
    assert "aside.txt" in region.run("document", "review", one["id"]).out
    decided = region.run("document", "review", one["id"], "--decide", "remove", "--for", one["label"])
    assert (decided.code, "is gone" in decided.out) == (0, True)
    assert one["id"] not in region.run("document", "review").out


def test_bases_are_told_made_and_given_up(region: Up) -> None:
    made = region.run("knowledge", "make", "quay", "--title", "The quay", "--granularity", "document")
    assert (made.code, "quay" in made.out) == (0, True)
    assert "The quay" in region.run("knowledge", "list").out
    assert region.run("knowledge", "reembed", "quay", "never").code == 2
    assert "quay" in region.run("knowledge", "reembed", "quay", "").out
    assert region.run("knowledge", "remove", "quay").code == 0
    assert region.run("knowledge", "remove", "quay").code == 5


def test_sources_need_a_place_that_the_settings_allow(region: Up) -> None:
    assert "no place" in region.run("source", "list").out
    assert region.run("source", "add", "press").code == 5
    assert region.run("source", "remove", "src_never").code == 5
