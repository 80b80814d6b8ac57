"""Buckets, the scrub and datasets in place on the command line."""

from __future__ import annotations

from tests.cli.running import Up


def test_buckets_are_made_listed_and_dropped(region: Up) -> None:
    made = region.run("bucket", "make", "plans", "--json").data
    assert made["name"] == "plans"
    assert "plans" in region.run("bucket", "list").out
    assert region.run("bucket", "make", "plans").code == 6
    assert region.run("bucket", "make", "Plans").code == 2
    assert region.run("bucket", "ls", "s3://plans/a", "--json").data["objects"] == []
    assert region.run("bucket", "ls", "never").code == 5
    assert region.run("bucket", "drop", "plans").code == 0
    assert region.run("bucket", "list", "--json").data == []


def test_blobs_are_scrubbed(region: Up) -> None:
    told = region.run("store", "scrub", "--json").data
    assert all(each["damaged"] == each["missing"] == 0 for each in told)
    assert region.run("store", "scrub").code == 0


def test_a_dataset_is_registered_where_it_lies_and_a_changed_file_is_named(region: Up) -> None:
    tree = region.place.path / "pier" / "tides"
    (tree / "old").mkdir(parents=True)
    for name, text in (("a.csv", "high"), ("old/b.csv", "low")):
        (tree / name).write_text(text)
    made = region.run("dataset", "register", "tides", "pier/tides", "--title", "Tides", "--json").data
    assert (made["name"], made["files"], made["root"], made["under"]) == ("tides", 2, "pier", "tides")
    assert region.run("dataset", "register", "tides", "pier/tides").code == 6
    assert region.run("dataset", "register", "papers", "papers").code == 2, "it lies beneath no root"
    assert region.run("dataset", "register", "nothing", "pier/nothing").code in (2, 5)
    assert [each["name"] for each in region.run("dataset", "list", "--json").data] == ["tides"]
    assert "tides" in region.run("dataset", "show", "tides").out
    whole = region.run("dataset", "verify", "tides")
    assert whole.code == 0, whole
    (tree / "old" / "b.csv").write_text("lower")
    changed = region.run("dataset", "verify", "tides")
    assert changed.code == 6
    assert "old/b.csv" in changed.out
    assert "a.csv  " not in changed.out
    assert region.run("dataset", "digest", "tides").code in (0, 6)
    assert region.run("dataset", "show", "never").code == 5
    assert region.run("dataset", "remove", "tides").out.strip() == "tides"
    assert region.run("dataset", "list", "--json").data == []
    assert (tree / "a.csv").read_text() == "high", "what was registered is nobody's to remove"
