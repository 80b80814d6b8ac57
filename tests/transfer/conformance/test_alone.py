"""The second reader stands alone: the standard library, cryptography, and its command, in a bare Python."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cryptography
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA87PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemate.cli.bundle_look import EXITS
from casemate_verify import app, jsontext, read_state
from casemate_verify.crypt import Opener, pem_key
from casemate_verify.faults import Unusable
from casemate_verify.shape import text
from tests.transfer.conformance.beside import SOURCE
from tests.transfer.conformance.forge import NOW, Bundle, js, opener_bytes, state_of

BARE = """
import sys
sys.path[:0] = sys.argv[1:3]
sys.argv[1:3] = []
from casemate_verify.app import main
code = main()
strangers = {name.split(".")[0] for name in sys.modules} & {"casemate", "json", "msgspec", "tuf", "securesystemslib"}
assert not strangers, strangers
raise SystemExit(code)
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "1.cmb").write_bytes(Bundle().make())
    (tmp_path / "4.cmb").write_bytes(Bundle(sequence=4).make())
    (tmp_path / "state").write_bytes(state_of())
    (tmp_path / "region.key").write_bytes(opener_bytes())
    (tmp_path / "guards").write_bytes(b"{}")
    return tmp_path


def words(files: Path, name: str = "1.cmb", *more: str) -> list[str]:
    return [str(files / name), "--state", str(files / "state"), "--now", str(NOW), *more]


def test_it_runs_in_a_bare_python(files: Path, tmp_path: Path) -> None:
    """Isolated, without site: what it can import is its own source, cryptography and what that is bound with."""
    bare = tmp_path / "bare"
    bare.mkdir()
    packages = Path(cryptography.__file__).parents[1]
    for name in ("cryptography", *(file.name for file in packages.glob("_cffi_backend*"))):
        (bare / name).symlink_to(packages / name)
    line = [sys.executable, "-I", "-S", "-c", BARE, str(SOURCE), str(bare)]
    key = ("--key", str(files / "region.key"), "--json")
    done = subprocess.run([*line, *words(files, "1.cmb", *key)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"alarms": [], "rule": "accepted", "verdict": "accept", "why": ""}


def test_it_imports_nothing_else() -> None:
    imported: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    rooms = {name.split(".")[0] for name in imported} - {"__future__"}
    assert rooms - sys.stdlib_module_names == {"casemate_verify", "cryptography"}
    assert not rooms & {"json", "pickle", "tarfile", "subprocess", "socket", "urllib", "http"}


def test_the_command_tells_its_verdict(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = ("--key", str(files / "region.key"), "--guards", str(files / "guards"))
    assert app.main(words(files, "1.cmb", *key)) == 0
    assert capsys.readouterr().out == "accept: accepted\n"
    assert app.main(words(files)) == 10
    assert capsys.readouterr().out == "hold: sealed (no key was given that opens it)\n"
    assert app.main(words(files, "4.cmb")) == 10
    assert capsys.readouterr().out == "hold: gap\nmissing: 1 to 3\n"
    assert app.main(words(files, "4.cmb", "--json")) == 10
    assert json.loads(capsys.readouterr().out)["gap"] == [1, 3]
    assert app.main(words(files, "state")) == 3
    assert capsys.readouterr().out == "refuse: bounds (shorter than the area)\n"
    (files / "state").write_bytes(state_of(attested=NOW + 1))
    assert app.main(words(files, "1.cmb", *key)) == 0
    assert capsys.readouterr().out == "accept: accepted\nalarm: clock-behind\n"
    (files / "state").write_bytes(state_of(banner="OTHER"))
    assert app.main(words(files, "1.cmb", *key)) == 16


def test_both_commands_end_with_the_same_codes() -> None:
    assert app.EXITS == EXITS


def test_the_clock_is_read_where_no_time_is_said(files: Path) -> None:
    (files / "state").write_bytes(state_of(bundle=Bundle().id.hex()))
    assert app.main([str(files / "1.cmb"), "--state", str(files / "state")]) == 3


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("state", b"{}", "no state of a channel"),
        ("state", b"x" * 100, "no state of a channel"),
        ("guards", b"[]", "no verdicts of guards"),
        ("guards", js({"sha512:" + "0" * 128: {}}), "no verdicts of guards"),
        ("region.key", b"x" * 63, "no private key"),
        ("region.key", b"\xff" * 112, "no private key"),
        ("region.key", b"x" * 5000, "larger than"),
    ],
)
def test_a_file_that_is_none_is_told_and_judges_nothing(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, why: str
) -> None:
    (files / name).write_bytes(content)
    more = ("--guards", str(files / "guards"), "--key", str(files / "region.key"))
    assert app.main(words(files, "1.cmb", *more)) == 12
    told = capsys.readouterr()
    assert told.out == ""
    assert why in told.err


