"""`casemate store migrate`: a stopped region's records moved to another engine, or its schema brought up to date."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from casemate.cli.bar import bar
from casemate.cli.command import option, verb
from casemate.cli.failure import failed
from casemate.cli.store_check import told_sums
from casemate.cli.table import columns
from casemate.cli.talk import Talk
from casemate.cli.tongue import t
from casemate.errors import BadInput

if TYPE_CHECKING:
    from casemate.settings import StoreSettings

__all__ = ["migrate"]


@verb(
    "store.migrate",
    option("--to", "url", metavar="URL", default=""),
    option("--dry-run", "dry", is_flag=True),
    option("--reader", metavar="ROLE", default=""),
    option("--key-file", "keyfile", metavar="NAME", default=""),
    option("--reader-key-file", "reader_keyfile", metavar="NAME", default=""),
    option("--ca-file", metavar="NAME", default=""),
    option("--sslmode", metavar="MODE", default=""),
)
def migrate(talk: Talk, url: str, dry: bool, **told: str) -> None:
    from casemate.wiring import moving

    home = talk.region()
    to = _target(url, told) if url else None
    if to is None and not dry:
        raise failed(BadInput(what=t("store.to_or_dry")))
    if to is None or dry:
        steps, counts = asyncio.run(moving.missing(home, to))
        _tell_steps(talk, steps, counts)
        return
    rows = asyncio.run(moving.missing(home, to))[1]
    total = sum(rows.values())
    with bar(talk, "store.carrying", 3 * total) as tell:
        passed = {"carried": 0, "first": 0}

        def moved(what: str, done: int) -> None:
            if what == "carried":
                passed["carried"] = done
            tell(passed["carried"] + (0 if what == "carried" else done))

        done = asyncio.run(moving.move(home, to, moved))
    talk.data({"kind": done.kind, "left": done.left, "tables": told_sums(done.sums)})
    for line in columns([(each.table, str(each.count), each.digest) for each in done.sums]):
        talk.out(line)
    talk.say("store.equal")
    talk.say("store.switched", kind=done.kind, left=done.left)


def _tell_steps(talk: Talk, steps: list[Any], counts: dict[str, int]) -> None:
    talk.data(
        {
            "steps": [{"number": each.number, "sql": each.sql, "changes": each.changes} for each in steps],
            "rows": counts,
        }
    )
    for each in steps:
        talk.out(f"-- {each.number}")
        talk.out(each.sql.strip())
        for change in each.changes:
            talk.out(f"--   {change}")
    talk.say("store.steps" if steps else "store.no_steps", count=len(steps))
    for line in columns([(name, str(count)) for name, count in counts.items()]):
        talk.out(line)


def _target(url: str, told: dict[str, str]) -> StoreSettings:
    """The store that a URL names. Raises Failed where it cannot be, and where a password stands in it: never shown."""
    import msgspec

    from casemate.settings import StoreSettings

    if url == "sqlite":
        return StoreSettings()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise failed(BadInput(what=t("store.url"))) from None
    if parts.password is not None:
        raise failed(BadInput(what=t("store.password")))
    if parts.scheme not in ("postgresql", "postgres") or parts.query or parts.fragment:
        raise failed(BadInput(what=t("store.url")))
    host = unquote(
        parts.netloc.rpartition("@")[2].partition(":")[0] if "[" not in parts.netloc else parts.hostname or ""
    )
    given: dict[str, Any] = {"kind": "postgresql", "host": host, "dbname": unquote(parts.path.strip("/"))}
    given |= {"port": port, "user": unquote(parts.username or "")}
    given |= {name.replace("keyfile", "key_file"): value for name, value in told.items()}
    try:
        return msgspec.convert({name: value for name, value in given.items() if value}, StoreSettings)
    except msgspec.ValidationError as error:
        raise failed(BadInput(what=str(error))) from None
