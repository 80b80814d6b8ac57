"""What the guard of this region makes of a bundle that is sound otherwise, and the verdict on the bundle with that.

    sound but for its guards -> each object looked at -> the same verifier again, which holds both sides' findings
    against each other -> accepted, or put aside by a guard's rule

Nothing of a bundle is parsed before signatures, sequence, labels and digests held. It must never let an object pass
that its channel asks to be looked at and that no guard has found fit.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Final

from casemate.errors import BadInput, Damaged
from casemate.transfer.region.cargo import Arrived, Cargo
from casemate.transfer.region.channel import ChannelRecord
from casemate.transfer.region.inspect import MOST_MADE, GuardProfile, Guards, Inspected, inspected
from casemate.transfer.region.yard import Opened
from casemate.transfer.state import State
from casemate.transfer.verdict import Verdict, verdict_of
from casemate.transfer.verify import Finding, verify

__all__ = ["GUARDED", "Customs", "Looked", "Unfit"]

GUARDED: Final = frozenset(("guard-missing", "guard-refused", "guard-differs"))
Looked = MutableMapping[str, Inspected | None]
"""What was found of objects, by the digest of their manifest."""


class Unfit(Exception):
    """Something in a bundle that was accepted is nothing that a room here takes: which object it is.

    `rule`: by which it is put aside; `alarms`: what people have to know besides.
    """

    def __init__(self, name: str, rule: str = "unfit", alarms: tuple[str, ...] = ()) -> None:
        self.rule, self.alarms = rule, alarms
        super().__init__(name)


class Customs:
    """`cargo`: what can be adopted, by the type of its manifest."""

    def __init__(self, cargo: Mapping[str, Cargo], guards: Guards) -> None:
        self._cargo = cargo
        self._guards = guards

    def cargo(self, type: str, channel: ChannelRecord) -> Cargo:
        """Whose room takes it. Raises BadInput for what nothing here takes, or not by this channel."""
        cargo = self._cargo.get(type)
        if cargo is None or (cargo.asks and cargo.kind not in channel.carries):
            raise BadInput(what=f"Nothing of type {type[:100]} is adopted here.")
        return cargo

    async def verdict(
        self, opened: Opened, state: State, now: int, channel: ChannelRecord, looked: Looked, domain: str
    ) -> tuple[Verdict, str]:
        """The verdict with what the guard has found, and why it is put aside. `looked` grows by what it looked at;
        `domain`: the class in which it is looked at.

        Raises Unfit, SandboxMissing.
        """
        named = _named_by_sender(opened)
        for type, arrived in opened.objects():
            asked = "known" if channel.guard == "none" and arrived.digest in named else channel.guard
            if arrived.digest not in looked and asked != "none":
                looked[arrived.digest] = await self._found(type, arrived, channel, asked, domain)
                if sum(each.size for each in looked.values() if each) > MOST_MADE:
                    return verdict_of("guard-refused"), f"{arrived.name}: guard-size"
        found = {digest: each for digest, each in looked.items() if each}
        findings = {digest: Finding(each.digest, each.guard, each.verdict) for digest, each in found.items()}
        verdict = verify(opened.facts, state, now, findings)
        held = [each.why for each in found.values() if each.verdict != "agree"]
        if verdict.came is not None and held:  # the sender has named no verdict of its own, and ours is none
            verdict = verdict_of("guard-refused", verdict.alarms)
        return verdict, held[0] if held else ""

    async def _found(
        self, type: str, arrived: Arrived, channel: ChannelRecord, profile: GuardProfile, domain: str
    ) -> Inspected | None:
        try:
            shown = await self.cargo(type, channel).shown(arrived)
            return await inspected(self._guards, arrived, shown, profile, domain)
        except (BadInput, Damaged):
            raise Unfit(arrived.name) from None


def _named_by_sender(opened: Opened) -> frozenset[str]:
    """The manifests for which the sender names a guard."""
    inside = opened.facts.inside
    if inside is None:
        return frozenset()
    pairs = zip(inside.index, inside.envelope.release.objects, strict=True)
    return frozenset(pointed.digest for pointed, stated in pairs if stated.guards)
