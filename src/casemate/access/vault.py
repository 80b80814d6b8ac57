"""What a gate stands on: the region and its ports, bundled once by wiring."""

from __future__ import annotations

from dataclasses import dataclass
from casemate.clock import Clock
from casemate.crypto import Signer
from casemate.ids import Entropy
from casemate.labels import Label, Policies
from casemate.store import Blobs, Committer, Reader, Sealer

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


@dataclass(frozen=True, slots=True)
class Vault:
    """Region, store and the machine's clock and entropy."""

    region: Region
    reader: Reader
    committer: Committer
    blobs: Blobs
    sealer: Sealer
    signer: Signer
    clock: Clock
    entropy: Entropy
