"""Signed packs: what a publisher signed is applied, all of it or nothing; compiled packs are taken by digest."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemate_cyber.rules import read
from casemate_cyber.rules.signed import _held
from casemate_cyber.watch import pack_of

EXERCISE = Path(__file__).parents[1] / "exercise" / "rules"
# RFC 8032, section 7.1, tests 1 to 3: secret, public, message, signature
RFC = (
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the curve's base: what is as large or larger is no second half of a signature (section 5.1.7)."""
SECRET, PUBLIC = (bytes.fromhex(part) for part in RFC[1][:2])


def signed(message: bytes) -> bytes:
    """With the key of the standard's second test."""
    return Ed25519PrivateKey.from_private_bytes(SECRET).sign(message)


def published(folder: Path, **more: Any) -> Path:
    """The exercise's rules as a signed pack; `more` changes the manifest."""
    folder.mkdir()
    rules = {}
    for path in sorted(EXERCISE.glob("*.yml")):
        (folder / path.name).write_bytes(path.read_bytes())
        rules[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    said = {"form": 1, "name": "lantern", "version": "2026.11.1", "publisher": "Exercise", "rules": rules, **more}
    (folder / "pack.json").write_text(json.dumps(said))
    (folder / "pack.sig").write_bytes(signed((folder / "pack.json").read_bytes()))
    return folder


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC)
def test_signatures_of_the_standard(secret: str, public: str, message: str, signature: str) -> None:
    del secret
    said, sign = bytes.fromhex(message), bytes.fromhex(signature)
    _held(said, sign, public)
    _held(said, signature.encode() + b"\n", public.upper())
    low = int.from_bytes(sign[32:], "little") + ORDER
    wrong = [sign[:at] + bytes([sign[at] ^ 1]) + sign[at + 1 :] for at in (0, 31, 32, 63)]
    for other in (*wrong, sign[:32] + low.to_bytes(32, "little"), sign[:63], b"\xff" * 64, bytes(64)):
        with pytest.raises(ValueError, match=r"pack\.sig"):
            _held(said, other, public)
    for key in (bytes.fromhex(public)[::-1].hex(), public[2:], "ff" * 32, "01" + "00" * 30 + "80", ""):
        with pytest.raises(ValueError, match=r"pack\.sig"):
            _held(said, sign, key)
    with pytest.raises(ValueError, match="no signature"):
        _held(said + b"\0", sign, public)


def test_a_signed_pack_is_applied_and_says_whose_it_is(tmp_path: Path) -> None:
    folder = published(tmp_path / "pack")
    pack, said = pack_of([folder], False, PUBLIC.hex().upper())
    assert said is not None
    assert (said.name, said.version, said.publisher) == ("lantern", "2026.11.1", "Exercise")
    plain, nothing = pack_of([EXERCISE], False)
    assert nothing is None
    assert (pack.digest, pack.rules, pack.left) == (plain.digest, plain.rules, plain.left)
    (folder / "pack.sig").write_text(signed((folder / "pack.json").read_bytes()).hex() + "\n")
    archive = tmp_path / "pack.tar"
    with tarfile.open(archive, "w") as out:
        out.add(folder, "lantern-2026.11.1")
        out.addfile(tarfile.TarInfo("lantern-2026.11.1/readme.txt"), io.BytesIO())
    assert pack_of([archive], False, PUBLIC.hex())[0].digest == plain.digest


@pytest.mark.parametrize(
    "wrong", ["changed", "missing", "beside", "unsigned", "other", "hex", "manifest", "none", "twice"]
)
def test_what_is_not_what_was_signed_is_refused(tmp_path: Path, wrong: str) -> None:
    folder, key = published(tmp_path / "pack"), PUBLIC.hex()
    first = min(folder.glob("*.yml"))
    match wrong:
        case "changed":
            first.write_text(first.read_text().replace("level: ", "level:  "))
        case "missing":
            first.unlink()
        case "beside":
            (folder / "more.yml").write_text(first.read_text())
        case "unsigned":
            (folder / "pack.sig").unlink()
        case "other":
            key = RFC[0][1]
        case "hex":
            key = "not hex"
        case "manifest":
            (folder / "pack.json").write_text((folder / "pack.json").read_text().replace("2026", "2027"))
        case "none":
            (folder / "pack.json").unlink()
        case "twice":
            (folder / "more").mkdir()
            (folder / "more" / "pack.json").write_bytes((folder / "pack.json").read_bytes())
    with pytest.raises(ValueError, match=r"pack\.(json|sig)"):
        pack_of([folder], False, key)


@pytest.mark.parametrize("more", [{"form": 2}, {"name": "../x"}, {"version": ""}, {"rules": []}, {"odd": 1}])
def test_a_manifest_that_is_none_is_refused_though_it_is_signed(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"pack\.json"):
        pack_of([published(tmp_path / "pack", **more)], False, PUBLIC.hex())


def test_rules_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier run's pack is taken by digest: of the same rules, versions and choice, and of nothing else."""
    pack, _ = pack_of([EXERCISE], False)
    before, other = tmp_path / "before", tmp_path / "other"
    before.write_bytes(pack.encode())
    other.write_bytes(pack_of([EXERCISE], True)[0].encode())
    (tmp_path / "none").write_bytes(b"nothing")

    def never(*given: object) -> None:
        raise AssertionError("compiled again")

    with monkeypatch.context() as patched:
        patched.setattr(read, "compiled", never)
        assert pack_of([EXERCISE], False, before=[tmp_path / "none", other, before])[0] == pack
    assert pack_of([min(EXERCISE.glob("*.yml"))], False, before=[before])[0].digest != pack.digest
    with pytest.raises(ValueError, match="signed"):
        pack_of([published(tmp_path / "pack")], False, PUBLIC.hex(), [before])
    with pytest.raises(ValueError, match="signed"):
        pack_of([before], False, PUBLIC.hex())
