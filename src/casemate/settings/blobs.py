"""Where sealed blobs lie: in the region's folder, or in S3-compatible storage with copies here."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

import msgspec

from casemate.errors import Misconfigured

__all__ = ["BlobSettings", "lying"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BlobSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`files`: beneath data/. `s3`: a `bucket` at an `endpoint`, under `prefix`; `region` is what signatures name.

    The access key is in `key_file`, a file in keys/ of mode 0600 (as AWS tools write it), or in the variable of the
    environment that `key_env` names. `ca_file`: a file in keys/ with who signs the endpoint's certificate. `seconds`:
    how long a connection may stand still. `cache`: a folder for sealed copies, beneath the region's where it is not
    absolute, "" for none; `cache_mb` bounds it for each label domain and process.

    `mirror`: a folder of sealed copies, beneath the region's where it is not absolute, that the scrub fills and repairs
    from. `grace_hours`: how long what nobody names is kept. `low_water_mb`: what stays free on the disk of kind files,
    and `ballast_mb` a part of it that repairs may use when it is full all the same. `share_mb` sets a share of that
    disk aside for each label, `shares` for some of them by their markings ("SECRET" = 2048); 0 sets nothing aside.
    """

    kind: Literal["files", "s3"] = "files"
    bucket: str = ""
    endpoint: str = ""
    prefix: str = ""
    region: str = "us-east-1"
    key_file: str = ""
    key_env: str = ""
    ca_file: str = ""
    seconds: float = 10.0
    cache: str = "cache"
    cache_mb: int = 4096
    mirror: str = ""
    grace_hours: float = 24.0
    low_water_mb: int = 64
    ballast_mb: int = 16
    share_mb: int = 0
    shares: dict[str, int] = {}


def lying(blobs: BlobSettings) -> None:
    """Raises Misconfigured where blobs could not lie."""
    if not 0.1 <= blobs.seconds <= 300:
        raise Misconfigured(setting="blobs.seconds", why="it is 0.1 to 300 seconds")
    if blobs.cache_mb < 1:
        raise Misconfigured(setting="blobs.cache_mb", why='it is at least 1; cache = "" keeps no copies')
    if not 1 <= blobs.grace_hours <= 24 * 366:
        raise Misconfigured(setting="blobs.grace_hours", why="it is 1 to 8784 hours")
    if min(blobs.low_water_mb, blobs.ballast_mb) < 0:
        raise Misconfigured(setting="blobs.low_water_mb", why="low_water_mb and ballast_mb are not below zero")
    if min(blobs.share_mb, *blobs.shares.values(), 0) < 0:
        raise Misconfigured(setting="blobs.share_mb", why="a share is not below zero")
    if blobs.kind != "files" and (blobs.share_mb or blobs.shares):
        raise Misconfigured(setting="blobs.share_mb", why='shares are of the disk: kind = "files"')
    if blobs.kind == "files":
        if blobs.bucket or blobs.endpoint:
            raise Misconfigured(setting="blobs.kind", why='a bucket needs kind = "s3"')
        return
    if not blobs.bucket:
        raise Misconfigured(setting="blobs.bucket", why="kind s3 names a bucket")
    told = urlsplit(blobs.endpoint)
    if told.scheme != "https" and not (told.scheme == "http" and told.hostname in LOOPBACK):
        raise Misconfigured(setting="blobs.endpoint", why="kind s3 has an https URL; http on loopback alone")
    if bool(blobs.key_file) is bool(blobs.key_env):
        raise Misconfigured(setting="blobs.key_file", why="kind s3 has key_file or key_env, and not both")
