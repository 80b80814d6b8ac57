"""Where notices of missions may go."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import msgspec

from casemate.errors import Misconfigured

__all__ = ["MissionSettings", "SinkSettings", "notified"]

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


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


class MissionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sinks`: by the name that a watch says."""

    sinks: dict[str, SinkSettings] = {}


def notified(missions: MissionSettings) -> None:
    """Raises Misconfigured where a notice could not go."""
    for name, sink in missions.sinks.items():
        setting = f"missions.sinks.{name}"
        if not _NAME.fullmatch(name):
            raise Misconfigured(setting=setting, why="a name has letters, digits and hyphens")
        if not sink.accreditation:
            raise Misconfigured(setting=f"{setting}.accreditation", why="it says what may go there")
        if bool(sink.folder) is bool(sink.url):
            raise Misconfigured(setting=setting, why="it has a folder or a url")
        path = PurePosixPath(sink.folder)
        if sink.folder and (not path.is_absolute() or ".." in path.parts or len(path.parts) < 2):
            raise Misconfigured(setting=f"{setting}.folder", why="it is an absolute folder, and not the root of all")
        if sink.url and (urlsplit(sink.url).scheme not in ("http", "https") or not urlsplit(sink.url).netloc):
            raise Misconfigured(setting=f"{setting}.url", why="it begins with http:// or https:// and a host")
