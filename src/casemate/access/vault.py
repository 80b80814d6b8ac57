"""What a gate stands on: the region and its ports, bundled once by wiring."""

from __future__ import annotations

from dataclasses import dataclass

from casemate.access.trust import NOBODY, Trust
from casemate.clock import Clock
from casemate.crypto import Signer
from casemate.ids import Entropy
from casemate.labels import Label, Policies
from casemate.store import Blobs, Committer, Journal, Reader, Sealer, Share, Tiles

__all__ = ["Region", "Vault"]


@dataclass(frozen=True, slots=True)
class Region:
    """One running Casemate between a floor and a ceiling. `agency` owns what its sessions make."""

    name: str
    agency: str
    floor: Label
    ceiling: Label
    policies: Policies
    retention_days: int = 30

    def label(self, text: str) -> Label:
        """The label of a marking or canonical text, owned here. Raises MarkingError."""
        return self.policies.parse(text) | self.floor

    def reach(self, text: str) -> Label:
        """How far somebody sees who is cleared for, or acts at, what is so marked; canonical text is taken exactly.

        A marking leaves unwritten what its policy does not write at that level (FOUO at SECRET); whoever is cleared
        for the level is cleared for that too.
        """
        exact = self.policies.parse(text)
        return (exact if exact.text == text.strip() else self.policies.clearance(text)) | self.floor


def _unbounded(_class_id: str) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Vault:
    """Region, store and the machine's clock and entropy. `share`: what a class may take of the records, 0 for any."""

    region: Region
    reader: Reader
    committer: Committer
    journal: Journal
    blobs: Blobs
    sealer: Sealer
    signer: Signer
    clock: Clock
    entropy: Entropy
    trust: Trust = NOBODY
    tiles: Tiles | None = None
    share: Share = _unbounded
