"""Both readers of volumes over the same files: what is whole for one is whole, byte for byte, for the other."""

from __future__ import annotations

import io
import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from casemate.crypto import KeySigner, generate
from casemate.crypto.locked import Work, lock
from casemate.engines.volume_split import split
from casemate.errors import CasemateError
from casemate.transfer.volumes.volume import Carried, counted
from casemate_verify import app
from casemate_verify.faults import Unusable
from casemate_verify.field import coefficient, inverted, times
from casemate_verify.volumes import Set, read_volume
from tests.engines.volumes import joined, made
from tests.transfer.conformance.beside import SOURCE
from tests.transfer.conformance.forge import NOW, Bundle, opener_bytes, state_of

assert SOURCE.is_dir()


def second(files: list[Path]) -> bytes | None:
    """What the second reader makes of these; None where too few are whole."""
    found = [volume for volume in map(read_volume, files) if volume is not None]
    if not found:
        return None
    with Set(found) as held:
        return None if held.missing else io.BufferedReader(held).read()


def first(folder: Path, files: list[Path], output: Path) -> bytes | None:
    """What the first one makes of copies of them, in a folder of their own."""
    folder.mkdir()
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    try:
        size, _, _ = joined(output, folder)
    except CasemateError:
        return None
    return output.read_bytes() if size >= 0 else None


@pytest.mark.parametrize(("n", "parity", "size"), [(1, 0, 0), (3, 1, 5000), (5, 2, 70_000), (4, 3, 1)])
def test_every_subset_is_the_same_to_both(tmp_path: Path, n: int, parity: int, size: int) -> None:
    content, cut = made(tmp_path, n, parity, size=size)
    number = 0
    for count in range(1, n + 1):
        for some in itertools.combinations(cut.files, count):
            number += 1
            expected = content if count >= n - parity else None
            assert second(list(some)) == expected
            if number % 3 == 0:
                assert first(tmp_path / f"f{number}", list(some), tmp_path / f"o{number}") == expected


@pytest.mark.parametrize("seed", range(6))
def test_damage_is_the_same_to_both(tmp_path: Path, seed: int) -> None:
    """Bytes changed at places of the seed's own: both give the same bytes, or none."""
    content, cut = made(tmp_path, 4, 2, size=60_000, seed=seed)
    rng = random.Random(seed)
    for file in cut.files:
        raw = bytearray(file.read_bytes())
        for _ in range(rng.randrange(0, 3)):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        file.write_bytes(raw)
    one, other = first(tmp_path / "copy", list(cut.files), tmp_path / "joined"), second(list(cut.files))
    assert one == other
    assert one in (None, content)


def heads(raw: bytes, bend: Callable[[bytearray], None]) -> bytes:
    """Both heads of a volume changed in the same way, the digest at their end made anew where they still have one."""
    import hashlib

    size = int.from_bytes(raw[8:12], "little")
    head = bytearray(raw[: size - 64])
    bend(head)
    new = bytes(head) + hashlib.sha512(head).digest()
    return new + raw[size : -12 - size] + new + raw[-12:]


BENDS: dict[str, Callable[[bytearray], None]] = {
    "another number": lambda head: head.__setitem__(44, 2),
    "number 0": lambda head: head.__setitem__(44, 0),
    "more than there are": lambda head: head.__setitem__(44, 9),
    "K above N": lambda head: head.__setitem__(46, 9),
    "a frame of no power of two": lambda head: head.__setitem__(50, 1),
    "another set": lambda head: head.__setitem__(12, head[12] ^ 1),
    "another bundle": lambda head: head.__setitem__(28, head[28] ^ 1),
    "a longer banner": lambda head: head.__setitem__(70, 201),
    "a banner of two lines": lambda head: head.__setitem__(72, 10),
    "another root": lambda head: head.__setitem__(100, head[100] ^ 1),
    "another total": lambda head: head.__setitem__(62, head[62] ^ 1),
}


@pytest.mark.parametrize("bend", BENDS, ids=str)
def test_a_head_that_is_none_is_none_to_both(tmp_path: Path, bend: str) -> None:
    content, cut = made(tmp_path, 3, 1, size=3000)
    file = cut.files[0]
    file.write_bytes(heads(file.read_bytes(), BENDS[bend]))
    assert read_volume(file) is None
    assert second(list(cut.files)) == content
    assert first(tmp_path / "copy", list(cut.files), tmp_path / "joined") == content
    assert first(tmp_path / "one", [file], tmp_path / "never") is second([file]) is None


def test_two_sets_are_never_mixed_and_what_is_signed_says_by_whom(tmp_path: Path) -> None:
    _, one = made(tmp_path / "a", 3, 1)
    content, other = made(tmp_path / "b", 3, 1, seed=2, signer=KeySigner(generate("ed25519")))
    with pytest.raises(Unusable, match="several sets"):
        second([one.files[0], other.files[1]])
    assert second(list(other.files[1:])) == content
    volume = read_volume(other.files[0])
    assert volume is not None
    assert volume.head.signer.startswith("ed25519-")


