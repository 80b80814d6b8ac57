"""Every command explains itself in both languages, and a word too many or too few is told in them too."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from casemate.cli import main
from casemate.cli.tongue import choose
from casemate.errors import tree


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, name
            found += commands(child, (*path, name))
    return found


EVERY = commands(main)


def invoke(*words: str, **env: str) -> Result:
    return CliRunner().invoke(main, list(words), env={"LANG": "en_GB", **env}, catch_exceptions=False)


def catalogue(language: str) -> dict[str, str]:
    file = resources.files("casemate.words").joinpath(f"catalogue/cli.{language}.toml")
    return dict(flat(tomllib.loads(file.read_text(encoding="utf-8"))))


def flat(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    return [
        pair
        for name, value in table.items()
        for pair in (flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(f"{prefix}{name}", value)])
    ]


def test_all_that_the_issue_names_is_there() -> None:
    paths = {" ".join(path) for path, _ in EVERY}
    assert paths >= {"init", "up", "demo", "add", "ask", "prove", "principal", "key", "ledger", "doctor", "config"}
    assert paths >= {f"principal {verb}" for verb in ("add", "list", "grant", "confirm")}
    assert paths >= {f"ledger {verb}" for verb in ("list", "show", "open", "verify", "heads", "export")}
    wanted = {"key issue", "key list", "key revoke", "config policies add", "config two-person", "help exit-codes"}
    assert paths >= wanted


@pytest.mark.parametrize("path", [path for path, _ in EVERY], ids=" ".join)
def test_help_is_spoken_in_both_languages(path: tuple[str, ...]) -> None:
    english = invoke(*path, "--help")
    french = invoke(*path, "--help", LANG="fr_FR.UTF-8")
    assert english.exit_code == french.exit_code == 0
    assert english.output.startswith("Usage: casemate")
    assert french.output.startswith("Usage : casemate")
    assert english.output.split("\n")[2] != french.output.split("\n")[2]
    for told in (english.output, french.output):
        assert "cli." not in told
        assert not re.search(r"\{\w+\}", told)
        assert all(option in told for option in ("--folder", "--json", "--plain", "--language", "--help"))
    assert invoke("--language", "fr", *path, "--help").output == french.output
    assert invoke(*path, "--help", CASEMATE_LANGUAGE="fr").output == french.output


def test_the_two_catalogues_say_the_same_things() -> None:
    english, french = catalogue("en"), catalogue("fr")
    assert english.keys() == french.keys()
    for slug, said in english.items():
        assert set(re.findall(r"\{(\w+)\}", said)) == set(re.findall(r"\{(\w+)\}", french[slug])), slug
    same = {slug for slug in english if english[slug] == french[slug] and len(english[slug].split()) > 2}
    assert same <= {"cli.ask.citation"}, same


@pytest.mark.parametrize(
    ("words", "english", "french"),
    [
        (("aks",), 'no command "aks"', "pas de commande « aks »"),
        (("ask",), "QUESTION is missing", "QUESTION manque"),
        (("ask", "x", "--nonsense"), "no option --nonsense", "pas d'option --nonsense"),
        (("ask", "x", "y"), "more words", "plus de mots"),
        (("ask", "x", "--mode", "poem"), "one of rungs, single", "l'un de rungs, single"),
        (("key", "issue", "--days", "0"), "--days: it is a number", "--days : c'est un nombre"),
        (("key", "issue", "--days", "ten"), "--days: it is a number", "--days : c'est un nombre"),
        (("add", "/nowhere/at/all"), "no such file", "pas de tel fichier"),
        (("ledger", "open", "ent_x"), "--reason is missing", "--reason manque"),
        (("ask", "--for"), "--for wants a value", "--for veut une valeur"),
        (("key",), "casemate key", "casemate key"),
    ],
)
def test_a_command_that_is_written_wrongly(words: tuple[str, ...], english: str, french: str) -> None:
    told = invoke(*words)
    assert told.exit_code == 2
    assert english in told.output
    assert french in invoke(*words, LANG="fr_FR").output
    if words != ("key",):
        said = invoke(*words, "--json")
        assert said.exit_code == 2
        assert '"slug":"malformed"' in said.stdout or words == ("ask", "--for")


def test_a_list_of_commands_tells_the_whole_first_paragraph_and_each_flag_says_what_it_does() -> None:
    told = " ".join(invoke("ledger", "witness", "--help").output.split())
    assert "what was typed wrong is named by its line." in told
    said = " ".join(invoke("spill", "contain", "--help").output.split())
    assert said.count("Destroy it") == said.count("Bring it anew") == 1


def test_exit_codes_are_those_of_the_tree() -> None:
    told = invoke("help", "exit-codes", "--json")
    import json

    rows = json.loads(told.stdout)["data"]
    assert {(row["slug"], row["exit"]) for row in rows if row["slug"]} == {(e.slug, e.exit) for e in tree()}
    assert all(row["title"] for row in rows)
    assert {0, 130} <= {row["exit"] for row in rows}
    assert "storage-full" in invoke("help", "exit-codes").stdout


def test_the_version_is_told() -> None:
    assert invoke("--version").stdout.startswith("casemate ")


@pytest.mark.parametrize(
    ("args", "environ", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "C"}, "en"),
        ([], {"LANG": "fr_CA.UTF-8"}, "fr"),
        ([], {"LANG": "fr_CA", "LC_ALL": "en_US.UTF-8"}, "en"),
        ([], {"LANG": "en", "CASEMATE_LANGUAGE": "fr"}, "fr"),
        (["ask", "--language", "fr"], {"LANG": "en"}, "fr"),
        (["--language=en", "ask"], {"LANG": "fr"}, "en"),
        (["--language"], {"LANG": "fr"}, "fr"),
        (["--language", "xx"], {"LANG": "fr"}, "fr"),
        (["ask", "--", "--language=fr"], {"LANG": "en"}, "en"),
    ],
)
def test_the_language_is_chosen_before_anything_is_said(
    args: list[str], environ: dict[str, str], language: str
) -> None:
    try:
        assert choose(args, environ) == language
    finally:
        choose([], {})
