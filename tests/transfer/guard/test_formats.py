"""What crosses of each format and in which form; the two sides share nothing; outward is narrower than inward."""

from __future__ import annotations

import ast
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

from casemate.errors import BadInput, Refused
from casemate.transfer import guard
from casemate.transfer.guard import OUTWARD, RULES, Asked, format_of, judge, profile_of, read_schema
from casemate.transfer.guard.check import read
from casemate.transfer.guard.make import made as made_by
from casemate.transfer.guard.profile import INWARD
from casemate.transfer.guard.schema import Anything, Column, Columns, Date, Number, Text, Whole
from casemate.words import sentences
from tests.transfer.guard import samples

ROOM = Path(guard.__file__).parent


def canonical(format: Any, raw: bytes, schema: Any = None, direction: Any = "in") -> bytes:
    said, made = judge(raw, Asked(format, direction, schema))
    assert said.agrees, (said.rule, said.why)
    return made


def rule(format: Any, raw: bytes, schema: Any = None, direction: Any = "out") -> str:
    return judge(raw, Asked(format, direction, schema))[0].rule


@pytest.mark.parametrize(("format", "raw", "schema"), samples.VALID, ids=[row[0] for row in samples.VALID])
def test_what_is_well_built_crosses_in_one_form(format: Any, raw: bytes, schema: Any) -> None:
    made = canonical(format, raw, schema)
    said, again = judge(made, Asked(format, "in", schema))
    assert (said.agrees, said.changed, again) == (True, False, made)


