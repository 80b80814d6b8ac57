"""A rotation wraps keys again and touches nothing else; whoever is killed in it at any instant has lost nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casemate.crypto.locked import Work, is_locked
from casemate.engines.key_store import KeyStore
from casemate.engines.key_store_region import found_region_key, region_keys
from casemate.engines.key_store_rotate import relock, rotate
from casemate.errors import BadInput, Damaged, Destroyed

LEAST = Work(1, 10, 1)
CLASSES = ["", *(f"class_{n}" for n in range(12))]


def filled(keys: Path) -> dict[str, tuple[bytes, bytes]]:
    """A key for each class, with something sealed and something blinded under it."""
    one = KeyStore(keys, durable=False)
    return {each: (one.seal(each, "p", b"content", b""), one.blind(each, "f", "x")) for each in CLASSES}


def opens(keys: Path, before: dict[str, tuple[bytes, bytes]]) -> None:
    one = KeyStore(keys)
    for each, (sealed, blind) in before.items():
        assert one.open(each, "p", sealed, b"") == b"content"
        assert one.blind(each, "f", "x") == blind


def test_every_key_is_wrapped_again_and_opens_the_same(tmp_path: Path) -> None:
    before = filled(tmp_path)
    name, old = KeyStore(tmp_path).recipient, region_keys(tmp_path)
    assert rotate(tmp_path, "") == len(CLASSES)
    opens(tmp_path, before)
    assert KeyStore(tmp_path).recipient != name
    assert not (tmp_path / "region.next").exists()
    with pytest.raises(Damaged):
        KeyStore(tmp_path, opened=old).open("class_0", "p", before["class_0"][0], b"")


def test_a_rotation_changes_the_suite_where_it_is_told_to(tmp_path: Path) -> None:
    before = filled(tmp_path)
    rotate(tmp_path, "", "cnsa2")
    assert KeyStore(tmp_path).recipient.startswith("cnsa2-")
    opens(tmp_path, before)
    rotate(tmp_path, "")
    assert KeyStore(tmp_path).recipient.startswith("cnsa2-")


def test_a_destroyed_key_stays_destroyed(tmp_path: Path) -> None:
    before = filled(tmp_path)
    KeyStore(tmp_path).destroy("class_3")
    assert rotate(tmp_path, "") == len(CLASSES) - 1
    with pytest.raises(Destroyed):
        KeyStore(tmp_path).open("class_3", "p", before.pop("class_3")[0], b"")
    opens(tmp_path, before)


def test_a_locked_key_is_followed_by_a_locked_one(tmp_path: Path) -> None:
    private = found_region_key(tmp_path, "word", work=LEAST)
    sealed = KeyStore(tmp_path, opened=(private,)).seal("a", "p", b"content", b"")
    with pytest.raises(BadInput):
        rotate(tmp_path, "sword", work=LEAST)
    assert rotate(tmp_path, "word", work=LEAST) == 1
    assert is_locked((tmp_path / "region.key").read_bytes())
    opened = region_keys(tmp_path, lambda: "word")
    assert opened != (private,)
    assert KeyStore(tmp_path, opened=opened).open("a", "p", sealed, b"") == b"content"


def test_another_passphrase_is_the_same_key(tmp_path: Path) -> None:
    before = filled(tmp_path)
    name = KeyStore(tmp_path).recipient
    relock(tmp_path, lambda: "", "word", LEAST)
    opened = region_keys(tmp_path, lambda: "word")
    assert KeyStore(tmp_path, opened=opened).recipient == name
    with pytest.raises(BadInput):
        relock(tmp_path, lambda: "sword", "", LEAST)
    relock(tmp_path, lambda: "word", "", LEAST)
    opens(tmp_path, before)


ROTATE = """
import sys
from pathlib import Path
from casemate.engines.key_store_rotate import rotate
print("go", flush=True)
while True:
    rotate(Path(sys.argv[1]), "")
"""


def test_killed_at_any_instant_it_has_lost_nothing(tmp_path: Path) -> None:
    before = filled(tmp_path)
    seed = random.SystemRandom().randrange(1 << 32)
    chance, rounds = random.Random(seed), 6
    print(f"{rounds} rounds, seed {seed}")
    for _ in range(rounds):
        child = subprocess.Popen([sys.executable, "-c", ROTATE, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        time.sleep(chance.uniform(0.0, 0.12))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        opens(tmp_path, before)
        one = KeyStore(tmp_path)
        one.seal("drawn_meanwhile", "p", b"", b"")
    rotate(tmp_path, "")
    opens(tmp_path, before)
    assert not (tmp_path / "region.next").exists()


@pytest.mark.parametrize("stop", range(1, 14))
def test_stopped_before_every_step_it_has_lost_nothing(
    tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every replacement of a file in turn is the one that never comes."""
    from casemate.engines import key_store_class

    before = filled(tmp_path)
    right, count = key_store_class.replace, [0]

    class Stopped(Exception):
        pass

    def counted(path: Path, data: bytes, durable: bool = True) -> None:
        count[0] += 1
        if count[0] == stop:
            raise Stopped
        right(path, data, False)

    monkeypatch.setattr(key_store_class, "replace", counted)
    with pytest.raises(Stopped):
        rotate(tmp_path, "")
    opens(tmp_path, before)
    monkeypatch.setattr(key_store_class, "replace", right)
    assert rotate(tmp_path, "") == len(CLASSES) - (stop - 1)
    opens(tmp_path, before)
