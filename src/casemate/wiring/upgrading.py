"""`casemate upgrade`: a release that a bundle brings, judged like every bundle, and made to run or not at all.

    judged against FOLDER/channel/state.json -> laid open -> unpacked -> tried -> switched to -> the state goes on

The state goes on last: killed before, the same bundle is taken again and changes nothing.
"""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casemate.crypto import Keeper
from casemate.engines.upgrade_slots import Slots
from casemate.errors import Absent, BadInput, Damaged, Refused
from casemate.transfer.upgrade import OBJECT, order_of, read_description, slot_of
from casemate.transfer.verdict import Verdict
from casemate.wiring.bundles import lay_open, settled, state_in

__all__ = ["Upgraded", "home_of", "roll_back", "slots_in", "upgrade"]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What runs from now on, and what ran before ("" for nothing); `verdict` where a bundle was judged."""

    version: str
    former: str
    verdict: Verdict | None = None


def home_of(prefix: Path = Path(sys.prefix)) -> Path:
    """The folder of releases of which this program is one. Raises BadInput where it is none."""
    if prefix.parent.name != "versions":
        raise BadInput(what="This program does not run from a folder of releases: name one with --into.")
    return prefix.parent.parent


def slots_in(folder: Path) -> Slots:
    """The releases in a folder."""
    return Slots(folder)


def upgrade(bundle: Path, slots: Slots, keepers: Sequence[Keeper], now: int, older: bool = False) -> Upgraded:
    """The release in a bundle runs from now on, or what ran before does. `older`: also one of a lower version.

    A bundle that is not accepted gives its verdict and changes nothing. Raises BadInput, Damaged, Refused
    (`upgrade-older`), Conflict, StorageFull.
    """
    statefile = slots.folder / "channel" / "state.json"
    with slots.alone():
        state = state_in(statefile)
        laid = slots.folder / f".{secrets.token_hex(8)}.part"
        try:
            opened, verdict = lay_open(bundle, laid, state, now, keepers)
            before = slots.current()
            if verdict.came is None:
                settled(statefile, state, verdict, opened)
                return Upgraded(_version(slots, before), "", verdict)
            files = laid / "files" / OBJECT
            if not (files / "release.json").is_file():
                raise BadInput(what="There is no release of Casemate in this bundle.")
            version = read_description((files / "release.json").read_bytes()).version
            installed = _version(slots, before)
            if installed and order_of(version) < order_of(installed) and not older:
                raise Refused(rule="upgrade-older", version=version, installed=installed)
            slot = slots.unpack(files, slot_of(version, verdict.came.sequence))
            try:
                slots.try_out(slot)
            except Damaged:
                slots.discard(slot)
                raise
            slots.switch(slot)
            settled(statefile, state, verdict, opened)
            return Upgraded(version, installed if before != slot else "", verdict)
        finally:
            shutil.rmtree(laid, ignore_errors=True)


def roll_back(slots: Slots) -> Upgraded:
    """What ran before runs again, once it has been tried. Raises Absent where nothing did."""
    with slots.alone():
        now, former = slots.current(), slots.former()
        if now is None or former is None:
            raise Absent(kind="release", id="former")
        slots.try_out(former)
        slots.switch(former)
        return Upgraded(_version(slots, former), _version(slots, now))


def _version(slots: Slots, slot: Path | None) -> str:
    return "" if slot is None else slots.described(slot).version
