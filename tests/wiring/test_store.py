"""How a region's settings become a store: passwords from keys/ alone, and in no text that anybody sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.errors import Damaged, Misconfigured
from casemate.settings import parse
from casemate.wiring import Folder
from casemate.wiring.store import target_of, there

TOLD = '[store]\nkind = "postgresql"\nhost = "db.example"\n'


def folder(tmp_path: Path) -> Folder:
    (tmp_path / "keys").mkdir()
    return Folder(tmp_path)


def test_passwords_are_read_at_each_connection_and_shown_by_nothing(tmp_path: Path) -> None:
    home = folder(tmp_path)
    told = parse(TOLD + 'key_file = "db"\nreader_key_file = "db.reader"\n').store
    target = target_of(home, told)
    for name, password in (("db", "hunter2"), ("db.reader", "hunter3")):
        (home.keys / name).write_text(password + "\n")
        (home.keys / name).chmod(0o600)
    assert target.password() == "hunter2"
    assert target.reader_password() == "hunter3"
    assert "hunter" not in repr(target)
    (home.keys / "db").write_text("changed\n")
    assert target.password() == "changed"


def test_the_reader_uses_the_writers_file_where_it_has_none(tmp_path: Path) -> None:
    home = folder(tmp_path)
    (home.keys / "db").write_text("hunter2")
    (home.keys / "db").chmod(0o600)
    target = target_of(home, parse(TOLD + 'key_file = "db"\n').store)
    assert target.reader_password() == "hunter2"
    assert target_of(home, parse(TOLD).store).password() == ""


def test_a_password_that_others_may_read_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    home = folder(tmp_path)
    target = target_of(home, parse(TOLD + 'key_file = "db"\n').store)
    with pytest.raises(Misconfigured):
        target.password()
    (home.keys / "db").write_text("hunter2")
    (home.keys / "db").chmod(0o640)
    with pytest.raises(Misconfigured) as caught:
        target.password()
    assert "hunter2" not in str(caught.value)


def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        target_of(folder(tmp_path), parse(TOLD + 'ca_file = "ca.pem"\n').store)
    assert caught.value.facts["setting"] == "store.ca_file"


def test_only_a_file_can_be_missing_from_the_folder(tmp_path: Path) -> None:
    home = folder(tmp_path)
    there(home, parse(TOLD))
    with pytest.raises(Damaged):
        there(home, parse(""))


def test_what_libpq_is_told_says_every_part_and_quotes_it(tmp_path: Path) -> None:
    target = target_of(folder(tmp_path), parse(TOLD + 'dbname = "a b\'c"\n').store)
    text = target.text("casemate", "p'w d").decode()
    assert "sslmode=verify-full" in text
    assert "dbname='a b\\'c'" in text
    assert "password='p\\'w d'" in text
