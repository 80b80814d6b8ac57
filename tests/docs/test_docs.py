"""The documentation says what the code does: made parts are fresh, links lead somewhere, everything public is told."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from casemate.accounts import prices
from casemate.settings import Settings, parse
from tests.docs import tables

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FREE = {  # sections that their own room reads
    "prices": [
        ("prices.currency", prices.NO_CURRENCY),
        *((f"prices.models.NAME.{field}", msgspec.NODEFAULT) for field in sorted(prices._FIELDS)),
    ]
}
LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)#\s]+)(?:#([^)\s]+))?\)|!\[[^]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:`|^\$? *|; |&& )casemate ([a-z][^`\n]*)", re.MULTILINE)
ELSEWHERE = re.compile(r"(?<![\w.`/-])/(?:root|home|work|Users|mnt)/\w")


def made_parts() -> list[tuple[str, str]]:
    return [
        (page.relative_to(ROOT).as_posix(), match[2])
        for page in PAGES
        for match in tables.MADE.finditer(page.read_text())
    ]


def test_every_part_that_the_code_writes_has_its_page() -> None:
    assert {name for _, name in made_parts()} == set(tables.PARTS)


@pytest.mark.parametrize(("page", "name"), made_parts())
def test_a_made_part_is_as_the_code_has_it(page: str, name: str) -> None:
    stands = next(match[3].strip() for match in tables.MADE.finditer((ROOT / page).read_text()) if match[2] == name)
    try:
        fresh = tables.PARTS[name]()
    except tables.NotYet as reason:
        pytest.skip(str(reason))
    assert stands == fresh.strip(), f"{page} is behind the code: run `make docs`"


def test_a_page_that_is_behind_is_seen() -> None:
    stale = "<!-- made: errors -->\n\n| slug |\n\n<!-- /made -->"
    assert "`sandbox-missing`" in tables.filled(stale)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_something(page: Path) -> None:
    for target, anchor, picture in LINK.findall(page.read_text()):
        place = target or picture
        if re.match(r"[a-z]+:", place):
            continue
        assert (page.parent / place).exists(), f"{page.name} links to {place}, which is not there"
        if anchor and place.endswith(".md"):
            assert anchor in anchors((page.parent / place).read_text()), f"{page.name} links to {place}#{anchor}"


def anchors(text: str) -> set[str]:
    """Heading anchors as the usual renderers make them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_no_page_and_no_source_names_a_place_on_somebodys_machine() -> None:
    files = [
        file
        for folder in ("src", "docs", "bench", "requirements")
        for file in (ROOT / folder).rglob("*")
        if file.is_file()
    ]
    text = [
        file
        for file in [*files, *ROOT.glob("*.md"), ROOT / "Makefile"]
        if file.suffix in {".py", ".md", ".toml", ".txt", ".sh", ""}
    ]
    told = [file.name for file in text if ELSEWHERE.search(file.read_text(errors="replace"))]
    assert told == []


def test_decisions_are_numbered_dated_and_shaped_alike() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(file.name[:4]) for file in decisions] == list(range(1, len(decisions) + 1))
    for file in decisions:
        text = file.read_text()
        assert re.search(r"^Date: \d{4}-\d{2}-\d{2}$", text, re.MULTILINE), file.name
        for part in ("## Context", "## Options", "## Outcome"):
            assert f"\n{part}\n" in text, f"{file.name} lacks {part}"


def test_the_changelog_tells_of_this_version() -> None:
    from casemate import __version__

    assert re.search(rf"^## \[?{re.escape(__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def settings_of(kind: Any, above: str = "", made: object = None) -> Iterator[tuple[str, object]]:
    """Each setting by its name in casemate.toml, and its default (msgspec.NODEFAULT where it must be given).

    `made`: a section whose own defaults count before those of its type.
    """
    for field in msgspec.structs.fields(kind):
        name = f"{above}{field.encode_name}"
        inner = typing.get_args(field.type)
        default = field.default if made is None else getattr(made, field.name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from settings_of(field.type, f"{name}.", default if isinstance(default, field.type) else None)
        elif typing.get_origin(field.type) is dict and inner[1] is Any:
            yield from FREE[name]
        elif typing.get_origin(field.type) is dict and inner[1] in (int, str):
            yield name, dict[str, object]()
        elif typing.get_origin(field.type) is dict:
            yield from settings_of(inner[1], f"{name}.NAME.")
        else:
            yield name, default


def test_a_section_has_its_own_defaults() -> None:
    assert dict(settings_of(Settings))["inspect.personal.outside"] == "off"


def test_every_setting_is_told_with_its_default_and_no_other_is() -> None:
    page = (ROOT / "docs" / "operations.md").read_text().split("## Settings\n")[1].split("\n## ")[0]
    told = dict(re.findall(r"^\| `([a-z_]+\.[\w.]+)` \| (.*?) \| ", page, re.MULTILINE))
    known = dict(settings_of(Settings))
    assert set(told) == set(known)
    for name, default in known.items():
        if told[name].startswith("`"):
            assert json.loads(told[name].strip("`")) == (list(default) if isinstance(default, tuple) else default), name
        else:
            assert default is msgspec.NODEFAULT or len(str(default)) > 60, (
                f"{name} has a default that is short enough to be told"
            )


def test_the_settings_that_the_page_gives_can_be_read() -> None:
    given = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(given) >= 2
    for text in given:
        prices.PriceBook.parse(parse(text).prices)


def test_the_command_lines_that_the_pages_give_exist() -> None:
    try:
        main = getattr(tables.module("casemate.cli"), "main", None)
    except tables.NotYet as reason:
        pytest.skip(str(reason))
    assert hasattr(main, "list_commands"), "the command line is a group of commands"
    known = {path.removeprefix("casemate "): command for path, command in tables.tree_of(main)}
    for page in PAGES:
        for line in COMMAND.findall(page.read_text()):
            words = re.sub(r" (?:--?)?[A-Z\"'$./].*| #.*", "", line).split()
            name = next((path for n in (3, 2, 1) if (path := " ".join(words[:n])) in known), None)
            assert name or any(path.startswith(words[0] + " ") for path in known), f"{page.name}: casemate {line}"
            if name:
                options = {option for parameter in known[name].params for option in parameter.opts}
                given = set(re.findall(r"(?<= )--[a-z][a-z-]*", f" {line}"))
                assert given <= options | {"--help", "--json"}, f"{page.name}: casemate {line}"
