"""The commands against a region that runs, in both process forms: what people and programs read, how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import Up

CONVOY = "When does the convoy leave Port Sable?"


def test_the_answer_is_marked_and_cited(region: Up) -> None:
    asked = region.run("ask", CONVOY)
    assert asked.code == 0
    first, citation = asked.out.strip().splitlines()
    assert first.startswith("(S//NF) ")
    assert "Thursday at 0400" in first
    assert citation.strip().startswith("(S//NF) [1]")
    assert "ent_" in asked.err


def test_a_lower_acting_label_sees_a_smaller_world(region: Up) -> None:
    low = region.run("ask", CONVOY, "--for", "us:UNCLASSIFIED")
    assert low.code == 0
    assert "0400" not in low.out
    above = region.run("ask", CONVOY, "--for", "us:NO SUCH MARK")
    assert above.code == 2
    assert "NO SUCH MARK" in above.err


def test_ask_as_json_is_one_document(region: Up) -> None:
    asked = region.run("ask", CONVOY, "--json", "--for", "us:SECRET//NOFORN", "--mode", "single", "--base", "intel")
    assert asked.err == ""
    told = asked.json
    assert told["schema"] == 1
    assert told["marking"] == "SECRET//NOFORN"
    assert told["label"].startswith("agency=LOCAL + us:SECRET")
    assert told["entry"].startswith("ent_")
    [rung] = told["data"]["rungs"]
    assert rung["citations"][0]["number"] == 1


def test_what_is_unknown_has_its_exit_code(region: Up) -> None:
    assert region.run("ask", "x", "--base", "nowhere").code == 5
    assert region.run("ask", "x", "--model", "gpt").code == 5
    assert region.run("ledger", "show", "ent_nothing").code == 5
    assert region.run("key", "revoke", "nothing").code == 5
    assert region.run("principal", "grant", "nobody", "--clearance", "INTERNAL").code == 5
    failed = region.run("ask", "x", "--base", "nowhere", "--json")
    assert failed.code == 5
    assert failed.err == ""
    problem = failed.json["problem"]
    assert (problem["slug"], problem["exit"]) == ("unknown-knowledge", 5)
    assert problem["remedy"]
    assert failed.json["marking"]


def test_a_mark_above_is_refused_with_rule_and_remedy(region: Up) -> None:
    refused = region.run("ask", "(TS) when?", "--for", "us:SECRET")
    assert refused.code == 3
    assert "→" in refused.err
    assert "ent_" in refused.err


def test_the_region_speaks_the_callers_language(region: Up) -> None:
    refused = region.run("ask", "x", "--base", "nowhere", LANG="fr_FR.UTF-8")
    assert "Il n'y a pas de base" in refused.err
    assert "aucune" in region.run("ask", "xyzzy quux", "--language", "fr").out.lower()


def test_prove_by_question_and_by_the_last_one(region: Up, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    proved = region.run("prove", CONVOY, "--save", proof)
    assert proved.code == 0
    assert "Equal, byte for byte" in proved.out
    assert "a solo region" in proved.out
    assert json.loads(proof.read_text())["data"]["signature"]
    region.run("ask", CONVOY)
    last = region.run("prove", "--last", "--json").data
    assert last["equal"] is True
    assert last["question"] == CONVOY
    assert region.run("prove").code == region.run("prove", "x", "--last").code == 2


def test_to_ask_as_another_needs_a_reason(region: Up) -> None:
    region.run("principal", "add", "cleo", "--clearance", "us:UNCLASSIFIED")
    refused = region.run("prove", CONVOY, "--as", "cleo")
    assert refused.code == 3
    seen = region.run("prove", CONVOY, "--as", "cleo", "--reason", "A complaint", "--json").data
    assert seen["principal"] == "cleo"
    assert "0400" not in seen["answer"]["text"]


def test_principals_are_added_listed_and_granted(region: Up) -> None:
    roles = ("--role", "user", "--role", "auditor")
    added = region.run("principal", "add", "ana", "--clearance", "us:SECRET//NOFORN", *roles)
    assert added.code == 0, added
    assert "SECRET//NOFORN" in added.out
    assert region.run("principal", "add", "ana", "--clearance", "INTERNAL").code == 6
    granted = region.run("principal", "grant", "ana", "--clearance", "us:UNCLASSIFIED", "--json")
    assert granted.data["roles"] == ["user"]
    listed = region.run("principal", "list")
    assert "ana" in listed.out
    people = {person["name"]: person for person in region.run("principal", "list", "--json").data["principals"]}
    assert people["ana"]["clearance"].startswith("agency=LOCAL")
    me = next(name for name, person in people.items() if person["clearance"] == "ceiling")
    himself = region.run("principal", "grant", me, "--clearance", "INTERNAL")
    assert himself.code == 3
    assert region.run("principal", "add", "b", "--clearance", "INTERNAL", "--role", "king").code == 2
    assert region.run("principal", "confirm", "ana").code == 5


def shell(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run lines as somebody who pastes them: in a shell, with this Python first on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    found = {"PATH": path, "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true", **env}
    kept = {"capture_output": True, "text": True, "timeout": 120}
    return subprocess.run(["/bin/sh"], input=script, env=found, check=False, **kept)


@pytest.mark.parametrize("client", ["openai", "anthropic", "boto3"])
def test_the_printed_lines_run_as_they_are(region: Up, client: str) -> None:
    pytest.importorskip(client)
    issued = region.run("key", "issue", "--for", client, "--floor", "us:UNCLASSIFIED", "--name", "paste", "--days", "1")
    assert issued.code == 0
    assert "shown this once" in issued.err
    done = shell(issued.out.replace("What do you know about this?", CONVOY))
    assert done.returncode == 0, done.stderr
    assert "(S//NF)" in done.stdout
    settings = region.run("key", "issue", "--for", client, "--plain").out.splitlines()
    assert all(line.startswith("export ") for line in settings)


def test_a_key_is_listed_without_its_secret_and_can_be_revoked(region: Up) -> None:
    issued = region.run("key", "issue", "--json", "--ceiling", "INTERNAL", "--name", "probe").data
    secret, id = issued["secret"], issued["key"]["id"]
    listed = region.run("key", "list")
    assert id in listed.out
    assert "probe" in listed.out
    assert secret not in listed.out
    assert region.run("key", "revoke", id).out.strip() == id
    assert id not in region.run("key", "list").out
    assert id not in {key["id"] for key in region.run("key", "list", "--json").data}
    above = region.run("key", "issue", "--floor", "RESTRICTED", "--ceiling", "INTERNAL")
    assert above.code in (2, 3)


def test_the_ledger_is_read_opened_and_carried_away(region: Up, tmp_path: Path) -> None:
    asked = region.run("ask", CONVOY, "--json").json
    listed = region.run("ledger", "list", "--limit", "5")
    assert len(listed.out.splitlines()) == 5
    assert len(region.run("ledger", "list", "--limit", "5", "--json").data) == 5
    shown = region.run("ledger", "show", asked["entry"])
    assert "answer.ask" in shown.out
    assert region.run("ledger", "show", asked["entry"], "--json").data["entry"]["id"] == asked["entry"]
    opened = region.run("ledger", "open", asked["entry"], "--reason", "A test")
    assert CONVOY in opened.out
    assert CONVOY in region.run("ledger", "open", asked["entry"], "--reason", "A test", "--json").data["content"]
    assert region.run("ledger", "open", asked["entry"], "--reason", " ").code == 2
    log = region.run("ledger", "heads", "--json").data[0]["log"]
    file = tmp_path / "log.jsonl"
    assert region.run("ledger", "export", log, "--output", file).code == 0
    lines = region.run("ledger", "export", log).out.splitlines()
    assert json.loads(lines[0])["log"] == log
    assert file.read_text().splitlines()[1] == lines[1]
    assert region.run("ledger", "export", log, "--json").data["lines"]
    assert region.run("ledger", "export", "nothing").code == 5


def test_verify_says_up_to_where_and_what_it_cannot_see(region: Up, tmp_path: Path) -> None:
    checked = region.run("ledger", "verify")
    assert checked.code == 0
    assert all("ok up to entry" in line for line in checked.out.splitlines())
    assert "put back to an earlier state" in checked.err
    heads = tmp_path / "heads"
    heads.write_text(region.run("ledger", "heads").out)
    witnessed = region.run("ledger", "verify", "--head", heads)
    assert witnessed.code == 0
    assert "kept elsewhere" in witnessed.err
    document = tmp_path / "heads.json"
    document.write_text(region.run("ledger", "heads", "--json").out)
    data = region.run("ledger", "verify", "--head", document, "--json").data
    assert data["witnessed"] is True
    assert data["offline"] is False
    head = json.loads(heads.read_text().splitlines()[0])
    (tmp_path / "other").write_text(json.dumps({**head, "root": "0" * 96}))
    forked = region.run("ledger", "verify", "--head", tmp_path / "other")
    assert forked.code == 21
    assert "FORKED" in forked.out
    (tmp_path / "ahead").write_text(json.dumps({**head, "size": head["size"] + 1000}))
    assert region.run("ledger", "verify", "--head", tmp_path / "ahead").code == 10
    (tmp_path / "broken").write_text("{")
    assert region.run("ledger", "verify", "--head", tmp_path / "broken").code == 2


def test_doctor_and_config(region: Up) -> None:
    looked = region.run("doctor")
    names = {line.split()[1] for line in looked.out.splitlines()}
    assert names == {"python", "disk", "keys", "records", "sandbox", "memory", "embedder"}
    checks = {check["name"]: check for check in region.run("doctor", "--json").json["data"]}
    assert checks["embedder"]["good"]
    assert "plein texte" in region.run("doctor", "--language", "fr").out
    settings = {each["name"]: each for each in region.run("config", "--json").data}
    assert settings["listen.port"]["value"] == 0
    assert settings["region.retention_days"]["from"] == "default"
    assert "listen.processes" in region.run("config", "show").out
    assert "casemate.toml" in region.run("config", "explain", "listen.port").out
    assert region.run("config", "explain", "region.retention_days", "--json").data["value"] == 30
    assert region.run("config", "explain", "no.such").code == 2
    policies = {each["name"]: each for each in region.run("config", "policies", "--json").data}
    assert policies["us"]["listed"]
    assert not policies["nato"]["listed"]
    assert "SECRET" in region.run("config", "policies", "list").out


def test_the_options_of_every_command_may_stand_before_it(region: Up) -> None:
    first = region.run("--json", "--language", "fr", "doctor")
    assert first.json["data"]
    assert "anglais" in first.out or "plein texte" in first.out


def test_nothing_that_is_secret_is_an_option() -> None:
    from tests.cli.test_help import EVERY

    for path, command in EVERY:
        for parameter in command.params:
            assert not {"token", "secret", "password", "key"} & set(str(parameter.name).split("_")), path
