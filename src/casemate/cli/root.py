"""`casemate` itself: the nouns and verbs, each loaded when it is called, and the last catcher of what goes wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from casemate.cli.command import Group
from casemate.cli.failure import INTERRUPTED, usage
from casemate.cli.talk import Talk
from casemate.cli.tongue import choose, t

__all__ = ["main"]

VERBS = {
    "init": "init:init",
    "up": "up:up",
    "demo": "demo:demo",
    "add": "add:add",
    "document": "documents:document",
    "knowledge": "knowledge:knowledge",
    "source": "sources:source",
    "ask": "ask:ask",
    "search": "search:search",
    "prove": "prove:prove",
    "principal": "principal:principal",
    "key": "key:key",
    "keys": "keys:keys",
    "project": "project:project",
    "bucket": "bucket:bucket",
    "quota": "quota:quota",
    "usage": "usage:usage",
    "connect": "connect:connect",
    "models": "models:models",
    "release": "release:release",
    "guard": "guard:guard",
    "policy": "policy:policy",
    "tls": "tls:tls",
    "attributes": "attributes:attributes",
    "labels": "labels:labels",
    "lineage": "lineage:lineage",
    "spill": "spill:spill",
    "ledger": "ledger:ledger",
    "store": "store:store",
    "backup": "backup:backup",
    "bundle": "bundle:bundle",
    "diode": "diode:diode",
    "upgrade": "upgrade:upgrade",
    "dataset": "datasets:dataset",
    "channel": "channel:channel",
    "environment": "environment:environment",
    "packages": "packages:packages",
    "job": "job:job",
    "sweep": "sweep:sweep",
    "work": "work:work",
    "mission": "mission:mission",
    "doctor": "doctor:doctor",
    "config": "config:config",
    "help": "help:topics",
}


class Root(Group):
    """The outermost group: it chooses the language before help is asked for, and turns every end into an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        del standalone_mode  # every end is ours
        words = list(sys.argv[1:] if args is None else args)
        choose(words)
        try:
            done = super().main(words, prog_name or "casemate", complete_var, standalone_mode=False, **extra)
        except click.UsageError as error:
            failure = usage(error)
            Talk(None, json="--json" in words, plain="--plain" in words).fail(failure)
            sys.exit(failure.problem.exit)
        except (click.Abort, KeyboardInterrupt):
            print(t("interrupted"), file=sys.stderr)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has left; say nothing more, also not while Python closes it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        sys.exit(done if isinstance(done, int) else 0)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    del param
    if value and not ctx.resilient_parsing:
        from casemate import __version__

        click.echo(f"casemate {__version__}")
        ctx.exit()


main = Root("casemate", VERBS)
main.params.insert(0, click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version))
