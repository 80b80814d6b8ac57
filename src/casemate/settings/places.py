"""Places outside from which documents may be brought: what a region allows its sources to read, and nothing besides."""

from __future__ import annotations

import re

import msgspec

from casemate.errors import Misconfigured

__all__ = ["PlaceSettings", "placed"]

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


class PlaceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder (`path`, absolute or beneath the region's) or a bucket (kind s3), with the label of what lies there.

    `label` is a marking, and has no default: whoever dominates it may have sources there, and nothing that they bring
    comes to rest below it. `key_file` names a file in keys/ with an access key, `ca_file` one with who signs the
    endpoint's certificate. A connector that is a plug-in has a kind of its own, and takes
    `options`, each NAME=VALUE.
    """

    label: str
    kind: str = "folder"
    path: str = ""
    endpoint: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = "us-east-1"
    key_file: str = ""
    ca_file: str = ""
    options: tuple[str, ...] = ()


def placed(places: dict[str, PlaceSettings]) -> None:
    """Raises Misconfigured where a place cannot be."""
    for name, place in places.items():
        setting = f"knowledge.places.{name}"
        if not _NAME.fullmatch(name):
            raise Misconfigured(setting=setting, why="a name has letters, digits and hyphens")
        if not place.label:
            raise Misconfigured(setting=f"{setting}.label", why="it says what lies there")
        if any("=" not in each for each in place.options):
            raise Misconfigured(setting=f"{setting}.options", why="each is NAME=VALUE")
        if place.kind == "folder" and (not place.path or place.bucket):
            raise Misconfigured(setting=setting, why="kind folder has a path, and no bucket")
        if place.kind == "s3" and (not place.bucket or not place.endpoint or not place.key_file or place.path):
            raise Misconfigured(setting=setting, why="kind s3 has an endpoint, a bucket and a key_file, and no path")
