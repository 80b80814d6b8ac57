"""The places that the settings allow, and the connectors that read them: our own, and those that are installed."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from casemate.engines.connect_folder import folder_connector
from casemate.engines.connect_s3 import S3Connector
from casemate.errors import Misconfigured
from casemate.knowledge import Connect, Connector, Connectors, Place
from casemate.settings import PlaceSettings
from casemate.wiring.house import House

__all__ = ["GROUP", "connectors_of"]

GROUP = "casemate.connectors"


def connectors_of(house: House) -> Connectors:
    """Raises Misconfigured where a place's label cannot be read, or nobody reads its kind."""
    found = house.settings.knowledge.places
    kinds: dict[str, Connect] = {
        "folder": folder_connector,
        "s3": lambda place, under, domain: _s3(house, place, under, domain),
    }
    asked = {place.kind for place in found.values()} - kinds.keys()
    for entry in entry_points(group=GROUP) if asked else ():
        if entry.name in asked:
            kinds[entry.name] = entry.load()
    places = {name: _place(house, name, place) for name, place in found.items()}
    for name, place in found.items():
        if place.kind not in kinds:
            raise Misconfigured(setting=f"knowledge.places.{name}.kind", why=f"no connector {place.kind} is installed")
    return Connectors(places, kinds)


def _place(house: House, name: str, place: PlaceSettings) -> Place:
    region = house.gate.vault.region
    label = region.label(place.label)
    path = str(Path(house.folder.path, place.path).absolute()) if place.path else ""
    if path and _within(Path(path), house.folder.path):
        raise Misconfigured(setting=f"knowledge.places.{name}.path", why="it lies in the region's own folder")
    options = dict(each.split("=", 1) for each in place.options)
    return Place(name, place.kind, label, {**options, **({"path": path} if path else {})})


def _within(path: Path, folder: Path) -> bool:
    """Whether a place shows what is the region's own: its folder, something in it, or something that holds it."""
    one, two = path.resolve(), folder.resolve()
    return one == two or one in two.parents or two in one.parents


def _s3(house: House, place: Place, under: str, domain: str) -> Connector:
    from casemate.engines.key_file import KeyFile
    from casemate.engines.s3_client import Bucket
    from casemate.engines.sigv4_sign import AccessKey, access_key

    told = house.settings.knowledge.places[place.name]
    setting = f"knowledge.places.{place.name}.key_file"
    file = KeyFile(house.folder.keys / told.key_file, setting)

    def key() -> AccessKey:
        found = access_key(file)
        if found is None:
            raise file.wrong("it holds no aws_access_key_id and aws_secret_access_key")
        return found

    def bucket() -> Bucket:
        ca = (house.folder.keys / told.ca_file).read_text(encoding="ascii") if told.ca_file else ""
        return Bucket(told.bucket, told.endpoint, key, told.region, told.prefix, ca)

    return S3Connector(bucket, under, domain)