@pytest.mark.parametrize(("format", "raw", "schema"), samples.VALID, ids=[row[0] for row in samples.VALID])
def test_no_byte_of_the_canonical_form_can_be_another_one_unseen(format: Any, raw: bytes, schema: Any) -> None:
    """The verifier alone, on canonical bytes with one bit changed: refused, or read as exactly what it then says."""
    made = canonical(format, raw, schema)
    for at in range(0, len(made), max(1, len(made) // 150)):
        changed = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
        again = _read(format, changed, schema)
        assert again in RULES or isinstance(again, bytes)
        assert format != "png" or again != changed


def _read(format: str, raw: bytes, schema: Any) -> bytes | str:
    """What the verifier alone reads, or the rule by which it does not."""
    try:
        return read(format, raw, INWARD, schema)
    except Refused as error:
        return str(error.facts["rule"])


def _imports(folder: str) -> tuple[set[str], set[str]]:
    """The modules of the standard library and of the house that a side imports."""
    outside, house = set(), set()
    for file in (ROOM / folder).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [each.name for each in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for name in names:
                (house if name.startswith("casemate") else outside).add(name)
    return outside, house


def test_the_two_sides_share_no_parser() -> None:
    made, house_made = _imports("make")
    read, house_read = _imports("check")
    parsers = {"json", "csv", "zlib", "struct", "decimal", "datetime", "io", "msgspec", "numpy"}
    assert made & parsers
    assert not read & parsers
    assert not any(".guard.check" in name for name in house_made)
    assert not any(".guard.make" in name for name in house_read)
    assert house_made & house_read <= {
        f"casemate.transfer.guard.{name}" for name in ("profile", "schema", "tokenizer", "verdict")
    }


@pytest.mark.parametrize("colour", [0, 2, 4, 6])
def test_the_pixels_of_a_picture_cross_and_nothing_else(colour: int) -> None:
    raw, rows = samples.picture(random.Random(colour), 9, 11, colour)
    made = canonical("png", raw)
    assert made == canonical("png", samples.png(9, 11, colour, b"".join(b"\0" + row for row in rows)))
    assert b"".join(b"\0" + row for row in rows) in made
    assert made[24:26] == bytes([8, colour])


def test_other_depths_and_palettes_become_eight_bits() -> None:
    wide = samples.png(1, 2, 0, b"\0\x12\xff\0\x34\x00", depth=16)
    assert canonical("png", wide) == canonical("png", samples.png(1, 2, 0, b"\0\x12\0\x34"))
    bits = samples.png(3, 1, 0, b"\0\xa0", depth=1)
    assert canonical("png", bits) == canonical("png", samples.png(3, 1, 0, b"\0\xff\0\xff"))
    colours = samples.chunk(b"PLTE", b"abcdef")
    listed = samples.png(2, 1, 3, b"\0\x10", depth=4, before=colours)
    assert canonical("png", listed) == canonical("png", samples.png(2, 1, 2, b"\0defabc"))
    seen = samples.png(2, 1, 3, b"\0\x10", depth=4, before=colours + samples.chunk(b"tRNS", b"\x07"))
    assert canonical("png", seen) == canonical("png", samples.png(2, 1, 6, b"\0def\xffabc\x07"))


def test_a_picture_leaves_without_what_is_behind_it_and_without_its_lowest_bits() -> None:
    out = canonical("png", samples.png(2, 1, 6, b"\0\x13\x57\x9b\xff\x11\x22\x33\x00"), direction="out")
    assert out == canonical("png", samples.png(2, 1, 2, b"\0\x10\x54\x98\xfc\xfc\xfc"))
    for low in (samples.png(1, 1, 2, b"\0\1\1\1"), samples.png(1, 1, 4, b"\0\4\4")):
        with pytest.raises(Refused, match="guard-structure"):
            read("png", canonical("png", low), OUTWARD, None)


def test_text_inward_loses_what_nobody_sees() -> None:
    assert (
        canonical("text", "\ufeffa\u200b\u202eb\r\nc\u2028e\u0301\x07\td\u00a0e".encode())
        == "ab\nc\n\u00e9\td e".encode()
    )


@pytest.mark.parametrize(
    ("text", "held_by"),
    [
        ("a\u200bb", "hidden"),
        ("a\u202eb", "hidden"),
        ("p\u0430ypal", "letters"),
        ("\u65e5\u672c", "letters"),
        ("x\U0001f600", "letters"),
        ("\uff21", "letters"),
        ("a\u0336b", "letters"),
        ("\ufb01", "letters"),
        ("\u0660", "letters"),
        ("a" * (OUTWARD.size + 1), "size"),
    ],
)
def test_text_outward_is_words_or_stays(text: str, held_by: str) -> None:
    assert rule("text", text.encode()) == f"guard-{held_by}"


def test_text_outward_has_one_form() -> None:
    said = "  Le  prix : 5\u00a0€ — «\u00a0été\u00a0»  \n\n\n\nΑθήνα, Москва; naïve.\n\n"
    assert canonical("text", said.encode(), direction="out").decode() == (
        "Le prix : 5 € — « été »\n\nΑθήνα, Москва; naïve."
    )


@pytest.mark.parametrize("direction", ["in", "out"])
def test_tables(direction: str) -> None:
    table = canonical("csv", samples.CSV, samples.TABLE, direction)
    assert table == b'name,count,price,day,kind,seen\n"Ferry, small",7,1.5,2024-02-29,"b, c",true\nPier,,,,,\n'
    one = Columns((Column("a", Text(), empty=True),))
    assert canonical("csv", b'a\n""\nb\n', one, direction) == b'a\n""\nb\n'


@pytest.mark.parametrize(
    ("row", "held_by"),
    [
        (b"=1+1,,,,,", "formula"),
        (b"@x,,,,,", "formula"),
        (b"-x,,,,,", "formula"),
        (b'"\t=x",,,,,', "formula"),
        (b",,,,,", "schema"),
        (b"a,1.5,,,,", "schema"),
        (b"a,99999,,,,", "schema"),
        (b"a,,1e50,,,", "schema"),
        (b"a,,,2023-02-29,,", "schema"),
        (b"a,,,20230228,,", "schema"),
        (b"a,,,,c,", "schema"),
        (b"a,,,,,yes", "schema"),
        (b"a,,,,", "schema"),
        (b"a,,,,,,", "schema"),
        (b'a"b,,,,,\n"x', "structure"),
        (b'"a"b,,,,,', "structure"),
        (b"\xff,,,,,", "encoding"),
        (b"a,,1_0,,,", "schema"),
        (b"a,\xd9\xa1,,,,", "schema"),
        (b"a" * 81 + b",,,,,", "schema"),
    ],
)
def test_a_table_holds_what_its_schema_names(row: bytes, held_by: str) -> None:
    assert rule("csv", b"name,count,price,day,kind,seen\n" + row + b"\n", samples.TABLE, "in") == f"guard-{held_by}"


def test_a_table_has_the_names_of_its_schema() -> None:
    assert rule("csv", b"name\n", samples.TABLE, "in") == "guard-schema"
    assert rule("csv", b"", samples.TABLE, "in") == "guard-schema"


@pytest.mark.parametrize(
    ("change", "held_by"),
    [
        ((b'"name"', b'"nom"'), "schema"),
        ((b'"n": 1, ', b""), "schema"),
        ((b"-2]", b"-20]"), "schema"),
        ((b"-2]", b"1.5]"), "schema"),
        ((b"-2]", b'"2"]'), "schema"),
        ((b"[true,", b"["), "schema"),
        ((b"true", b"1"), "schema"),
        ((b"01-31", b"01-32"), "schema"),
        ((b'"B"', b'"C"'), "schema"),
        ((b'{"n": 3}', b'"some"'), "schema"),
        ((b'{"n": 3}', b"3"), "schema"),
        ((b"null", b"[]"), "schema"),
        ((b"1.50", b"Infinity"), "structure"),
        ((b"}}", b"}"), "structure"),
        ((b'"a": null', b'"b": 1'), "structure"),
        ((b"H", b"\xff"), "encoding"),
    ],
)
def test_a_document_holds_what_its_schema_names(change: tuple[bytes, bytes], held_by: str) -> None:
    raw = samples.JSON.replace(*change)
    assert raw != samples.JSON
    assert rule("json", raw, samples.DOCUMENT, "in") == f"guard-{held_by}"


def test_json_has_one_form() -> None:
    assert canonical("json", samples.JSON, samples.DOCUMENT).decode() == (
        '{"map":{"a":null,"b":1.5},"name":"Hélène \\"x\\"","pair":[true,"2023-01-31"],"part":{"n":1,"type":"B"},'
        '"sizes":[1,-2],"token":"\\u200b\\ud83d\\ude00\\n","way":{"n":3}}'
    )
    shape = Anything()
    assert canonical("json", b' [1.0, 1e2, -0.0, null, {"b": [], "a": {}}]', shape) == b'[1,100,0,null,{"a":{},"b":[]}]'
    assert rule("json", b"[]", shape) == "guard-schema"  # anything does not leave


def test_a_tokenizer_says_the_same_afterwards() -> None:
    made = canonical("tokenizer", samples.TOKENIZER.replace(b'"a b", ["a", "b"]', b'"a b"'))
    said = Tokenizer.from_str(made.decode())
    assert said.encode("abba").ids[:3] == [2, 1, 0]


def test_what_only_comes_in_does_not_leave() -> None:
    for format, raw, schema in samples.VALID:
        outward = format in OUTWARD.formats
        assert (rule(format, raw, schema) == "guard-outward") != outward


def test_csv_and_json_without_a_schema_stay() -> None:
    for format, raw, _ in samples.VALID:
        if format in ("csv", "json", "jsonl"):
            assert rule(format, raw, None, "in") == "guard-schema"
    assert rule("csv", samples.CSV, samples.DOCUMENT, "in") == "guard-schema"
    assert rule("json", samples.JSON, samples.TABLE, "in") == "guard-schema"


def test_a_name_says_which_parser_is_asked_and_no_more() -> None:
    wanted = {
        "a.md": "text",
        "A.CSV": "csv",
        "x/tokenizer.json": "tokenizer",
        "x.json": "json",
        "y.safetensors": "safetensors",
    }
    assert {name: format_of(name, b"") for name in wanted} == wanted
    for name, held_by in (
        ("a.pt", "pickle"),
        ("pytorch_model.bin", "pickle"),
        ("a.whl", "archive"),
        ("a.docx", "office"),
        ("a.py", "code"),
        ("a.exe", "executable"),
        ("a.gguf", "format"),
        ("a", "format"),
    ):
        with pytest.raises(Refused, match=f"guard-{held_by}"):
            format_of(name, b"hello")
    with pytest.raises(Refused, match="guard-archive"):
        format_of("a.txt", b"PK\x03\x04")
    assert format_of("mz.txt", b"MZ is how it begins") == "text"


def test_a_schema_is_read_or_refused() -> None:
    said = b'{"is":"table","columns":[{"name":"a","of":{"is":"integer","least":0}},{"name":"b","of":{"is":"date"}}]}'
    assert read_schema(said) == Columns((Column("a", Whole(least=0)), Column("b", Date())))
    assert read_schema(b'{"is":"number"}') == Number()
    nested = b'{"is":"list","of":' * 30 + b'{"is":"date"}' + b"}" * 30
    for bad in (
        b"",
        b"[]",
        b'{"is":"code"}',
        b'{"is":"table","columns":[]}',
        b'{"is":"text","regex":"x"}',
        nested,
        b'{"is":"table","columns":[{"name":"a","of":{"is":"list","of":{"is":"date"}}}]}',
        b" " * 70_000,
        b'{"is":"object","fields":{},"optional":["a"]}',
        b"[" * 60_000,
    ):
        with pytest.raises(BadInput):
            read_schema(bad)


def test_every_rule_has_its_sentence() -> None:
    for language in ("en", "fr"):
        for name in RULES:
            assert {f"rules.{name}.detail", f"rules.{name}.remedy"} <= set(sentences(language))


@pytest.mark.parametrize(
    ("format", "raw", "schema", "direction"),
    [
        ("text", "a\u200bb".encode(), None, "in"),
        ("text", b"a\x07b", None, "in"),
        ("text", "e\u0301".encode(), None, "in"),
        ("text", ("a" + "\u0336" * 40).encode(), None, "in"),
        ("text", b"\xc0\xaf", None, "in"),
        ("text", b"\xed\xa0\x80", None, "in"),
        ("text", "\u65e5".encode(), None, "out"),
        ("text", b"a  b", None, "out"),
        ("text", b"a ", None, "out"),
        ("text", "p\u0430".encode(), None, "out"),
        ("csv", b"name,count,price,day,kind,seen\n=1,,,,,\n", samples.TABLE, "in"),
        ("csv", b'name,count,price,day,kind,seen\n"a",,,,,\n', samples.TABLE, "in"),
        ("csv", b"name,count,price,day,kind,seen\na,07,,,,\n", samples.TABLE, "in"),
        ("csv", b"name,count,price,day,kind,seen\na,,1.0,,,\n", samples.TABLE, "in"),
        ("csv", b"name,count,price,day,kind,seen\na,,,1900-02-29,,\n", samples.TABLE, "in"),
        ("csv", b"name,count,price,day,kind,seen\na,,,,,", samples.TABLE, "in"),
        ("json", b'{"b":1,"a":2}', Anything(), "in"),
        ("json", b"[1 ]", Anything(), "in"),
        ("json", b"[1]]", Anything(), "in"),
        ("json", b"[1.0]", Anything(), "in"),
        ("json", b'"\\ud800"', Anything(), "in"),
        ("json", b"[" * 60 + b"]" * 60, Anything(), "in"),
        ("jsonl", b"1", Anything(), "in"),
        ("safetensors", samples.tensors(b"{}      ") + b"x", None, "in"),
        ("safetensors", samples.tensors(b"{},     "), None, "in"),
        ("safetensors", samples.tensors(b"{}"), None, "in"),
    ],
)
def test_the_verifier_alone_refuses_what_the_other_side_would_not_have_made(
    format: str, raw: bytes, schema: Any, direction: Any
) -> None:
    with pytest.raises(Refused) as caught:
        read(format, raw, profile_of(direction), schema)
    assert caught.value.facts["rule"] in RULES


@pytest.mark.parametrize(
    ("format", "raw", "schema", "direction", "held_by"),
    [
        ("csv", b"name,count,price,day,kind,seen\n=1,,,,,\n", samples.TABLE, "in", "formula"),
        ("json", samples.JSON.replace(b'"name"', b'"more": 1, "name"'), samples.DOCUMENT, "in", "schema"),
        ("json", b'{"name":"a","pair":[true,"2023-01-31"]}', samples.DOCUMENT, "in", "schema"),
        ("json", b"[" * 100, Anything(), "in", "depth"),
        ("text", "p\u0430".encode(), None, "out", "letters"),
        (
            "safetensors",
            samples.tensors({"a": {"dtype": "U8", "shape": [3], "data_offsets": [1, 4]}}, b"abcd"),
            None,
            "in",
            "structure",
        ),
        (
            "safetensors",
            samples.tensors({"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 4]}}, b"abcd"),
            None,
            "in",
            "structure",
        ),
        ("safetensors", samples.TENSORS + b"PK", None, "in", "trailing"),
    ],
)
def test_the_first_side_alone_refuses_it_too(
    format: str, raw: bytes, schema: Any, direction: Any, held_by: str
) -> None:
    """Each side by itself: that the other one would have held it as well is no reason to let it through."""
    with pytest.raises(Refused) as caught:
        made_by(format, raw, profile_of(direction), schema)
    assert caught.value.facts["rule"] == f"guard-{held_by}"
