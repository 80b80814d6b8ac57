"""`casemate tls`: a local certificate authority, so that clients that insist on HTTPS reach this region."""

from __future__ import annotations

import shlex
import tomllib
from typing import TYPE_CHECKING, Any

from casemate.cli.command import Group, option, verb
from casemate.cli.talk import Talk
from casemate.clock import SystemClock, iso

if TYPE_CHECKING:
    from casemate.wiring import Folder
    from casemate.wiring.tls import Certificates

__all__ = ["environment", "tls"]

tls = Group("tls", {"init": "tls:init", "renew": "tls:renew", "show": "tls:show"}, bare="show")


@verb("tls.init", option("--host", "hosts", multiple=True, metavar="NAME"))
def init(talk: Talk, hosts: tuple[str, ...]) -> None:
    from casemate.wiring import tls as made

    home = talk.region()
    found = made.init(home, hosts, SystemClock().now())
    switched = _switch_on(home)
    _tell(talk, found)
    talk.say("tls.restart" if switched else "tls.by_hand")


@verb("tls.renew")
def renew(talk: Talk) -> None:
    from casemate.wiring import tls as made

    _tell(talk, made.renew(talk.region(), SystemClock().now()))
    talk.say("tls.taken")


@verb("tls.show")
def show(talk: Talk) -> None:
    from casemate.wiring import tls as made

    _tell(talk, made.show(talk.region()))


def environment(authority: str) -> dict[str, str]:
    """What clients need to believe the authority: botocore and the AWS CLI, OpenSSL and httpx, requests, Node, curl."""
    names = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE")
    return dict.fromkeys(names, authority)


def _tell(talk: Talk, found: Certificates) -> None:
    authority, server = found.authority, found.server
    settings = environment(str(found.authority_file.resolve())) if authority is not None else {}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    data: dict[str, Any] = {
        "authority": {"file": str(found.authority_file.resolve()), **_fields(authority)} if authority else None,
        "server": {"file": str(found.server_file.resolve()), **_fields(server)},
        "environment": settings,
        "lines": lines,
    }
    talk.data(data)
    for name, each in (("authority", authority), ("server", server)):
        if each is not None:
            path = found.authority_file if name == "authority" else found.server_file
            talk.say(f"tls.{name}", file=path, subject=each.subject, until=iso(each.expires)[:10])
            talk.say("tls.fingerprint", fingerprint=each.fingerprint)
    talk.say("tls.hosts", hosts=", ".join(server.hosts))
    for line in lines:
        talk.out(line)


def _fields(each: Any) -> dict[str, Any]:
    return {
        "subject": each.subject,
        "issuer": each.issuer,
        "hosts": each.hosts,
        "fingerprint": each.fingerprint,
        "expires": each.expires,
    }


def _switch_on(home: Folder) -> bool:
    """Write `tls = true` into casemate.toml where it says nothing of it; whether it says so now."""
    file = home.settings_file
    text = file.read_text(encoding="utf-8")
    wanted = tomllib.loads(text)
    if wanted.get("listen", {}).get("tls") is True:
        return True
    wanted.setdefault("listen", {})["tls"] = True
    lines = text.splitlines()
    places = [place for place, line in enumerate(lines) if line.strip() == "[listen]"]
    if len(places) != 1:
        return False
    lines.insert(places[0] + 1, "tls = true")
    changed = "\n".join(lines) + "\n"
    try:
        right = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        right = False
    if right:
        draft = file.with_name(f".{file.name}.new")
        draft.write_text(changed, encoding="utf-8")
        draft.replace(file)
    return right
