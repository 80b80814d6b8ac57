"""`casemate principal bind`: a certificate or the subject of a sign-in provider becomes a principal of this region."""

from __future__ import annotations

from pathlib import Path

import click

from casemate.cli.command import option, verb
from casemate.cli.principal import person_id
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

__all__ = ["bind", "bindings", "unbind"]


@verb(
    "principal.bind",
    click.argument("name"),
    option("--certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"),
    option("--subject", nargs=2, metavar="ISSUER SUBJECT"),
    option("--oidc", nargs=2, metavar="ISSUER SUBJECT"),
    option("--floor", default="", metavar="LABEL"),
    option("--ceiling", default="", metavar="LABEL"),
)
def bind(
    talk: Talk,
    name: str,
    certificate: Path | None,
    subject: tuple[str, str] | None,
    oidc: tuple[str, str] | None,
    floor: str,
    ceiling: str,
) -> None:
    asked = {"floor": floor, "ceiling": ceiling}
    if sum(each is not None for each in (certificate, subject, oidc)) != 1:
        raise BadInput(what=t("principal.one_name"))
    if certificate is not None:
        asked["certificate"] = certificate.read_bytes().decode("latin-1")
    else:
        issuer, who = subject or oidc or ("", "")
        asked |= {"scheme": "certificate" if subject else "oidc", "issuer": issuer, "subject": who}
    client = talk.client()
    answer = client.post(f"/api/principals/{person_id(client, name)}/bindings", asked)
    talk.answer(answer)
    if answer.data is None:
        talk.say("principal.asked", name=name)
    else:
        talk.out("  ".join(_row(answer.data)))


@verb("principal.bindings")
def bindings(talk: Talk) -> None:
    answer = talk.client().get("/api/bindings")
    talk.answer(answer)
    for line in columns([_row(each) for each in answer.data]):
        talk.out(line)


@verb("principal.unbind", click.argument("id"))
def unbind(talk: Talk, id: str) -> None:
    answer = talk.client().call("DELETE", f"/api/bindings/{id}")
    talk.answer(answer)
    talk.out(id)


def _row(each: dict[str, str]) -> tuple[str, ...]:
    return each["id"], each["name"], each["scheme"], each["issuer"] or "-", each["subject"]
