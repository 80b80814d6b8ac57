"""The keys of sign-in providers, read from their URLs by the control side at a rate and kept on the disk.

Data processes read the file and never the network. What cannot be read, or is no key set, leaves the last good one.
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import os
import secrets
import ssl
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from casemate.clock import Loop
from casemate.errors import BadInput, EngineFailed
from casemate.identity.jwks import LIMIT, parse
from casemate.settings import Oidc, Settings
from casemate.wiring.folder import Folder
from casemate.wiring.trust import kept_keys

__all__ = ["fetched", "loops"]

PATIENCE = 10.0


def loops(folder: Folder, settings: Settings) -> list[Loop]:
    """One loop for each provider whose keys are at a URL."""
    return [
        Loop(f"oidc.{name}", float(each.refresh_seconds), partial(_step, folder, name, each))
        for name, each in settings.oidc.items()
        if each.jwks.startswith(("https://", "http://"))
    ]


async def _step(folder: Folder, name: str, provider: Oidc) -> int:
    ca = folder.path / provider.ca_file if provider.ca_file else None
    raw = await asyncio.to_thread(fetched, name, provider.jwks, ca)
    await asyncio.to_thread(_keep, kept_keys(folder, name, provider), raw)
    return 1


def fetched(name: str, url: str, ca: Path | None) -> bytes:
    """The key set at a URL: https, or http on this machine; no redirect is followed. Raises EngineFailed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not _loopback(host):
        raise EngineFailed(engine=f"oidc.{name}", why="keys come over https")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
        connection = http.client.HTTPSConnection(host, parts.port, timeout=PATIENCE, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=PATIENCE)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Accept": "application/json"})
        response = connection.getresponse()
        raw = response.read(LIMIT + 1)
        if response.status != 200:
            raise EngineFailed(engine=f"oidc.{name}", why=f"it answers with status {response.status}")
        parse(raw)
    except (OSError, http.client.HTTPException) as error:
        raise EngineFailed(engine=f"oidc.{name}", why=type(error).__name__) from None
    except BadInput:
        raise EngineFailed(engine=f"oidc.{name}", why="what it gives is no key set") from None
    finally:
        connection.close()
    return raw


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _keep(path: Path, raw: bytes) -> None:
    """Whole or not at all; its date is that of this reading."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
