from __future__ import annotations

import threading
from pathlib import Path

import pytest

from casemate.crypto import KEY_SIZE, generate, public_of, verify
from casemate.engines.unsafe_sealer import UnsafeDevelopmentSealer, UnsafeDevelopmentSigner, kept_key
from casemate.errors import Damaged, Misconfigured
from casemate.ids import DerivedEntropy


def test_its_name_its_documentation_and_its_description_say_that_it_is_unsafe(tmp_path: Path) -> None:
    for kind in (UnsafeDevelopmentSealer, UnsafeDevelopmentSigner):
        assert "Unsafe" in kind.__name__
        assert "UNSAFE" in (kind.__doc__ or "")
        assert "UNSAFE" in kind(tmp_path).describe()


def test_the_master_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    sealed = UnsafeDevelopmentSealer(keys).seal("c", "p", b"content", b"")
    assert UnsafeDevelopmentSealer(keys).open("c", "p", sealed, b"") == b"content"
    (path,) = keys.iterdir()
    assert (path.name, path.stat().st_mode & 0o777, path.stat().st_size) == ("master.key", 0o600, KEY_SIZE)
    assert keys.stat().st_mode & 0o777 == 0o700


def test_another_folder_has_another_key(tmp_path: Path) -> None:
    sealed = UnsafeDevelopmentSealer(tmp_path / "a").seal("c", "p", b"content", b"")
    with pytest.raises(Damaged):
        UnsafeDevelopmentSealer(tmp_path / "b").open("c", "p", sealed, b"")


def test_a_key_that_others_may_open_is_refused(tmp_path: Path) -> None:
    UnsafeDevelopmentSealer(tmp_path)
    (tmp_path / "master.key").chmod(0o640)
    with pytest.raises(Misconfigured):
        UnsafeDevelopmentSealer(tmp_path)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_damaged(tmp_path: Path, size: int) -> None:
    (tmp_path / "master.key").write_bytes(bytes(size))
    (tmp_path / "master.key").chmod(0o600)
    with pytest.raises(Damaged):
        UnsafeDevelopmentSealer(tmp_path)


def test_those_who_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    start = threading.Barrier(8)

    def one(number: int) -> None:
        start.wait()
        found.append(kept_key(tmp_path / "keys" / "master.key", bytes([number]) * KEY_SIZE))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["master.key"]


def test_nonces_come_from_the_entropy_of_the_class(tmp_path: Path) -> None:
    one, other = (UnsafeDevelopmentSealer(tmp_path, DerivedEntropy(b"seed")) for _ in range(2))
    other.seal("hidden", "p", b"something", b"")
    assert one.seal("c", "p", b"content", b"") == other.seal("c", "p", b"content", b"")


def test_the_signing_key_is_kept_and_named(tmp_path: Path) -> None:
    first, again = UnsafeDevelopmentSigner(tmp_path), UnsafeDevelopmentSigner(tmp_path)
    assert first.public == again.public
    assert verify(again.public, b"data", first.sign(b"data"))
    assert UnsafeDevelopmentSigner(tmp_path, "other").key_id != first.key_id
    assert kept_key(tmp_path / "ledger.key", generate())
    assert public_of((tmp_path / "ledger.key").read_bytes()) == first.public
