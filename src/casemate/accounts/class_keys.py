"""The keys of access classes, as officers and operators see and end them. Each is seen and ended at its own label."""

from __future__ import annotations

import msgspec

from casemate.access import Flow
from casemate.access.destroyed import doom
from casemate.accounts.agreed import agreed
from casemate.errors import Refused
from casemate.labels import Label

__all__ = ["ClassKey", "Lost", "class_keys", "destroy_key", "what_is_lost"]


class ClassKey(msgspec.Struct, frozen=True):
    """A visible class: how many entries its log holds, and whether its key was destroyed."""

    id: str
    entries: int
    destroyed: bool


class Lost(msgspec.Struct, frozen=True):
    """What nobody can read once the key of the acting label is destroyed.

    `rows` counts them by kind, `blobs` is in bytes. `state`: shown (nothing was done), waiting (for a second officer),
    doomed (it is destroyed within seconds). `solo`: one officer suffices here.
    """

    id: str
    rows: dict[str, int]
    entries: int
    blobs: int
    state: str
    solo: bool


def class_keys(flow: Flow) -> list[tuple[Label, ClassKey]]:
    """Those that the acting label sees, in the order of their ids."""
    sizes = flow.gate.vault.reader.sizes()
    gone = flow.gate.classes.gone(flow.acting)
    every = {access.id: (access, False) for access in flow.classes()} | {access.id: (access, True) for access in gone}
    return [
        (access.label, ClassKey(id, sizes.get(id, 0), destroyed)) for id, (access, destroyed) in sorted(every.items())
    ]


async def what_is_lost(flow: Flow, state: str = "shown") -> Lost:
    """What lies in the class of the acting label."""
    vault, id = flow.gate.vault, flow.access.id
    used, _ = await vault.blobs.used(id)
    rows = dict(sorted(vault.reader.counts(id).items()))
    return Lost(id, rows, vault.reader.sizes().get(id, 0), used, state, not flow.gate.directory.two_person())


async def destroy_key(flow: Flow) -> Lost:
    """Destroy the key of the acting label's class for good; what is told was read before. Takes two officers.

    Raises Refused: `key-needed` at the region's floor and ceiling, without whose logs nothing could be recorded.
    """
    region = flow.gate.vault.region
    if flow.acting is region.floor or flow.acting is region.ceiling:
        raise Refused(rule="key-needed", label=flow.acting.text)
    done = await agreed(flow, f"destroy the key of {flow.access.id}")
    if done is None:
        return await what_is_lost(flow, "waiting")
    if done:
        await flow.commit(*done)
    lost = await what_is_lost(flow, "doomed")
    await doom(flow, lost.rows | {"entries": lost.entries})
    return lost
