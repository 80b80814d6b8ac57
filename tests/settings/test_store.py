from __future__ import annotations

import pytest

from casemate.errors import Misconfigured
from casemate.settings import StoreSettings, parse

SERVER = '[store]\nkind = "postgresql"\nhost = "{host}"\n'


def test_records_lie_in_a_file_unless_somebody_says_otherwise() -> None:
    assert parse("").store == StoreSettings()
    assert parse("").store.kind == "sqlite"


def test_a_server_is_named_and_proves_its_name() -> None:
    found = parse(SERVER.format(host="db.example")).store
    assert (found.sslmode, found.port, found.user, found.reader) == ("verify-full", 5432, "casemate", "casemate_reader")
    assert not found.near
    assert parse(SERVER.format(host="/run/postgresql")).store.near


@pytest.mark.parametrize(
    ("more", "setting"),
    [
        ('kind = "sqlite"\nhost = "h"', "store.kind"),
        ('kind = "postgresql"', "store.host"),
        ('kind = "postgresql"\nhost = "h"\nport = 0', "store.port"),
        ('kind = "postgresql"\nhost = "h"\ndbname = ""', "store.dbname"),
        ('kind = "postgresql"\nhost = "h"\nuser = "a\\u0000b"', "store.user"),
        ('kind = "postgresql"\nhost = "h"\nreader = "casemate"', "store.reader"),
        ('kind = "postgresql"\nhost = "db.example"\nsslmode = "disable"', "store.sslmode"),
        ('kind = "postgresql"\nhost = "db.example"\nsslmode = "require"', "store.sslmode"),
        ('kind = "postgresql"\nhost = "h"\nseconds = 0', "store.seconds"),
        ('kind = "postgresql"\nhost = "h"\npassword = "x"', "casemate.toml"),
    ],
)
def test_what_cannot_be_is_named(more: str, setting: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(f"[store]\n{more}\n")
    assert caught.value.facts["setting"] == setting


def test_a_server_on_this_machine_needs_no_tls() -> None:
    for host in ("127.0.0.1", "localhost", "/run/postgresql"):
        assert parse(SERVER.format(host=host) + 'sslmode = "disable"\n').store.near
