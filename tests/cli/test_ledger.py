"""The record as it is carried away: a proof, a part, a copied folder, a head on paper; each is checked with nothing
but a key, and each that was changed, cut or forked has an exit of its own."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Place, Up, running

NOTE = "INTERNAL\n\n(INTERNAL) The orchard opens at nine.\n\nINTERNAL\n"


@pytest.fixture(scope="module")
def up(module_place: Place) -> Iterator[Up]:
    module_place.init()
    (module_place.path / "note.md").write_text(NOTE)
    with running(module_place) as found:
        assert found.run("add", module_place.path / "note.md", "--json").data["added"] == 1
        assert found.run("ask", "When does the orchard open?").code == 0
        time.sleep(2.5)  # two rounds of the loop that signs
        yield found


@pytest.fixture(scope="module")
def key(up: Up) -> Path:
    file = up.place.path / "region.pub"
    file.write_text(up.run("ledger", "witness", "key").out)
    return file


def changed(file: Path, place: int) -> Path:
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    other = file.with_name(f"changed-{file.name}")
    other.write_bytes(data)
    return other


def test_an_entry_is_proved_alone(up: Up, key: Path) -> None:
    entries = up.run("ledger", "list", "--json", "--limit", "50").data
    entry = next(each["entry"]["id"] for each in entries if each["seq"] == 1)
    proof = up.place.path / "proof.json"
    assert up.run("ledger", "prove", entry, "--output", proof).code == 0
    checked = up.place.run("ledger", "prove", "--check", proof, "--key", key, "--folder", "/nowhere")
    assert (checked.code, entry in checked.out) == (0, True), checked
    assert "key in the file itself" in up.place.run("ledger", "prove", "--check", proof).err
    assert up.place.run("ledger", "prove", "--check", changed(proof, 900), "--key", key).code == 11
    assert up.run("ledger", "prove").code == 2
    assert up.run("ledger", "prove", "ent_none").code == 5


def test_a_part_and_another_hash_verify_alone(up: Up, key: Path) -> None:
    log = up.run("ledger", "heads", "--json").data[0]
    part, other = up.place.path / "part.jsonl", up.place.path / "other.jsonl"
    assert up.run("ledger", "export", log["log"], "--from", "1", "--to", "3", "--output", part).code == 0
    assert len(part.read_text().splitlines()) == 3
    assert up.place.run("ledger", "verify", part, "--key", key).code == 0
    assert up.place.run("ledger", "verify", changed(part, 60), "--key", key).code == 11
    cut = up.place.path / "cut.jsonl"
    cut.write_bytes(part.read_bytes()[:-9])
    assert up.place.run("ledger", "verify", cut, "--key", key).code == 10
    assert up.run("ledger", "export", log["log"], "--profile", "sha256", "--output", other).code == 0
    assert up.place.run("ledger", "verify", other, "--key", key).code == 0
    assert up.run("ledger", "export", log["log"], "--to", "99999").code == 2


def test_a_copied_folder_verifies_with_the_key_alone(up: Up, key: Path) -> None:
    folder = up.place.path / "copied"
    [log, *_] = [each for each in sorted((up.place.region / "data" / "ledger").iterdir()) if each.is_dir()]
    shutil.copytree(log, folder)
    checked = up.place.run("ledger", "verify", folder, "--key", key)
    assert (checked.code, log.name in checked.out) == (0, True), checked
    assert up.place.run("ledger", "verify", folder).code == 2
    [tile] = folder.glob("tile/0/*.p/*")
    (folder / "head").write_text(json.dumps({"log": log.name, "size": 1, "root": "0" * 96}))
    assert up.place.run("ledger", "verify", folder, "--key", key, "--head", folder / "head").code == 21
    tile.write_bytes(changed(tile, 5).read_bytes())
    assert up.place.run("ledger", "verify", folder, "--key", key).code == 11
    tile.unlink()
    assert up.place.run("ledger", "verify", folder, "--key", key).code == 10


def test_a_head_goes_over_paper_and_comes_back_as_a_witness(up: Up) -> None:
    page = up.place.path / "paper.html"
    assert up.run("ledger", "witness", "paper", "--output", page).code == 0
    assert page.read_text().startswith("<!doctype html>")
    lines = [line for line in up.run("ledger", "witness", "paper").out.splitlines() if line.startswith("L")]
    typed = up.place.run("ledger", "witness", "typed", stdin="\n".join(_first(lines)).upper())
    assert typed.code == 0, typed
    kept = up.place.path / "typed"
    kept.write_text(typed.out)
    assert "kept elsewhere" in up.run("ledger", "verify", "--head", kept).err
    assert up.place.run("ledger", "witness", "typed", stdin="L1 abcde-fghij").code == 2


def _first(lines: list[str]) -> list[str]:
    """The groups of the first head: up to where the lines are numbered anew."""
    found = [line for line in lines if line.split()[0][1:].isdigit()]
    again = [number for number, line in enumerate(found) if line.startswith("L1 ")]
    return found[: again[1]] if len(again) > 1 else found


def test_another_regions_log_is_watched_and_signed(up: Up, key: Path) -> None:
    """This region plays both: what it exports, it witnesses."""
    log = up.run("ledger", "heads", "--json").data[0]["log"]
    export = up.place.path / "whole.jsonl"
    assert up.run("ledger", "export", log, "--output", export).code == 0
    assert "witness add NAME" in up.run("ledger", "witness", "list").out
    assert up.run("ledger", "witness", "cosign", "below", export).code == 5
    assert up.run("ledger", "witness", "add", "below", "--key", key).code == 0
    given = up.run("ledger", "witness", "cosign", "below", export, "--json").data["cosignature"]
    assert given["log"] == log
    assert up.run("ledger", "witness", "list", "--json").data["cosignatures"] == [given]
    assert up.run("ledger", "witness", "cosign", "below", changed(export, 3000)).code == 11
    signed = up.place.path / "signed.json"
    signed.write_text(json.dumps(given))
    ask = ("ledger", "verify", "--head", signed)
    unchecked = up.run(*ask)
    assert (unchecked.code, "nobody has checked" in unchecked.err) == (0, True), unchecked
    checked = up.run(*ask, "--witness", key)
    assert (checked.code, "nobody has checked" in checked.err, "kept elsewhere" in checked.err) == (0, False, True)
    alone = up.place.run("ledger", "verify", export, "--key", key, "--head", signed, "--witness", key)
    assert alone.code == 0, alone
    for name, said in (
        ("signature", given["signature"][:-2] + ("00" if given["signature"][-2:] != "00" else "11")),
        ("root", "00" * 48),
        ("of", "hybrid-aaaaaaaaaaaaaaaa"),
    ):
        signed.write_text(json.dumps({**given, name: said}))
        assert up.run(*ask, "--witness", key).code == 2, name
    signed.write_text(json.dumps({"log": log, "size": given["size"], "root": given["root"]}))
    assert up.run(*ask, "--witness", key).code == 2, "a witness's key, and nothing that it signed"
    assert "casemate/" in up.run("ledger", "witness", "notes").out


def test_what_was_said_is_destroyed_and_the_record_verifies(up: Up) -> None:
    asked = up.run("ask", "Is the orchard open?", "--json").data
    entry = up.run("ledger", "list", "--json", "--limit", "1").data[0]["entry"]
    id = entry["ref"] or entry["id"]
    assert asked
    assert up.run("ledger", "redact", id, "--reason", "a name that was not his to tell").code == 0
    assert up.run("ledger", "open", id, "--reason", "a look", "--json").data["content"] is None
    told = up.run("ledger", "list", "--json", "--limit", "5").data
    assert "redacted" in {each["entry"]["outcome"] for each in told}
    assert up.run("ledger", "verify").code == 0
