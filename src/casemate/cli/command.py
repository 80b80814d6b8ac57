"""A command in two languages: help and headings are looked up when they are shown, and every command takes the same
few options of its own run.

    @verb("key.revoke", click.argument("id"))
    def revoke(talk: Talk, id: str) -> None: ...

Its sentences stand in the catalogue under `cli.help.key.revoke` and `cli.option.NAME`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from casemate.cli.failure import Failed, failed, usage
from casemate.cli.talk import Talk
from casemate.cli.tongue import t, told
from casemate.errors import BadInput, CasemateError
from casemate.words import LANGUAGES

__all__ = ["Group", "Option", "option", "shared", "verb"]

SHARED = ("folder", "json", "plain", "language")


def _unsaid(self: object, value: str | None) -> None:
    """A help text that click would keep: ours is looked up each time, since it has two languages."""
    del self, value


class Option(click.Option):
    """An option whose help is spoken in the language of the run; `path` is its command's."""

    path = ""

    def _help(self) -> str:
        name = self.name or ""
        flag = f"option.{self.path}.{name}_{self.flag_value}" if isinstance(self.flag_value, str) else ""
        return (told(flag) if flag else "") or told(f"option.{self.path}.{name}") or t(f"option.{name}")

    help = property(_help, _unsaid)


def option(*names: str, **how: Any) -> Callable[[Any], Any]:
    """`click.option` in our language."""
    return click.option(*names, cls=Option, **how)


def shared() -> list[Option]:
    """The options of every command; the root takes them too, and the command's own win."""
    return [
        Option(["--folder"], type=click.Path(path_type=Path), default=None),
        Option(["--json"], is_flag=True, default=None),
        Option(["--plain"], is_flag=True, default=None),
        Option(["--language"], type=click.Choice(LANGUAGES), default=None),
    ]


def _first(text: str) -> str:
    """The first paragraph, however its lines are broken."""
    return " ".join(text.strip().partition("\n\n")[0].split())


class _Spoken(click.Command):
    """What commands and groups share: their help comes from the catalogue."""

    path = ""

    def _help(self) -> str:
        return t(f"help.{self.path}") if self.path else ""

    help = property(_help, _unsaid)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = t("option.help")
        return found

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = self.collect_usage_pieces(ctx)
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=t("usage.prefix") + " ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [record for param in self.get_params(ctx) if (record := param.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(t("usage.options")):
                formatter.write_dl(records)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)


class Command(_Spoken):
    """A command that runs with a Talk, and fails with a Problem."""

    def __init__(self, path: str, callback: Callable[..., None], params: list[click.Parameter]) -> None:
        self.path = path
        super().__init__(name=path.rpartition(".")[2], callback=callback, params=[*params, *shared()])
        for param in self.params:
            if isinstance(param, Option):
                param.path = path

    def invoke(self, ctx: click.Context) -> Any:
        with Talking(ctx) as talk:
            ctx.params["talk"] = talk
            return super().invoke(ctx)


class Group(_Spoken, click.Group):
    """Commands under one noun, loaded when one of them is called. `bare` names the one that it is by itself."""

    def __init__(self, path: str, homes: dict[str, str], bare: str = "") -> None:
        self.path = path
        self._homes = homes
        self._bare = bare
        super().__init__(name=path.rpartition(".")[2], invoke_without_command=bool(bare), params=list(shared()))

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        import importlib

        del ctx
        home = self._homes.get(cmd_name)
        if home is None:
            return None
        module, _, name = home.partition(":")
        found = getattr(importlib.import_module(f"casemate.cli.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        records = [(name, _first(t(f"help.{self._path_of(name)}"))) for name in self._homes]
        with formatter.section(t("usage.commands")):
            formatter.write_dl(records)

    def _path_of(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path != "casemate" else name

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = merged(ctx)
        if ctx._protected_args or ctx.args or not self._bare:
            return super().invoke(ctx)
        child = self.get_command(ctx, self._bare)
        assert child is not None
        with click.Context(child, info_name=self._bare, parent=ctx) as own:
            own.params = {p.name: None for p in child.params if p.name}
            return child.invoke(own)


def merged(ctx: click.Context) -> dict[str, Any]:
    """The shared options as far as they are known here: the nearest wins. They leave the command's own parameters."""
    above = ctx.parent.obj if ctx.parent is not None and isinstance(ctx.parent.obj, dict) else {}
    found = {name: ctx.params.pop(name, None) for name in SHARED}
    return {name: above.get(name) if value is None else value for name, value in found.items()}


class Talking:
    """The run of one command: its Talk, and at its end the marking or the problem."""

    def __init__(self, ctx: click.Context) -> None:
        chosen = merged(ctx)
        folder = chosen["folder"] or Path(os.environ.get("CASEMATE_FOLDER") or "casemate")
        self.talk = Talk(folder, json=bool(chosen["json"]), plain=bool(chosen["plain"]))

    def __enter__(self) -> Talk:
        return self.talk

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, click.UsageError):
            error = usage(error)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            error = BadInput(what=f"{error.filename or ''}: {error.strerror or error}")
        if isinstance(error, CasemateError):
            error = failed(error)
        if isinstance(error, Failed):
            self.talk.fail(error)
            raise SystemExit(error.problem.exit) from None
        self.talk.end()


def verb(path: str, *decorators: Callable[[Any], Any]) -> Callable[[Callable[..., None]], Command]:
    """A command of that path in the catalogue; options and arguments in the order in which help shows them."""

    def make(callback: Callable[..., None]) -> Command:
        for decorate in reversed(decorators):
            callback = decorate(callback)
        params = list(reversed(getattr(callback, "__click_params__", [])))
        return Command(path, callback, params)

    return make