def test_parity_that_was_made_for_something_else_is_not_believed(tmp_path: Path) -> None:
    """Each volume is whole by itself, and they do not belong together: what would be summed up has another root."""
    import hashlib
    import struct

    _, cut = made(tmp_path, 3, 1, size=3000)
    raws = [bytearray(file.read_bytes()) for file in cut.files]
    size = int.from_bytes(raws[0][8:12], "little")
    wide = int.from_bytes(raws[0][70:72], "little")
    frames = struct.unpack_from("<Q", raws[0], 54)[0]
    body = size + 64 * frames
    raws[2][body] ^= 1
    frame = int.from_bytes(raws[0][50:54], "little")
    raws[2][size : size + 64] = hashlib.sha512(raws[2][body : body + frame]).digest()
    pages = hashlib.sha512(raws[2][size:body]).digest()
    root = hashlib.sha512(b"casemate bundle root v1\n" + pages).digest()
    for place, raw in enumerate(raws):
        at = 72 + wide
        raw[at + 128 : at + 192] = root
        if place == 2:
            raw[at + 192 : at + 256] = pages
        said = raw[28:44] + raw[46:72] + raw[72 : at + 192]
        raw[12:28] = hashlib.sha512(b"casemate bundle set v1\n" + said).digest()[:16]
        raw[size - 64 : size] = hashlib.sha512(raw[: size - 64]).digest()
        raw[-12 - size : -12] = raw[:size]
        cut.files[place].write_bytes(raw)
    with pytest.raises(Unusable, match="do not belong together"):
        second([cut.files[0], cut.files[2]])
    assert first(tmp_path / "copy", [cut.files[0], cut.files[2]], tmp_path / "joined") is None


def test_every_square_part_of_the_field_is_inverted() -> None:
    for rows, columns in (((0,), (3,)), ((0, 1), (2, 5)), ((1, 2, 4), (0, 7, 9))):
        found = inverted(rows, columns)
        for i, row in enumerate(rows):
            for j in range(len(rows)):
                total = 0
                for k, column in enumerate(columns):
                    total ^= times(coefficient(row, column), found[k][j])
                assert total == int(i == j)


@pytest.fixture
def carried(tmp_path: Path) -> Path:
    """A bundle cut into three volumes of which one may be lost, a state, and a key that is locked."""
    bundle = Bundle()
    (tmp_path / "1.cmb").write_bytes(bundle.make())
    (tmp_path / "discs").mkdir()
    size = (tmp_path / "1.cmb").stat().st_size
    split(tmp_path / "1.cmb", tmp_path / "discs", counted(size, 3, 1), Carried(bundle.id, "SECRET"))
    (tmp_path / "state").write_bytes(state_of())
    (tmp_path / "bare.key").write_bytes(opener_bytes())
    (tmp_path / "locked.key").write_bytes(lock(opener_bytes(), "öffne dich", Work(1, 10, 1)))
    return tmp_path


def words(files: Path, *more: str) -> list[str]:
    return [str(files / "discs"), "--state", str(files / "state"), "--now", str(NOW), *more]


def test_the_command_judges_a_bundle_in_volumes(carried: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(words(carried, "--key", str(carried / "bare.key"))) == 0
    assert capsys.readouterr().out == "accept: accepted\n"
    discs = sorted((carried / "discs").iterdir())
    discs[0].unlink()
    assert app.main(words(carried, "--key", str(carried / "bare.key"))) == 0
    assert app.main([str(carried / "discs")]) == 0
    told = capsys.readouterr().out
    assert "2 of 3 volumes, any 2 suffice" in told
    assert "not here: 1" in told
    raw = bytearray(discs[1].read_bytes())
    raw[len(raw) // 2] ^= 1
    discs[1].write_bytes(raw)
    assert app.main(words(carried)) == 7
    assert "1 more needed" in capsys.readouterr().out
    assert app.main([str(carried / "discs"), "--json"]) == 7
    said = json.loads(capsys.readouterr().out)
    assert (said["missing"], said["here"], list(said["damaged"])) == (1, [2, 3], ["2"])
    discs[1].write_bytes(b"CMVOL\x00\x00\x01" + bytes(100))
    discs[2].unlink()
    assert app.main([str(carried / "discs")]) == 12
    with pytest.raises(SystemExit) as ended:
        app.main([str(carried / "1.cmb")])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [("öffne dich", 0, ""), ("o\u0308ffne dich", 0, ""), ("wrong", 12, "passphrase"), ("", 12, "passphrase")],
)
def test_a_locked_key_is_opened_by_a_passphrase_that_is_asked_for(
    carried: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], said: str, code: int, why: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{said}\n"))
    assert app.main(words(carried, "--key", str(carried / "locked.key"))) == code
    assert why in capsys.readouterr().err


LOCKED = b"casemate locked key v2\n"


@pytest.mark.parametrize(
    "raw",
    [
        LOCKED,
        LOCKED + bytes([1, 10, 1]) + bytes(16) + b"\x02" + bytes(40),
        LOCKED + bytes([0, 10, 1]) + bytes(16) + b"\x01" + bytes(40),
        LOCKED + bytes([1, 31, 1]) + bytes(16) + b"\x01" + bytes(40),
        b"casemate locked key v1\n" + bytes([30]) + bytes(16) + b"\x01" + bytes(40),
        b"casemate locked key v1\n" + bytes([14]) + bytes(16) + b"\x01" + bytes(40),
    ],
)
def test_a_locked_key_of_another_form_or_of_too_much_work_is_none(
    carried: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raw: bytes
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))
    (carried / "odd.key").write_bytes(raw)
    assert app.main(words(carried, "--key", str(carried / "odd.key"))) == 12
    assert "key" in capsys.readouterr().err


def test_nothing_is_a_volume_that_is_only_called_one(tmp_path: Path) -> None:
    for raw in (b"", b"CMVOL", bytes(5000), b"CMVOL\x00\x00\x01" + b"\xff" * 5000):
        (tmp_path / "x.cmv").write_bytes(raw)
        assert read_volume(tmp_path / "x.cmv") is None
