"""Where a region's blobs lie, as its settings say."""

from __future__ import annotations

from collections.abc import Callable

from casemate.access import Region
from casemate.engines.files import FileBlobs
from casemate.errors import MarkingError, Misconfigured
from casemate.labels import access_class
from casemate.settings import BlobSettings, RecordSettings
from casemate.store import Blobs, Sealer
from casemate.wiring.ending import not_synced
from casemate.wiring.folder import Folder

__all__ = ["blobs_of", "shares_of"]


def blobs_of(folder: Folder, told: BlobSettings, sealer: Sealer, region: Region | None = None) -> Blobs:
    """The engine behind the Blobs port. Raises Misconfigured where it cannot be."""
    mirror = folder.path / told.mirror if told.mirror else None
    if told.kind == "files":
        return FileBlobs(
            folder.blobs,
            sealer,
            told.low_water_mb << 20,
            ballast=told.ballast_mb << 20,
            share=shares_of("blobs", told, region),
            mirror=mirror,
            lost=not_synced,
        )
    try:
        from casemate.engines.blob_cache import BlobCache
        from casemate.engines.s3_blobs import S3Blobs
        from casemate.engines.s3_client import Bucket, keys
    except ImportError:  # the extra `s3` is not installed
        raise Misconfigured(
            setting="blobs.kind", why="kind s3 needs the package obstore: pip install casemate[s3]"
        ) from None
    try:
        ca = (folder.keys / told.ca_file).read_text(encoding="ascii") if told.ca_file else ""
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(setting="blobs.ca_file", why="the file cannot be read") from None
    bucket = Bucket(
        told.bucket,
        told.endpoint,
        keys(folder.keys / told.key_file if told.key_file else None, told.key_env),
        region=told.region,
        prefix=told.prefix,
        ca=ca,
        seconds=told.seconds,
    )
    cache = BlobCache(folder.path / told.cache, told.cache_mb << 20) if told.cache else None
    fences = folder.blobs.with_name("fences")
    return S3Blobs(bucket, sealer, cache, fences=fences, mirror=mirror)


def shares_of(section: str, told: BlobSettings | RecordSettings, region: Region | None) -> Callable[[str], int]:
    """The bytes that are set aside for an access class. Raises Misconfigured for a marking that cannot be read."""
    named: dict[str, int] = {}
    if region is None:
        return lambda _class_id: told.share_mb << 20
    for marking, share in told.shares.items():
        try:
            named[access_class(region.label(marking)).id] = share << 20
        except MarkingError:
            raise Misconfigured(setting=f"{section}.shares.{marking}", why="no policy of the region reads it") from None
    return lambda class_id: named.get(class_id, told.share_mb << 20)
