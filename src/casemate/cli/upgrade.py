"""`casemate upgrade`: Casemate itself, from a bundle; nothing is fetched, and what ran before is kept."""

from __future__ import annotations

from pathlib import Path

import click

from casemate.cli.bundle import FILE, keepers
from casemate.cli.bundle_look import EXITS
from casemate.cli.command import option, verb
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import SystemClock
from casemate.errors import BadInput

__all__ = ["upgrade"]


@verb(
    "upgrade",
    option("--bundle", "bundle", type=FILE, default=None, metavar="FILE"),
    option("--rollback", is_flag=True),
    option("--into", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="FOLDER"),
)
def upgrade(talk: Talk, bundle: Path | None, rollback: bool, into: Path | None) -> None:
    from casemate.wiring import upgrading

    slots = upgrading.slots_in(into or upgrading.home_of())
    if bundle is None and not rollback:
        raise BadInput(what=t("upgrade.what"))
    if bundle is None:
        done = upgrading.roll_back(slots)
    else:
        mine = keepers(slots.folder / "channel" / "receive.key")
        done = upgrading.upgrade(bundle, slots, mine, SystemClock().now(), older=rollback)
    verdict = done.verdict
    talk.data(
        {
            "version": done.version,
            "former": done.former,
            "verdict": verdict.state if verdict else "",
            "rule": verdict.rule if verdict else "",
        }
    )
    if verdict is not None and verdict.state != "accept":
        talk.out(f"{t(f'bundle.state.{verdict.state}')}  {verdict.rule}  {t(f'bundle.rule.{verdict.rule}')}")
        raise SystemExit(EXITS[verdict.state])
    talk.out(t("upgrade.runs", version=done.version))
    if done.former:
        talk.say("upgrade.former", version=done.former)
