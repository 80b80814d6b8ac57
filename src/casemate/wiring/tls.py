"""TLS: the local authority and the server's certificate on the disk, and the context that processes serve with.

Private keys have mode 0600 and never leave keys/tls. TLS 1.3 is taken where the client can; nothing below
1.2 is spoken.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from casemate.clock import Loop
from casemate.crypto.issue import Described, Pair, describe, make_authority, make_server
from casemate.errors import BadInput, Conflict, Misconfigured
from casemate.settings import Settings
from casemate.wiring.folder import Folder

__all__ = ["Certificates", "Serving", "init", "receiving", "renew", "serving", "show"]

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all of this kind
_NO_CHECK_TIME = (
    0x200000  # X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h): the gate judges times, with an answer, not a hang-up
)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where they lie and what they say. `authority` is None where the organisation brought its own certificate."""

    authority_file: Path
    authority: Described | None
    server_file: Path
    server: Described


def _files(folder: Folder) -> tuple[Path, Path, Path, Path]:
    return tuple(folder.tls / name for name in ("ca.pem", "ca.key", "server.pem", "server.key"))  # type: ignore[return-value]


def init(folder: Folder, hosts: tuple[str, ...], now: int) -> Certificates:
    """A new authority and a server certificate. Raises Conflict where there is one, BadInput for what is no host."""
    ca_file, ca_key, _, _ = _files(folder)
    if ca_file.exists() or ca_key.exists():
        raise Conflict(what=str(ca_file))
    folder.tls.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        authority = make_authority(folder.settings().region.name, hosts, now)
        server = make_server(authority, hosts, now)
    except ValueError as error:
        raise BadInput(what=f"{error}.") from None
    _write(ca_key, authority.key)
    _write(ca_file, authority.certificate)
    _write_server(folder, server)
    return show(folder)


def renew(folder: Folder, now: int) -> Certificates:
    """A new key and certificate for the same hosts, under the same authority: clients need nothing new."""
    ca_file, ca_key, server_file, _ = _files(folder)
    try:
        authority = Pair(ca_file.read_bytes(), ca_key.read_bytes())
        hosts = describe(server_file.read_bytes()).hosts
        _write_server(folder, make_server(authority, hosts, now))
    except FileNotFoundError as error:
        raise Misconfigured(setting="listen.tls", why=f"{error.filename} is missing; casemate tls init") from None
    except ValueError as error:
        raise BadInput(what=f"{error}.") from None
    return show(folder)


def show(folder: Folder) -> Certificates:
    """What the server shows to clients. Raises Misconfigured where it has nothing to show."""
    listen = folder.settings().listen
    ca_file, _, server_file, _ = _files(folder)
    if listen.certificate:
        ca_file, server_file = folder.path / listen.certificate, folder.path / listen.certificate
    try:
        server = describe(server_file.read_bytes())
        authority = None if listen.certificate else describe(ca_file.read_bytes())
    except FileNotFoundError as error:
        raise Misconfigured(setting="listen.tls", why=f"{error.filename} is missing; casemate tls init") from None
    except ValueError as error:
        raise Misconfigured(setting="listen.certificate", why=str(error)) from None
    return Certificates(ca_file, authority, server_file, server)


class Serving:
    """The context of a process; `reload` takes a renewed certificate into the running one.

    `believe` says whose certificates clients may, or have to, show.
    """

    def __init__(self, certificate: Path, key: Path, settings: Settings) -> None:
        """Raises Misconfigured."""
        self._certificate, self._key = certificate, key
        context = self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        newest = settings.listen.tls_minimum == "1.3"
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if newest else ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
        context.num_tickets = 0  # a resumed connection would bear a certificate that nobody has looked at again
        self._seen = self._load()

    async def reload(self) -> int:
        """One step of a loop: whether the files have changed and were taken."""
        with contextlib.suppress(OSError):
            if self._state() != self._seen:
                self._seen = self._load()
                return 1
        return 0

    def loop(self) -> Loop:
        """Looks for a renewed certificate."""
        return Loop("tls.reload", 30.0, self.reload)

    def _load(self) -> tuple[int, ...]:
        try:
            seen = self._state()
            # A pair that does not fit would leave the running context without its key: it is tried elsewhere first.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._certificate, self._key)
            self.context.load_cert_chain(self._certificate, self._key)
        except FileNotFoundError:
            why = f"{self._certificate.name} or {self._key.name} is missing; casemate tls init"
            raise Misconfigured(setting="listen.tls", why=why) from None
        except (OSError, ssl.SSLError):
            raise Misconfigured(setting="listen.tls", why=f"{self._certificate.name} cannot be used") from None
        return seen

    def believe(self, client_ca: Path, mode: ssl.VerifyMode, setting: str) -> None:
        """Clients show certificates of these authorities. Raises Misconfigured, of that setting."""
        self.context.verify_mode = mode
        try:
            self.context.load_verify_locations(cafile=client_ca)
        except (OSError, ssl.SSLError):
            raise Misconfigured(setting=setting, why=f"{client_ca.name} cannot be used") from None

    def _state(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self._certificate, self._key))


def serving(folder: Folder, settings: Settings) -> Serving | None:
    """What a process serves HTTPS with, or None where the settings say HTTP. Raises Misconfigured."""
    listen = settings.listen
    if not listen.tls:
        return None
    found = _serving(folder, settings)
    found.context.set_alpn_protocols(["http/1.1"])
    if listen.client_ca:
        found.believe(folder.path / listen.client_ca, ssl.CERT_OPTIONAL, "listen.client_ca")
        found.context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return found


def receiving(folder: Folder, settings: Settings, client_ca: str, setting: str) -> Serving:
    """What a listener of syslog shows to senders (RFC 5425): the same certificate, whether or not HTTP is secured.

    `client_ca`: whoever shows no certificate of these authorities, in its time, is not listened to; "" asks for none.
    Raises Misconfigured, of `setting` where it is `client_ca`.
    """
    found = _serving(folder, settings)
    if client_ca:
        found.believe(folder.path / client_ca, ssl.CERT_REQUIRED, setting)
    return found


def _serving(folder: Folder, settings: Settings) -> Serving:
    listen = settings.listen
    _, _, certificate, key = _files(folder)
    if listen.certificate:
        certificate, key = folder.path / listen.certificate, folder.path / listen.certificate_key
    with contextlib.suppress(FileNotFoundError):
        if key.stat().st_mode & 0o077:
            raise Misconfigured(setting=key.name, why="others than its owner may open the key file; chmod 600")
    return Serving(certificate, key, settings)


def _write_server(folder: Folder, server: Pair) -> None:
    """Both, one after the other: whoever loads between them gets an error, keeps what he has and tries again."""
    _, _, certificate, key = _files(folder)
    _write(key, server.key)
    _write(certificate, server.certificate)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
