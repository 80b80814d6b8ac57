"""Where a region's blobs lie, as its settings say."""

from __future__ import annotations

from casemate.engines.files import FileBlobs
from casemate.errors import Misconfigured
from casemate.settings import BlobSettings
from casemate.store import Blobs, Sealer
from casemate.wiring.folder import Folder

__all__ = ["blobs_of"]


def blobs_of(folder: Folder, told: BlobSettings, sealer: Sealer) -> Blobs:
    """The engine behind the Blobs port. Raises Misconfigured where it cannot be."""
    if told.kind == "files":
        return FileBlobs(folder.blobs, sealer)
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
    return S3Blobs(bucket, sealer, cache)
