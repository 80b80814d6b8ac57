"""Where the replicas of services are asked, as files that every process of this machine reads: `run/services`.

    ROOT/CLASS/SERVICE.json      {"INDEX": {"folder", "token"} | {"host", "port", "knock", "token"}}

It is a cache: the loop of services writes it anew after every start, and what is not written anew is gone. A replica on
this machine is reached by the socket in its folder; one on another node by TCP, on the node where the engine has it run
and at the port that its folder names. Each side says half of what stands in the attempt's order: the shim lets nobody
in who does not, and nothing is asked where nobody answers so. Those bytes cross the cluster's network as they are, as
the shared folder's do: it has to be accredited for the label. What must never happen: a folder named here that is not
its class's own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from casemate.access import Threads
from casemate.engines.job_folder import folder_at, opened, shaped, small
from casemate.errors import BadInput
from casemate.jobs.services import Way

__all__ = ["Reach", "ServiceDoors", "reached"]

_NAMED = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_KNOCK = re.compile(r"(?:[0-9a-f]{2}){1,64}")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_LONGEST = 1 << 20


class Reach(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one replica is asked: by `folder`, or by `host` and `port` with `knock` said first."""

    token: str
    folder: str = ""
    host: str = ""
    port: int = 0
    knock: str = ""


class _Served(msgspec.Struct, frozen=True):
    knock: str = ""


class _Order(msgspec.Struct, frozen=True):
    serve: _Served | None = None


@dataclass(frozen=True, slots=True)
class ServiceDoors:
    """Implements `jobs.services.Doors`. `roots`: the scratch folder of each engine."""

    root: Path
    roots: Mapping[str, Path]
    threads: Threads

    def clear(self) -> None:
        """Nobody is asked until it is said again."""
        shutil.rmtree(self.root, ignore_errors=True)

    async def open(self, domain: str, service: str, ways: Mapping[int, Way]) -> None:
        await self.threads.run(domain, self._open, domain, service, ways)

    def _open(self, domain: str, service: str, ways: Mapping[int, Way]) -> None:
        at = _file(self.root, domain, service)
        if not ways:
            at.unlink(missing_ok=True)
            return
        for folder in (self.root, at.parent):  # `parents=True` would leave the upper one open to others
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = {str(index): one for index, way in ways.items() if (one := self._reach(domain, way)) is not None}
        draft = at.with_suffix(".new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(found))
        draft.replace(at)

    def _reach(self, domain: str, way: Way) -> Reach | None:
        root = self.roots.get(way.engine)
        if root is None or not _TOKEN.fullmatch(way.token):
            return None
        folder = root.absolute() / domain / way.token
        if way.node == os.uname().nodename:
            return Reach(way.token, str(folder))
        knock = _knock(root, f"{domain}/{way.token}")
        return (
            Reach(way.token, "", way.host, way.port, knock)
            if knock and way.port and _HOST.fullmatch(way.host)
            else None
        )


def _knock(root: Path, folder: str) -> str:
    """What the attempt's order says; the folder may be a cluster's user's, who could lay anything in its place."""
    try:
        with opened(os.fspath(root.absolute())) as top, folder_at(top, folder) as held:
            found = small(held, "order.json")
    except OSError:
        return ""
    order = shaped(found[0], _Order) if found is not None else None
    knock = order.serve.knock if order is not None and order.serve is not None else ""
    return knock if _KNOCK.fullmatch(knock) else ""


def reached(root: Path, domain: str, service: str) -> dict[str, Reach]:
    """The replicas that are asked now; empty where there is no such service."""
    try:
        raw = _file(root, domain, service).read_bytes()
    except OSError:
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, Reach]) if len(raw) <= _LONGEST else {}
    except msgspec.DecodeError:
        return {}


def _file(root: Path, domain: str, service: str) -> Path:
    if not _NAMED.fullmatch(domain) or not _NAMED.fullmatch(service):
        raise BadInput(what="service")
    return root / domain / f"{service}.json"
