"""Where notices of missions may go, and by which doors events come in that missions watch."""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from casemate.errors import Misconfigured

__all__ = ["CollectorSettings", "ListenerSettings", "MissionSettings", "SinkSettings", "notified"]

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")
_PREFIX = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}/){0,4}")


class SinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `folder` of this machine, or the `url` of a web hook.

    `accreditation` is the highest label, as a marking, whose notices may go there whole; it has no default.
    `announces`: the highest label of which it may be told that there is something, and no more; "" none. `ca_file`: who
    signs the certificate of `url`, where the machine does not know it.
    """

    accreditation: str
    folder: str = ""
    url: str = ""
    announces: str = ""
    ca_file: str = ""


class CollectorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The HTTP Event Collector. `bucket`: where events go that name no index; "" refuses such.

    `prefix`: what keys begin with. `seconds`: how long an object waits for more events, and its senders with it.
    """

    bucket: str = ""
    prefix: str = "hec/"
    seconds: float = 1.0


class ListenerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A syslog listener: whoever may send there is `peers`, and all that he sends lies at `label`.

    `address`: HOST:PORT, an address and no name. `peers`: networks, none of them left out. `udp`: datagrams too, of
    which some may be lost. `tls`: TLS alone (RFC 5425), with the certificate of HTTPS; `client_ca`: the authorities
    (PEM, a path from the region's folder) of which a sender then has to show a certificate. `write`: each message as a
    record of JSON, or its text alone. `connections` at once and `rate` messages a second are the most; `seconds` is how
    long an object waits for more.
    """

    address: str
    label: str
    bucket: str
    peers: tuple[str, ...]
    prefix: str = "syslog/"
    udp: bool = False
    tls: bool = False
    client_ca: str = ""
    write: Literal["record", "message"] = "record"
    connections: int = 64
    rate: int = 20_000
    seconds: float = 1.0

    @property
    def host(self) -> str:
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


class MissionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sinks`: by the name that a watch says. `listeners`: by a name that objects bear."""

    sinks: dict[str, SinkSettings] = {}
    collector: CollectorSettings = CollectorSettings()
    listeners: dict[str, ListenerSettings] = {}


def notified(missions: MissionSettings) -> None:
    """Raises Misconfigured where a notice could not go, or an event not come."""
    for name, sink in missions.sinks.items():
        setting = f"missions.sinks.{name}"
        _named(setting, name)
        if not sink.accreditation:
            raise Misconfigured(setting=f"{setting}.accreditation", why="it says what may go there")
        if bool(sink.folder) is bool(sink.url):
            raise Misconfigured(setting=setting, why="it has a folder or a url")
        path = PurePosixPath(sink.folder)
        if sink.folder and (not path.is_absolute() or ".." in path.parts or len(path.parts) < 2):
            raise Misconfigured(setting=f"{setting}.folder", why="it is an absolute folder, and not the root of all")
        if sink.url and (urlsplit(sink.url).scheme not in ("http", "https") or not urlsplit(sink.url).netloc):
            raise Misconfigured(setting=f"{setting}.url", why="it begins with http:// or https:// and a host")
    _spooled("missions.collector", missions.collector)
    for name, listener in missions.listeners.items():
        setting = f"missions.listeners.{name}"
        _named(setting, name)
        _listened(setting, listener)
    taken = [one.address for one in missions.listeners.values() if one.port]
    if len(set(taken)) < len(taken):
        raise Misconfigured(setting="missions.listeners", why="two listeners of one address")


def _named(setting: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Misconfigured(setting=setting, why="a name has letters, digits and hyphens")


def _spooled(setting: str, told: CollectorSettings | ListenerSettings) -> None:
    if not _PREFIX.fullmatch(told.prefix):
        raise Misconfigured(setting=f"{setting}.prefix", why="it is at most four plain names, each with a slash behind")
    if not 0 <= told.seconds <= 60:
        raise Misconfigured(setting=f"{setting}.seconds", why="it is 0 to 60 seconds")


def _listened(setting: str, told: ListenerSettings) -> None:
    """Raises Misconfigured where it is not said who may send from where, and what that is."""
    _spooled(setting, told)
    for name, said in (("label", told.label), ("bucket", told.bucket), ("peers", told.peers)):
        if not said:
            raise Misconfigured(setting=f"{setting}.{name}", why="syslog has no sign-in: the settings say it")
    _, colon, port = told.address.rpartition(":")
    try:
        ipaddress.ip_address(told.host)
        if not colon or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise ValueError(port)
    except ValueError:
        raise Misconfigured(setting=f"{setting}.address", why="it is ADDRESS:PORT, and no name") from None
    for network in told.peers:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise Misconfigured(setting=f"{setting}.peers", why=str(error)) from None
    if told.tls and told.udp:
        raise Misconfigured(setting=f"{setting}.udp", why="datagrams are not secured: give them another listener")
    if told.client_ca and not told.tls:
        raise Misconfigured(setting=f"{setting}.tls", why="certificates need tls = true")
    if not 1 <= told.connections <= 4096 or not 1 <= told.rate <= 1_000_000:
        raise Misconfigured(setting=setting, why="1 to 4096 connections, and 1 to 1000000 messages a second")
