"""CSV, TSV, JSON and its lines: every value on a line of its own, after the name that it has."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.cells.extract import Request, bounds, extract
from casemate.cells.serve import CannotRead


def read(name, data):
    return extract(Request(name, data.encode() if isinstance(data, str) else data))


def told(name, data):
    (part,) = read(name, data).parts
    return [(paragraph.kind, paragraph.text) for page in part.pages for paragraph in page]


def why(name, data):
    with pytest.raises(CannotRead) as failed:
        read(name, data)
    return str(failed.value)


class TestTables:
    @pytest.mark.parametrize(
        ("name", "sign"), [("a.csv", ","), ("a.csv", ";"), ("a.csv", "\t"), ("a.csv", "|"), ("a.tsv", "\t")]
    )
    def test_a_table(self, name, sign):
        rows = [
            "SECRET//NOFORN",
            f"Port{sign}Fuel{sign}Remark",
            f'Sable{sign}300{sign}"(S) one{sign}""two""\nthree"',
            f"{sign}4{sign}",
        ]
        assert told(name, "\n".join(rows) + "\n(U) the end\n") == [
            ("paragraph", "SECRET//NOFORN"),
            ("table", "Port\nFuel\nRemark"),
            ("table", f'Port:\nSable\nFuel:\n300\nRemark:\n(S) one{sign}"two"\nthree'.replace("\t", " ")),
            ("table", "Fuel:\n4"),
            ("paragraph", "(U) the end"),
        ]
        assert read(name, "a").media == ("text/tab-separated-values" if name == "a.tsv" else "text/csv")

    def test_a_sign_inside_numbers_does_not_part(self):
        assert told("a.csv", 'a;b\n1,5;2\n3,"x"5;4,5\n')[1] == ("table", "a:\n1,5\nb:\n2")

    @pytest.mark.parametrize("first", ["1,2", "x,x", f"{'long ' * 30},y"])
    def test_a_table_without_names(self, first):
        assert told("a.csv", f"{first}\n5,6\n,7\n8")[1:] == [("table", "5\n6"), ("paragraph", "7"), ("paragraph", "8")]

    def test_bounds(self):
        assert why("a.csv", "\n \n") == "It holds no text."
        assert why("a.csv", "a," * 20_000) == "It holds more than 16,384 columns."
        assert why("a.csv", "x" * (bounds.LINE + 1)) == "It holds more than 1,000,000 characters in one line."
        assert why("a.csv", "x\n" * 500_001) == "It holds more than 500,000 paragraphs."
        assert why("a.csv", '"' + "x\n" * 600_000) == "Its table is not well formed (line 500001)."
        assert why("a.csv", 'a,b\n"' + "y" * 999_990 + '\n","z\n' + "z" * 99 + '"\n') == (
            "It holds more than 1,000,000 characters in one row."
        )

    @given(st.lists(st.lists(st.sampled_from(["", "a", "(S) b", "SECRET", "1", 'q"', "x,y", "l\nm"]), max_size=5)))
    def test_no_cell_is_lost(self, rows):
        import csv
        import io

        out = io.StringIO()
        csv.writer(out).writerows(rows)
        lines = [line for row in rows for cell in row for line in cell.split("\n") if line]
        try:
            found = [line for _, text in told("a.csv", out.getvalue()) for line in text.split("\n")]
        except CannotRead:
            found = []
        assert [line for line in found if not line.endswith(":")] == lines


class TestRecords:
    def test_lines(self):
        data = (
            '{"title": "One", "classification": "SECRET", "n": 1.50}\n\n{"id": 7, "text": "(S) '
            + "w " * 150
            + '"}\n"x"'
        )
        found = read("a.jsonl", data)
        assert found.media == "application/x-ndjson"
        assert [(part.title, part.key) for part in found.parts] == [("One", "line 1"), ("7", "line 3"), ("", "line 4")]
        said = [[(paragraph.kind, paragraph.text) for paragraph in part.pages[0]] for part in found.parts]
        assert said == [
            [("header", "SECRET"), ("table", "title:\nOne\nclassification:\nSECRET\nn:\n1.50")],
            [("table", "id:\n7"), ("paragraph", "(S) " + "w " * 149 + "w")],
            [("table", "x")],
        ]

    def test_a_value(self):
        value = {
            "Name": "a title",
            "on": True,
            "off": False,
            "none": None,
            "list": ["(S) one", "two", {"deep": 3}],
            "no": [],
            "{}": {},
            "story": "first\n\n(C) second",
        }
        assert told("a.json", json.dumps(value)) == [
            (
                "table",
                "Name:\na title\non:\ntrue\noff:\nfalse\nnone:\nlist:\n(S) one\ntwo\nlist / deep:\n3\nno:\n{}:\nstory:",
            ),
            ("paragraph", "first"),
            ("paragraph", "(C) second"),
        ]
        assert read("a.json", json.dumps(value)).parts[0].title == "a title"

    def test_a_list_of_records(self):
        assert told("a.json", '[{"a": 1}, {"a": 2}, 3, [4, "x"]]') == [
            ("table", "a:\n1"),
            ("table", "a:\n2"),
            ("table", "3"),
            ("table", "4\nx"),
        ]

    def test_what_is_said_twice_under_one_name_and_numbers_as_written(self):
        data = '{"a": "SECRET", "a": "open", "n": 1e400, "m": ' + "9" * 150 + ', "x": NaN, "s": "\\ud800"}'
        text = told("a.json", data)[0][1]
        assert text.startswith("a:\nSECRET\nopen\nn:\n1e400\nm:\n")
        assert text.endswith("9\nx:\nNaN\ns:\n\ufffd")

    @pytest.mark.parametrize(
        ("name", "data", "reason"),
        [
            ("a.json", "{", "Its JSON is not well formed."),
            ("a.json", '{"a": 1} x', "Its JSON is not well formed."),
            ("a.jsonl", '{"a": 1}\n{"a"', "Its line 2 is not well formed JSON."),
            ("a.json", "null", "It holds no text."),
            ("a.jsonl", "\n[]\n", "It holds no text."),
            ("a.json", "[" * 100_000 + "]" * 100_000, "It is nested too deeply."),
            ("a.json", "[" * 300 + "1" + "]" * 300, "It holds more than 256 values inside each other."),
            ("a.jsonl", "1\n" * 10_001, "It holds more than 10,000 records."),
            ("a.json", "<html>", "Its name ends in '.json', but it holds HTML."),
            ("a.json", b"\x00\x00\x00", "It holds binary data."),
            ("a.json", b'"\xc0\xaf"', "Its bytes are not UTF-8 (at byte 1)."),
        ],
    )
    def test_what_is_refused(self, name, data, reason):
        assert why(name, data) == reason

    def test_long_names_of_many_values(self):
        inner = ",".join(f'"{at}": 1' for at in range(200))
        assert why("a.json", '{"' + "n" * 900_000 + '": {' + inner + "}}") == (
            "It holds more than 10,000,000 characters of text."
        )

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text("ab (S)\n", max_size=9),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=4),
            max_leaves=12,
        )
    )
    def test_no_word_is_lost(self, value):
        def words(value):
            if isinstance(value, dict):
                return [word for inner in value.values() for word in words(inner)]
            if isinstance(value, list):
                return [word for inner in value for word in words(inner)]
            return (
                []
                if value is None
                else ({True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)).split()
            )

        data = json.dumps(value)
        try:
            found = [line for _, text in told("a.json", data) for line in text.split("\n") if not line.endswith(":")]
        except CannotRead:
            found = []
        assert " ".join(found).split() == words(value)
