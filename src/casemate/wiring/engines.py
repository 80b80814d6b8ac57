"""The engines of a region, made from its folder and settings. The only place that names them."""

from __future__ import annotations

from pathlib import Path

from casemate.access import Region, Vault
from casemate.clock import Clock, SystemClock
from casemate.engines.committer_journal import CommitterJournal
from casemate.engines.key_store import KeyStore
from casemate.engines.key_store_signer import KeptSigner
from casemate.engines.tile_files import TileFiles
from casemate.errors import MarkingError, Misconfigured
from casemate.ids import Entropy, SystemEntropy
from casemate.labels import Policies
from casemate.models import READER, Card, Catalogue
from casemate.settings import RegionSettings, Settings
from casemate.store import Committer, Journal, Share
from casemate.wiring.blobs import blobs_of, shares_of
from casemate.wiring.folder import Folder
from casemate.wiring.keys import opened
from casemate.wiring.store import reader_of, written_in
from casemate.wiring.trust import KnownTrust
from casemate.wiring.upstreams import card_of

__all__ = ["catalogue", "region_of", "share_of", "vault_of"]


def region_of(settings: RegionSettings, extra: tuple[Path, ...] = ()) -> Region:
    """The region of these settings; raises Misconfigured where a policy or marking cannot be."""
    try:
        policies = Policies.load(settings.policies, extra)
        agencies = (settings.agency,)
        floor = policies.bottom(agencies)
        ceiling = policies.top(agencies)
        if settings.floor:
            floor = policies.parse(settings.floor) | floor
        if settings.ceiling:
            ceiling = policies.parse(settings.ceiling) | policies.bottom(agencies)
    except MarkingError as error:
        raise Misconfigured(setting="region", why=f"{error.facts.get('marking')}: {error.facts.get('why')}") from None
    if not floor <= ceiling:
        raise Misconfigured(setting="region.floor", why="the floor is not dominated by the ceiling")
    return Region(settings.name, settings.agency, floor, ceiling, policies, settings.retention_days)


def vault_of(
    folder: Folder,
    settings: Settings,
    committer: Committer,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    journal: Journal | None = None,
    private: tuple[bytes, ...] = (),
    durable: bool = True,
) -> Vault:
    """The ports of a region on this machine. Clock and entropy are replaced by laws and proofs alone, as is `durable`.

    Without a journal every entry is a batch of its own. `private`: the region's keys, where somebody unlocked them.
    """
    reader = reader_of(folder, settings)
    sealer = KeyStore(folder.keys, entropy, private or opened(folder, settings), durable, written_in(reader))
    region = _region(folder, settings)
    return Vault(
        region=region,
        reader=reader,
        committer=committer,
        journal=journal or CommitterJournal(committer),
        blobs=blobs_of(folder, settings.blobs, sealer, region),
        sealer=sealer,
        signer=KeptSigner(folder.keys, sealer, profile=settings.keys.profile, durable=durable),
        clock=clock or SystemClock(),
        entropy=entropy or SystemEntropy(),
        trust=KnownTrust(folder, settings, region, clock or SystemClock()),
        tiles=TileFiles(folder.ledger, durable),
        share=shares_of("records", settings.records, region),
    )


def share_of(folder: Folder, settings: Settings) -> Share:
    """What each access class may take of the records. Raises Misconfigured."""
    return shares_of("records", settings.records, _region(folder, settings))


def _region(folder: Folder, settings: Settings) -> Region:
    return region_of(settings.region, tuple(sorted(folder.path.glob("policies/*.toml"))))


def catalogue(region: Region, settings: Settings, keys: Path) -> Catalogue:
    """The reader and the upstreams of casemate.toml."""
    cards = {READER: Card(READER, READER, "casemate", region.ceiling)}
    for name, upstream in settings.upstreams.items():
        cards[name] = card_of(name, upstream, region, keys)
    return Catalogue(cards)
