"""Saved proofs and tallies are checked by a key alone; questions come from lines or from a .toml."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import msgspec
import pytest

from casemate.assistants import Proof, Tally
from casemate.assistants.tally import Compared, signed
from casemate.assistants.told import Told
from casemate.crypto import KeySigner, generate, public_of
from casemate.errors import BadInput
from casemate.exercise import questions
from casemate.models import Usage
from casemate.wiring import Folder, checked, questions_of

SIGNER = KeySigner(generate())
WORLD = Compared("ann", "low", "low", 1, 2, 3, equal=4, unequal=0, settled=True, first="a", second="a")


def tally(**more: object) -> Tally:
    made = Tally(
        region="Port", software="1", by="ada", at=5, questions=4, asked="x", worlds=(WORLD,), solo=True, key_id=""
    )
    return signed(msgspec.structs.replace(made, **more), SIGNER)


def proof() -> Proof:
    made = Proof(
        question="q",
        principal="ann",
        floor="low",
        acting="low",
        at=5,
        region="Port",
        classes=1,
        documents=2,
        passages=3,
        first="a",
        second="b",
        equal=False,
        compared="body",
        answer=Told("t", (), "stop", Usage()),
        solo=False,
        key_id=SIGNER.key_id,
    )
    return msgspec.structs.replace(made, signature=SIGNER.sign(made.body()).hex())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(tmp_path / "region")
    found.keys.mkdir(parents=True)
    return found


def saved(tmp_path: Path, told: object) -> Path:
    file = tmp_path / "saved.json"
    file.write_bytes(msgspec.json.encode(told))
    return file


def test_a_tally_by_the_key_given(tmp_path: Path, folder: Folder) -> None:
    file = saved(tmp_path, {"tally": tally(), "salt": "00", "good": True})
    found = checked(file, folder, SIGNER.public.hex())
    assert (found.kind, found.region, found.at, found.stands, found.good) == ("tally", "Port", 5, True, True)
    assert not checked(file, folder, bytes(32).hex()).stands


def test_a_proof_by_the_folders_own_key(tmp_path: Path, folder: Folder) -> None:
    private = generate()
    (folder.keys / "ledger.pub").write_bytes(public_of(private))
    (folder.keys / "ledger.pub").chmod(0o600)
    file = saved(tmp_path, {"data": proof(), "label": "low"})
    assert not checked(file, folder, "").stands
    found = checked(file, folder, SIGNER.public.hex())
    assert (found.kind, found.stands, found.good) == ("proof", True, False)


def test_what_was_changed_afterwards_does_not_stand(tmp_path: Path, folder: Folder) -> None:
    public = SIGNER.public.hex()
    better = msgspec.structs.replace(tally(worlds=(msgspec.structs.replace(WORLD, unequal=1),)), worlds=(WORLD,))
    assert not checked(saved(tmp_path, better), folder, public).stands
    assert (
        not checked(saved(tmp_path, tally(at=6)), folder, public).good
        < checked(saved(tmp_path, tally(at=6)), folder, public).stands
    )


def test_a_tally_is_good_only_where_something_was_compared_and_all_was_equal() -> None:
    replace = msgspec.structs.replace
    assert tally().good
    assert not tally(worlds=()).good
    assert not tally(worlds=(WORLD, replace(WORLD, unequal=1))).good
    assert not tally(worlds=(replace(WORLD, equal=0, settled=False),)).good


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{}", b'{"data": 3}', b'{"tally": []}', b"\xff", b"[" * 100_000])
def test_what_is_no_proof(tmp_path: Path, folder: Folder, raw: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(raw)
    with pytest.raises(BadInput, match="no saved proof"):
        checked(file, folder, SIGNER.public.hex())


@pytest.mark.parametrize("public", ["", "xy"])
def test_without_a_key_nothing_is_said(tmp_path: Path, folder: Folder, public: str) -> None:
    with pytest.raises(BadInput, match="public key"):
        checked(saved(tmp_path, tally()), folder, public)


def test_questions_of_a_file(tmp_path: Path) -> None:
    lines = tmp_path / "asked.txt"
    lines.write_text("When?\n\n  Où ?  \n", encoding="utf-8")
    assert questions_of(lines) == ["When?", "Où ?"]
    exercise = Path(str(resources.files("casemate.exercise") / "questions.toml"))
    assert questions_of(exercise) == [question.text for question in questions()]


@pytest.mark.parametrize("raw", [b"question = 3", b"[[question]]\nid = 1", b"x", b"question = [1]", b"\xff"])
def test_a_file_that_holds_no_questions(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "asked.toml"
    file.write_bytes(raw)
    with pytest.raises(BadInput, match="holds no questions"):
        questions_of(file)
    with pytest.raises(BadInput, match="holds no questions"):
        questions_of(tmp_path / "none.txt")
