"""The engines of a region, made from its folder and settings. The only place that names them."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from casemate.access import Region, Vault
from casemate.clock import Clock, SystemClock
from casemate.engines.files import FileBlobs
from casemate.engines.openai_like import OpenAILike
from casemate.engines.sqlite_read import SqliteReader
from casemate.engines.unsafe_sealer import UnsafeDevelopmentSealer, UnsafeDevelopmentSigner
from casemate.errors import MarkingError, Misconfigured
from casemate.ids import Entropy, SystemEntropy
from casemate.labels import Label, Policies
from casemate.models import READER, Card, Catalogue
from casemate.settings import RegionSettings, Settings, Upstream
from casemate.store import Committer
from casemate.wiring.folder import Folder

__all__ = ["catalogue", "region_of", "vault_of"]


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
) -> Vault:
    """The ports of a region on this machine. Clock and entropy are replaced by laws and proofs alone."""
    sealer = UnsafeDevelopmentSealer(folder.keys, entropy)
    return Vault(
        region=region_of(settings.region, tuple(sorted(folder.path.glob("policies/*.toml")))),
        reader=SqliteReader(folder.records),
        committer=committer,
        blobs=FileBlobs(folder.blobs, sealer),
        sealer=sealer,
        signer=UnsafeDevelopmentSigner(folder.keys),
        clock=clock or SystemClock(),
        entropy=entropy or SystemEntropy(),
    )


def catalogue(region: Region, settings: Settings, keys: Path) -> Catalogue:
    """The reader and the upstreams of casemate.toml."""
    cards = {READER: Card(READER, READER, "casemate", region.ceiling)}
    for name, upstream in settings.upstreams.items():
        inside = _loopback(upstream.url)
        cards[name] = Card(
            name=name,
            served=upstream.model,
            vendor=upstream.vendor,
            accreditation=_accreditation(name, upstream, region, inside),
            engine=OpenAILike(upstream.url, keys / upstream.key_file if upstream.key_file else None, name),
            outside=not inside,
        )
    return Catalogue(cards)


def _accreditation(name: str, upstream: Upstream, region: Region, inside: bool) -> Label:
    if not upstream.accreditation:
        return region.ceiling if inside else region.floor
    try:
        return region.policies.parse(upstream.accreditation) | region.floor
    except MarkingError as error:
        raise Misconfigured(setting=f"upstreams.{name}.accreditation", why=str(error.facts.get("why"))) from None


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