def test_a_file_that_is_not_there_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(words(files, "9.cmb")) == 12
    assert "9.cmb: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "other",
    [
        {"format": "casemate channel state v2"},
        {"guard": "none"},
        {"pending": [2, 1]},
        {"pending": [1, 1]},
        {"channel": "00"},
        {"label": "us:NOTHING"},
        {"floor": "x"},
        {"ceiling": "x"},
        {"labels": {"x": "bottom"}},
        {"labels": {"sha512:" + "0" * 128: "x"}},
        {"root": "x"},
        {"sequence": -1},
        {"sequence": True},
        {"skip": 2**53},
        {"versions": {}},
        {"revoked": [7]},
        {"bundle": "0"},
        {"previous": "0"},
        {"window": "1"},
        {"more": 1},
        {"lattice": []},
        {"lattice": {"us": {"levels": [], "permissive": [], "restrictive": []}}},
        {"lattice": {"us": {"levels": ["A", "A"], "permissive": [], "restrictive": []}}},
        {"lattice": {"us": {"levels": ["A"], "permissive": ["B"], "restrictive": ["B"]}}},
    ],
)
def test_a_state_of_another_form_is_unusable(other: dict[str, Any]) -> None:
    with pytest.raises(Unusable):
        read_state(state_of(**other))


GOOD_TEXTS = [
    b"null",
    b"true",
    b" [ 1 , -2 , [ ] , { } ] ",
    b'{"a":{"b":[false]},"":0}',
    rb'"\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\"',
    b"9007199254740991",
]
BAD_TEXTS = [
    b"",
    b" ",
    b"nul",
    b"truE",
    b"01",
    b"-",
    b"-0",
    b"1.0",
    b"1e1",
    b"1E1",
    b"+1",
    b"9007199254740992",
    b"-9007199254740992",
    b"[1,]",
    b"[,1]",
    b"[1 2]",
    b"[1",
    b"{",
    b'{"a"}',
    b'{"a":}',
    b'{"a":1,}',
    b'{"a":1 "b":2}',
    b'{"a":1,"a":2}',
    b'{"a":1,"\\u0061":2}',
    b"{a:1}",
    b"{1:1}",
    b'"',
    b'"\\',
    b'"\\x"',
    b'"\\u12"',
    b'"\\ud800"',
    b'"\\ud800x"',
    b'"\\ud800\\n"',
    b'"\\ud800\\ud800"',
    b'"\\udc00"',
    b'"\n"',
    b'"\x00"',
    b'"\xff"',
    b"\xef\xbb\xbf1",
    b"1 1",
    b"NaN",
    b"Infinity",
    b"'a'",
    b"[1}",
    b'{"a":1]',
    b"]",
    b"[" * 17 + b"]" * 17,
    b"[" * 100_000,
    b"[" + b"0," * 400_001 + b"0]",
    b"//1",
    b"\x0b1",
    "\u00a01".encode(),
]


@pytest.mark.parametrize("raw", GOOD_TEXTS)
def test_json_is_read_as_the_standard_library_reads_it(raw: bytes) -> None:
    assert jsontext.read(raw) == json.loads(raw)


@pytest.mark.parametrize("raw", BAD_TEXTS, ids=lambda raw: repr(raw[:20]))
def test_what_is_no_json_within_bounds_is_not_read(raw: bytes) -> None:
    with pytest.raises(ValueError):
        jsontext.read(raw)


def test_the_deepest_is_read() -> None:
    assert jsontext.read(b"[" * 16 + b"]" * 16) is not None


def test_canonical_json_is_rfc_8785s() -> None:
    """Its own example of sorting (section 3.2.3), and texts."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    assert list(jsontext.read(jsontext.canonical(value)).values()) == [2, 4, 6, 7, 1, 5, 3]
    assert jsontext.canonical({"a": [], "b": {}, "c": [1, None, True, "\u001f\u2028\\"]}) == (
        b'{"a":[],"b":{},"c":[1,null,true,"\\u001f\xe2\x80\xa8\\\\"]}'
    )


def test_a_key_of_another_kind_or_spelling_is_none() -> None:
    pem = (
        MLDSA87PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
    other = (
        MLDSA65PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
    assert len(pem_key(pem)) == 2592
    for bad in (
        other,
        pem + "\n",
        pem[:-1],
        pem.replace("\n", "\r\n"),
        pem.replace("PUBLIC", "PRIVATE"),
        "",
        "\n\n",
        pem.replace("M", "é", 1),
    ):
        with pytest.raises(ValueError):
            pem_key(bad)


def test_a_key_of_one_suite_opens_no_wrapped_key_of_the_other() -> None:
    with pytest.raises(ValueError):
        Opener(opener_bytes("cnsa2")).unwrap(b"\x01" + bytes(1713), bytes(16))


def test_a_text_is_a_text() -> None:
    with pytest.raises(ValueError):
        text(b"bytes")
