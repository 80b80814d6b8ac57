"""`casemate demo`: the whole story on an invented exercise, in a region that is gone afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from casemate.cli.command import option, verb
from casemate.cli.failure import Failed
from casemate.cli.init import owner
from casemate.cli.scene import Scene
from casemate.cli.story import Story
from casemate.cli.talk import Talk
from casemate.cli.tongue import language
from casemate.cli.up import run

if TYPE_CHECKING:
    from casemate.wiring import Addresses

__all__ = ["demo"]


@verb("demo", option("--once", is_flag=True))
def demo(talk: Talk, once: bool) -> None:
    home = Path(tempfile.mkdtemp(prefix="casemate-demo-"))
    try:
        talk.folder = home / "region"
        asyncio.run(_play(talk, once))
    finally:
        size = sum(file.stat().st_size for file in home.rglob("*") if file.is_file())
        shutil.rmtree(home, ignore_errors=True)
        talk.say("demo.removed", folder=home, size=f"{size / 1e6:.1f}")


async def _play(talk: Talk, once: bool) -> None:
    """Found the region, run it, and tell the story in a thread while this loop watches over its processes."""
    from casemate.exercise import AGENCY, POLICIES
    from casemate.wiring import Folder, found

    began = time.monotonic()
    talk.say("demo.begin")
    folder = Folder(talk.folder or Path())
    await found(folder, "exercise", AGENCY, POLICIES, 0, owner(), str(os.getuid()), language())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ready(addresses: Addresses) -> None:
        try:
            _story(Scene(talk), Story(talk.client(), addresses, stop.is_set), began)
        except Failed:
            if stop.is_set():  # the region was told to stop under the story
                raise click.Abort from None
            raise
        if once:
            loop.call_soon_threadsafe(stop.set)
        elif not stop.is_set():
            talk.say("demo.stays", url=addresses.console)

    await run(talk, ready, stop)


def _story(scene: Scene, story: Story, began: float) -> None:
    """Act by act. The region's own loops need moments: what they do is asked for in the next act, not waited for."""
    players = story.cast()
    scene.talk.marked(story.marking)
    scene.cast(players)
    scene.loaded(story.load(scene.progress))
    scene.questions(story.questions())
    scene.scores(story.scores())
    hidden = story.hidden()
    scene.hidden(hidden)
    scene.stored(story.store_below())
    scene.proved(story.prove())
    scene.reconciled(story.reconciled(hidden))
    scene.verified(story.verified())
    scene.end(story.tokens(), time.monotonic() - began)
    scene.talk.data(story.told, story.label, story.marking)
