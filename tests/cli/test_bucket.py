"""Buckets and the scrub on the command line."""

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
