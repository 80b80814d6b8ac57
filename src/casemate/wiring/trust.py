"""Whom outside the region casemate.toml names: keys, authorities and revocation lists, read again when files change.

At an admission nothing but the disk is asked. A file that is missing or cannot be read believes nobody, and is told
once on standard error; the last good one is not kept in its place, since a list that was taken away was taken away.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from casemate.access import Authority, Region
from casemate.clock import SECOND, Clock
from casemate.crypto.chain import Anchors
from casemate.errors import BadInput, MarkingError, Misconfigured
from casemate.identity.attributes import authority_key, fingerprint
from casemate.identity.jwks import LIMIT, KeySet, parse
from casemate.identity.token import Provider
from casemate.settings import AttributeAuthority, Oidc, Settings
from casemate.wiring.folder import Folder

__all__ = ["KnownTrust", "kept_keys"]

T = TypeVar("T")
CERTIFICATES = 16 << 20  # bytes of a file of certificates or revocation lists


def kept_keys(folder: Folder, name: str, provider: Oidc) -> Path:
    """Where the keys of a provider lie: its own file, or what control keeps of its URL."""
    if provider.jwks.startswith(("https://", "http://")):
        return folder.data / "oidc" / f"{name}.json"
    return folder.path / provider.jwks


class _Files(Generic[T]):
    """What some files say, made anew when one of them has changed; None where one cannot be read."""

    def __init__(self, paths: tuple[Path, ...], limit: int, make: Callable[..., T]) -> None:
        self.paths = paths
        self._limit = limit
        self._make = make
        self._seen: tuple[tuple[int, ...], ...] | None = None
        self._made: T | None = None

    def now(self) -> T | None:
        """What they say at this moment."""
        try:
            seen = tuple(_state(path) for path in self.paths)
        except OSError as error:
            self._nothing((), error)
            return None
        if seen != self._seen:
            try:
                self._made = self._make(*(self._read(path) for path in self.paths))
                self._seen = seen
            except (OSError, ValueError, BadInput) as error:
                self._nothing(seen, error)
        return self._made

    def _nothing(self, seen: tuple[tuple[int, ...], ...], error: Exception) -> None:
        if self._seen != seen:
            name, kind = self.paths[0].name, type(error).__name__
            print(f"casemate: {name} cannot be read ({kind}): nobody is believed by it", file=sys.stderr)
        self._seen, self._made = seen, None

    def _read(self, path: Path) -> bytes:
        with path.open("rb") as file:
            raw = file.read(self._limit + 1)
        if len(raw) > self._limit:
            raise ValueError("too long")
        return raw


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


class KnownTrust:
    """The Trust port over the files of this machine."""

    def __init__(self, folder: Folder, settings: Settings, region: Region, clock: Clock) -> None:
        """Raises Misconfigured where a setting names what cannot be."""
        self._clock = clock
        self._oidc = {
            each.issuer: (each, _Files((kept_keys(folder, name, each),), LIMIT, parse))
            for name, each in settings.oidc.items()
        }
        self._authorities = {name: _authority(name, each, region) for name, each in settings.attributes.items()}
        listen = settings.listen
        paths = tuple(folder.path / each for each in (listen.client_ca, listen.client_crl) if each)
        self._anchors = _Files(paths, CERTIFICATES, Anchors) if paths else None

    def provider(self, issuer: str) -> Provider | None:
        """The provider with its keys of this moment; none where they are too old to be believed."""
        found = self._oidc.get(issuer)
        if found is None:
            return None
        said, files = found
        keys = files.now()
        if keys is None or self._stale(said, files):
            return None
        return Provider(said.issuer, said.audience, keys, frozenset(said.algorithms), said.claim, said.skew_seconds)

    def authorities(self) -> Mapping[str, Authority]:
        return self._authorities

    def anchors(self) -> Anchors | None:
        return None if self._anchors is None else self._anchors.now()

    def _stale(self, said: Oidc, files: _Files[KeySet]) -> bool:
        """Keys that came from a URL are as old as the file that holds them: control writes it at each reading."""
        if not said.jwks.startswith(("https://", "http://")):
            return False
        try:
            written = files.paths[0].stat().st_mtime_ns // 1000
        except OSError:
            return True
        return self._clock.now() >= written + said.keep_hours * 3600 * SECOND


def _authority(name: str, said: AttributeAuthority, region: Region) -> Authority:
    try:
        key = authority_key(said.key)
        ceiling = region.policies.clearance(said.ceiling)
    except MarkingError as error:
        raise Misconfigured(setting=f"attributes.{name}.ceiling", why=str(error.facts["why"])) from None
    except BadInput as error:
        raise Misconfigured(setting=f"attributes.{name}.key", why=str(error.facts["what"])) from None
    within = ((ceiling | region.floor) & region.ceiling).with_needs(ceiling.needs)  # a region's ceiling has none
    return Authority(name, key, fingerprint(key), within, frozenset(said.roles))
