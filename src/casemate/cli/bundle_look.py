"""`casemate bundle verify|explain|open|list`: what a bundle is, whether it is to be taken, and what is in it.

exit 0 accept    10 hold    3 refuse    16 quarantine
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from casemate.cli.bundle import FILE, NEW, keepers, outside, told
from casemate.cli.command import option, verb
from casemate.cli.failure import failed
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.clock import SystemClock, iso
from casemate.errors import Damaged, Mismarked, Refused
from casemate.transfer.bundle import Inside
from casemate.transfer.verdict import Verdict

__all__ = ["EXITS", "explain", "listing", "open_", "verify_"]

EXITS: Final = {"accept": 0, "hold": Damaged.exit, "refuse": Refused.exit, "quarantine": Mismarked.exit}
BUNDLE = click.argument("path", type=FILE, metavar="BUNDLE")
STATE = option("--state", "statefile", type=FILE, required=True, metavar="FILE")
MINE = option("--key", "keyfile", type=FILE, default=None, metavar="FILE")
GUARDS = option("--guards", "guardfile", type=FILE, default=None, metavar="FILE")
SAVE = option("--save", is_flag=True)


@verb("bundle.verify", BUNDLE, STATE, MINE, GUARDS, SAVE)
def verify_(talk: Talk, path: Path, statefile: Path, keyfile: Path | None, guardfile: Path | None, save: bool) -> None:
    from casemate.wiring.bundles import findings_in, judge, settled, state_in

    state = state_in(statefile)
    guards = findings_in(guardfile) if guardfile is not None else None
    opened, verdict = judge(path, state, SystemClock().now(), keepers(keyfile), guards)
    if save:
        settled(statefile, state, verdict, opened)
    _end(talk, verdict, opened.outside.face.banner if opened.outside else "", opened.why)


@verb("bundle.open", BUNDLE, click.argument("place", type=NEW, metavar="FOLDER"), STATE, MINE, GUARDS, SAVE)
def open_(
    talk: Talk,
    path: Path,
    place: Path,
    statefile: Path,
    keyfile: Path | None,
    guardfile: Path | None,
    save: bool,
) -> None:
    from casemate.wiring.bundles import findings_in, lay_open, settled, state_in

    state = state_in(statefile)
    guards = findings_in(guardfile) if guardfile is not None else None
    opened, verdict = lay_open(path, place, state, SystemClock().now(), keepers(keyfile), guards)
    if save:
        settled(statefile, state, verdict, opened)
    if verdict.state == "accept":
        talk.say("bundle.laid", folder=place)
    _end(talk, verdict, opened.outside.face.banner if opened.outside else "", opened.why, {"folder": str(place)})


@verb("bundle.explain", BUNDLE, MINE)
def explain(talk: Talk, path: Path, keyfile: Path | None) -> None:
    from casemate.wiring.bundles import look, outside_of

    found = outside_of(path)
    data = outside(found)
    talk.marked(found.face.banner)
    lines = list(told(data))
    lines.append(t("bundle.signed" if found.stands() else "bundle.unsigned"))
    data["stands"] = found.stands()
    inside = None
    if keyfile is not None:
        opened = look(path, keepers(keyfile))
        inside = opened.facts.inside
        data["opens"] = inside is not None
        whole = opened.facts.frames == found.face.frames
        lines.append(t("bundle.whole" if whole else "bundle.broken"))
        if inside is None:
            lines.append(t("bundle.closed", why=opened.why or t("bundle.not_ours")))
    else:
        lines.append(t("bundle.keyless"))
    if inside is not None:
        data["inside"] = _inside(inside)
        lines += _said(data["inside"])
    talk.data(data, data.get("inside", {}).get("label", ""), found.face.banner)
    for line in lines:
        talk.out(line)


@verb(
    "bundle.list",
    click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path)),
)
def listing(talk: Talk, paths: tuple[Path, ...]) -> None:
    from casemate.wiring.bundles import outside_of

    rows: list[dict[str, Any]] = []
    unread: list[str] = []
    for path in paths:
        for each in sorted(path.glob("*.cmb")) if path.is_dir() else [path]:
            try:
                rows.append({"file": str(each), **outside(outside_of(each))})
            except Damaged:
                unread.append(str(each))
    rows.sort(key=_place)
    talk.data({"bundles": rows, "unread": unread}, "", " · ".join(sorted({row["banner"] for row in rows})))
    for line in columns([_row(row) for row in rows]):
        talk.out(line)
    for name in unread:
        talk.say("bundle.unread", file=name)
    if unread and not rows:
        raise failed(Damaged(what=unread[0]))


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["channel"], row["sequence"]


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    signed = sum(each["role"] == "signer" for each in row["signatures"])
    approved = len(row["signatures"]) - signed
    count = t("bundle.count", signed=signed, approved=approved)
    return Path(row["file"]).name, row["channel"][:8], str(row["sequence"]), row["expires"][:10], count, row["banner"]


def _end(talk: Talk, verdict: Verdict, banner: str, why: str, more: dict[str, Any] | None = None) -> None:
    """One verdict, in words, and the exit that is its own."""
    gap = list(verdict.gap) if verdict.gap is not None else None
    data = {"verdict": verdict.state, "rule": verdict.rule, "alarms": list(verdict.alarms), "gap": gap}
    talk.data({**data, "why": why, **(more or {})}, "", banner)
    talk.marked(banner)
    first, last = verdict.gap or (0, 0)
    talk.out(f"{t(f'bundle.state.{verdict.state}')}  {verdict.rule}")
    talk.out(t(f"bundle.rule.{verdict.rule}", first=first, last=last))
    for alarm in verdict.alarms:
        talk.say(f"bundle.alarm.{alarm}")
    talk.end()
    raise SystemExit(EXITS[verdict.state])


def _inside(inside: Inside) -> dict[str, Any]:
    release = inside.envelope.release
    objects = [
        {
            "name": pointed.name,
            "digest": pointed.digest,
            "label": stated.label,
            "kind": manifest.kind,
            "files": len(manifest.files),
            "size": sum(each.size for each in manifest.files),
            "guards": [{"guard": each.guard, "verdict": each.verdict} for each in stated.guards],
        }
        for pointed, stated in zip(inside.index, release.objects, strict=False)
        if (manifest := inside.manifests.get(pointed.digest)) is not None
    ]
    return {
        "source": release.source,
        "destination": release.destination,
        "label": release.label,
        "issued": iso(release.issued),
        "previous": release.previous,
        "digest": inside.envelope.digest,
        "approvals": [{"by": each.by, "reference": each.reference} for each in release.approvals],
        "signed": [key for key, _ in inside.envelope.signatures],
        "objects": objects,
    }


def _said(data: dict[str, Any]) -> list[str]:
    lines = [t("bundle.way", source=data["source"], destination=data["destination"], issued=data["issued"][:10])]
    lines.append(t("bundle.holds", count=len(data["objects"])))
    rows = [(each["name"], str(each["files"]), str(each["size"]), each["label"] or "?") for each in data["objects"]]
    return [*lines, *columns(rows)]
