"""How a run fails: one Problem, whoever found it, told on standard error and as an exit code."""

from __future__ import annotations

import click

from casemate.cli.tongue import language, t, told
from casemate.errors import BadInput, CasemateError
from casemate.words import Problem, problem

__all__ = ["INTERRUPTED", "Failed", "failed", "no_region", "usage"]

INTERRUPTED = 130


class Failed(Exception):
    """A problem that is ready to be told, with the marking of the telling."""

    def __init__(self, problem: Problem, marking: str = "") -> None:
        self.problem = problem
        self.marking = marking
        super().__init__(problem.slug)


def failed(error: CasemateError) -> Failed:
    """An error of this process, in the language of this run."""
    return Failed(problem(error, language()))


def no_region(folder: str) -> Failed:
    """There is no region in that folder at all: it has to be made before it can be started."""
    return Failed(
        Problem(
            slug="not-running",
            status=503,
            exit=8,
            title=t("no_region.title"),
            detail=t("no_region.detail", folder=folder),
            remedy=t("no_region.remedy", folder=folder),
        )
    )


def usage(error: click.UsageError) -> Failed:
    """A command that was written wrongly, in our words and not in click's."""
    context = error.ctx
    name = context.command_path if context is not None else "casemate"
    told = problem(BadInput(what=_what(error)), language())
    remedy = t("usage.remedy", command=name)
    return Failed(
        Problem(slug=told.slug, status=told.status, exit=told.exit, title=told.title, detail=told.detail, remedy=remedy)
    )


def _what(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return t("usage.option", name=error.option_name)
    if isinstance(error, click.MissingParameter):
        return t("usage.missing", name=_name(error.param))
    if isinstance(error, click.BadParameter):
        return t("usage.value", name=_name(error.param), why=_why(error))
    if isinstance(error, click.BadOptionUsage):
        return t("usage.alone", name=error.option_name)
    if error.message.startswith("No such command"):
        return t("usage.command", name=error.message.split("'")[1])
    return t("usage.extra") if error.message.startswith("Got unexpected") else error.message


def _name(param: click.Parameter | None) -> str:
    if param is None:
        return "?"
    return param.opts[0] if isinstance(param, click.Option) else param.make_metavar(click.Context(click.Command("")))


def _why(error: click.BadParameter) -> str:
    kind = error.param.type if error.param is not None else None
    if isinstance(kind, click.Choice):
        return t("usage.choice", choices=", ".join(kind.choices))
    if isinstance(kind, click.types.IntParamType):
        return t("usage.number")
    return told("usage.path") if isinstance(kind, click.Path) else error.message
