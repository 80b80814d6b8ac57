"""The parts of the documentation that the code itself writes: `make docs` puts them in, the tests hold them to it.

A page bears `<!-- made: NAME -->` and `<!-- /made -->`; what stands between them is this module's.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
PACKAGE = Path(__file__).parents[2] / "src" / "casemate"


class NotYet(Exception):
    """The room that would write this part has no furniture yet."""


def errors() -> str:
    """The tree of errors: slug, HTTP status, exit code, what it says and what to do."""
    from casemate.errors import tree

    said = tomllib.loads(resources.files("casemate.words").joinpath("catalogue/errors.en.toml").read_text())["errors"]
    rows = []
    for error in tree()[1:]:
        words = said[error.slug]
        numbers = (str(error.status), str(error.exit))
        rows.append((f"`{error.slug}`", f"`{error.__name__}`", *numbers, words["title"], words["remedy"]))
    return table(("slug", "class", "HTTP", "exit", "what it says", "what to do"), rows)


def commands() -> str:
    """Every command of the command line, with its own words, arguments and options."""
    import click

    main = getattr(module("casemate.cli"), "main", None)
    if not isinstance(main, click.Command):
        raise NotYet("casemate.cli.main is no click command")
    return "\n\n".join(_told(path, command) for path, command in tree_of(main))


def tree_of(command: Any, path: str = "casemate") -> Iterator[tuple[str, Any]]:
    """Each command below a click command that can be called, with its full name; hidden ones are not told."""
    children = _lazily(command, path)
    if not children or getattr(command, "invoke_without_command", False):
        yield path, command
    for name in sorted(children):
        if not children[name].hidden:
            yield from tree_of(children[name], f"{path} {name}")


def _lazily(command: Any, path: str) -> dict[str, Any]:
    """The children of a group that loads them when they are called."""
    import click

    if not isinstance(command, click.Group):
        return {}
    context = click.Context(command, info_name=path)
    return {name: command.get_command(context, name) for name in command.list_commands(context)}


def _told(path: str, command: Any) -> str:
    import click

    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    said = [f"## `{path}`", f"`{path} {usage}`", command.get_short_help_str(limit=400)]
    options = [record for parameter in command.params if (record := parameter.get_help_record(context))]
    if options:
        said.append(table(("option", "meaning"), [(f"`{name}`", meaning) for name, meaning in options]))
    return "\n\n".join(line for line in said if line)


def actions() -> str:
    """Every action and the roles that may do it."""
    from casemate.policy import ACTIONS

    rows = [
        (f"`{action}`", ", ".join(sorted(rule.roles)), ", ".join(sorted(rule.others)))
        for action, rule in ACTIONS.items()
    ]
    return table(("action", "roles", "others'"), rows)


def rooms() -> str:
    """The rooms that stand, from the top down as the contracts order them, each with the first line of its face."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    rows: list[tuple[str, ...]] = []
    for floor, layer in enumerate(reversed(layers)):
        for room in (name.strip("() ") for name in layer.split("|")):
            if (face := PACKAGE / room / "__init__.py").exists():
                said = (ast.get_docstring(ast.parse(face.read_text())) or "").split("\n\n")[0].replace("\n", " ")
                rows.append((str(floor), f"[`{room}`](../src/casemate/{room})", said))
    return table(("floor", "room", "what it is for"), reversed(rows))


def lint_rules() -> str:
    """Every rule of the linter of marks, with what it is called and what to do."""
    from casemate.words import say, sentences

    rules = sorted({slug.split(".")[2] for slug in sentences("en") if slug.startswith("labels.rule.")})
    told = [(f"`{rule}`", *(say(f"labels.rule.{rule}.{part}") for part in ("title", "help"))) for rule in rules]
    return table(("rule", "what is wrong", "what to do"), told)


def operations(wire: str) -> str:
    """Every operation of a wire: its routes, whether it is supported, and what to know of it."""
    from tests.docs import wires

    return table(("operation", "routes", "state", "remarks"), wires.table_rows(wire))


def elsewhere() -> str:
    """The names of Bedrock's operations that are not here."""
    from tests.docs import wires

    return ", ".join(f"`{name}`" for name in wires.elsewhere()) + "."


def table(head: tuple[str, ...], rows: object) -> str:
    """A Markdown table; a bar inside a cell is escaped, a line break becomes a space."""
    lines = [head, ("---",) * len(head), *rows]  # type: ignore[misc]
    return "\n".join(
        "| " + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def module(name: str) -> object:
    """The module, or NotYet where there is none."""
    try:
        if importlib.util.find_spec(name) is None:
            raise NotYet(f"{name} is not there")
    except ModuleNotFoundError as missing:
        raise NotYet(str(missing)) from missing
    return importlib.import_module(name)


PARTS: dict[str, Callable[[], str]] = {
    "errors": errors,
    "commands": commands,
    "rules": lint_rules,
    "actions": actions,
    "rooms": rooms,
    "openai": partial(operations, "openai"),
    "anthropic": partial(operations, "anthropic"),
    "bedrock": partial(operations, "bedrock"),
    "s3": partial(operations, "s3"),
    "hec": partial(operations, "hec"),
    "batch": partial(operations, "batch"),
    "elsewhere": elsewhere,
}
MADE = re.compile(r"(<!-- made: (\w+) -->\n)(.*?)(<!-- /made -->)", re.DOTALL)


def filled(text: str) -> str:
    """The page with each of its made parts as the code has it now."""
    return MADE.sub(lambda match: f"{match[1]}\n{PARTS[match[2]]()}\n\n{match[4]}", text)


def main() -> None:
    """Write the parts into every page below docs/; a page whose room is not there yet stays as it is."""
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text()
        try:
            new = filled(text)
        except NotYet as reason:
            sys.stdout.write(f"{page.name}: {reason}\n")
            continue
        if new != text:
            page.write_text(new)
            sys.stdout.write(f"{page.name}: written\n")


if __name__ == "__main__":
    main()
