"""Whether an answer fits: table by table, and against another implementation of JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.models import shape
from casemate.models.pattern import BadPattern
from casemate.models.shape import fits, holdable, problem
from casemate.models.shape_pattern import Search


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "object"}, ["{}", ' {"a": 1} '], ["[]", "1", ""]),
        ({"type": "integer"}, ["1", "1.0", "-0"], ["1.5", "true", '"1"']),
        ({"type": ["string", "null"]}, ['""', "null"], ["1"]),
        ({"enum": [1, "a", None, {"x": [1]}]}, ["1.0", '"a"', '{"x": [1.0]}'], ["true", '"b"', '{"x": [true]}']),
        ({"const": False}, ["false"], ["0"]),
        ({"minimum": 0.1, "multipleOf": 0.1}, ["0.3", "1"], ["0", "0.35"]),
        ({"exclusiveMinimum": 1, "exclusiveMaximum": 2}, ["1.5"], ["1", "2"]),
        ({"maximum": 2}, ["2", '"9"'], ["3"]),
        ({"minLength": 2, "maxLength": 3}, ['"ab"', '"\\ud83d\\ude00b"'], ['"a"', '"abcd"']),
        ({"pattern": "^a+$"}, ['"aa"', "1"], ['"ab"', '"\\na"', '""']),
        ({"pattern": "b|"}, ['""'], []),
        (
            {"prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
            ['["a", 1]', "[]"],
            ["[1]", '["a", "b"]'],
        ),
        ({"minItems": 1, "maxItems": 2, "uniqueItems": True}, ["[1]", "[1, true]"], ["[]", "[1, 1.0]", "[1, 2, 3]"]),
        ({"contains": {"const": 1}, "maxContains": 1}, ["[1, 2]"], ["[2]", "[1, 1]"]),
        ({"contains": {"const": 1}, "minContains": 0}, ["[2]"], []),
        (
            {"required": ["a"], "minProperties": 1, "maxProperties": 2},
            ['{"a": 1}'],
            ["{}", '{"b": 1}', '{"a":1,"b":1,"c":1}'],
        ),
        (
            {
                "properties": {"a": {"type": "null"}},
                "patternProperties": {"^x": {"type": "integer"}},
                "additionalProperties": False,
            },
            ['{"a": null, "x1": 2}'],
            ['{"a": 1}', '{"x": "s"}', '{"b": 1}'],
        ),
        ({"additionalProperties": {"type": "integer"}}, ['{"q": 1}'], ['{"q": "s"}']),
        ({"propertyNames": {"maxLength": 1}}, ['{"a": 1}'], ['{"ab": 1}']),
        ({"dependentRequired": {"a": ["b"]}}, ["{}", '{"a": 1, "b": 2}'], ['{"a": 1}']),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, ["{}", '{"a": 1, "b": 2}'], ['{"a": 1}']),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, ["1"], ["3"]),
        ({"anyOf": [{"type": "null"}, {"minimum": 5}]}, ["null", "5"], ["4"]),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, ["0", "3"], ["1"]),
        ({"not": {"type": "null"}}, ["1"], ["null"]),
        ({"if": {"minimum": 5}, "then": {"maximum": 6}, "else": {"minimum": 1}}, ["6", "1"], ["7", "0"]),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "array", "items": {"$ref": "#"}}}}, ["[[[]]]"], ["[[1]]"]),
        ({"$ref": "#/prefixItems/0", "prefixItems": [True]}, ["1"], []),
        ({"properties": {"a": False}}, ["{}"], ['{"a": 1}']),
        ({"format": "email", "title": "t", "default": 1}, ['"x"'], []),
    ],
)
def test_what_fits_and_what_does_not(schema: dict[str, Any], good: list[str], bad: list[str]) -> None:
    raw = json.dumps(schema).encode()
    assert problem(raw) == ""
    assert [(text, fits(raw, text)) for text in good] == [(text, "") for text in good]
    assert [text for text in bad if not fits(raw, text)] == []


@pytest.mark.parametrize(
    "text", ["", "{", "nan", "NaN", "Infinity", "{} {}", '{"a": 1, "a": 2}', "'a'", "[1,]", "[" * 100_000, "1e999"]
)
def test_what_is_no_json_does_not_fit(text: str) -> None:
    assert fits(b"", text)
    assert fits(b'{"items": {}}', text)


def test_without_a_schema_any_object_fits() -> None:
    assert fits(b"", '{"a": [1]}') == ""
    assert fits(b"", "[]") == "/: type"


def test_a_problem_names_a_place_and_never_a_value() -> None:
    schema = b'{"properties": {"known": {"type": "integer"}}, "additionalProperties": {"type": "integer"}}'
    assert fits(schema, '{"known": "secret"}') == "/known: type"
    assert fits(schema, '{"secret": "secret"}') == "/*: type"


@pytest.mark.parametrize(
    "schema",
    [
        "[]",
        "1",
        "{",
        "nope",
        '{"a": 1, "a": 1}',
        '{"unevaluatedProperties": false}',
        '{"$dynamicRef": "#x"}',
        '{"x-own": 1}',
        '{"$ref": "http://x/y"}',
        '{"$ref": "#/nowhere"}',
        '{"$ref": "#anchor"}',
        '{"$ref": 1}',
        '{"$ref": "#/prefixItems/3", "prefixItems": [true]}',
        '{"pattern": "(?=a)"}',
        '{"pattern": "("}',
        '{"pattern": 1}',
        '{"patternProperties": {"(": true}}',
        '{"type": "foo"}',
        '{"type": [[]]}',
        '{"type": {}}',
        '{"enum": []}',
        '{"enum": 1}',
        '{"anyOf": []}',
        '{"anyOf": 1}',
        '{"minLength": -1}',
        '{"minLength": true}',
        '{"minimum": "1"}',
        '{"multipleOf": 0}',
        '{"required": [1]}',
        '{"dependentRequired": {"a": 1}}',
        '{"uniqueItems": 1}',
        '{"properties": []}',
        '{"items": [1]}',
        '{"items": 1}',
        '{"properties": {"a": {"b": 1}}}',
        '{"pattern": "\\\\bx"}',
        '{"pattern": "(?i)x"}',
    ],
)
def test_what_cannot_be_judged_is_told(schema: str) -> None:
    assert problem(schema)
    assert fits(schema, "{}")
    assert holdable(schema)


@pytest.mark.parametrize(
    "schema",
    [
        '{"not": {}}',
        '{"if": true}',
        '{"contains": true}',
        '{"uniqueItems": true}',
        '{"oneOf": [true]}',
        '{"format": "date"}',
        '{"dependentRequired": {}}',
        '{"dependentSchemas": {}}',
        '{"propertyNames": {}}',
        '{"properties": {"a": {"not": {}}}}',
        '{"$id": "x"}',
    ],
)
def test_what_can_be_judged_but_not_held(schema: str) -> None:
    assert problem(schema) == ""
    assert "not supported" in holdable(schema)


def test_bounds() -> None:
    deep = "{}"
    for _ in range(shape.DEPTH + 2):
        deep = f'{{"items": {deep}}}'
    assert problem(deep) == "the schema is nested too deeply"
    assert problem('{"items": ' * 5000 + "{}" + "}" * 5000)
    assert problem(" " * shape.SCHEMA + "{}") == "the schema is too large"
    assert fits(b"", " " * shape.ANSWER + "{}") == "it is too long to be judged"
    assert fits(b'{"items": {"type": "integer"}}', str([1] * shape.STEPS)) == "it takes too long to be judged"
    assert fits(b'{"$ref": "#"}', "1")
    nested = '{"items": {"$ref": "#"}}'
    assert fits(nested, "[" * 500 + "]" * 500) == "it is nested too deeply"
    loop = b'{"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}'
    assert fits(loop, "1") == "it takes too long to be judged"
    dear = json.dumps({"items": {"anyOf": [{"enum": [1]}] * 3 + [True]}})
    assert fits(dear, json.dumps(["x" * 1000] * 7000)) == "it takes too long to be judged"
    assert fits('{"type": "integer", "maximum": 1}', "9" * 1000) == "/: maximum"
    slow = json.dumps({"pattern": "^(a|a|a|aa)*(a|b|ab)*c$"})
    assert fits(slow, json.dumps("a" * 100_000)) == "it takes too long to be judged"


@pytest.mark.parametrize(
    ("source", "text", "found"),
    [
        ("", "", True),
        ("a*", "b", True),
        ("^$", "", True),
        ("^$", "a", False),
        ("^a", "ba", False),
        ("a$", "ab", False),
        ("^a$", "a\n", False),
        ("^b", "a\nb", False),
        ("[0-9]{2}", "a12", True),
        ("x|y", "zy", True),
        ("(?:ab)+$", "xabab", True),
    ],
)
def test_patterns_are_searched(source: str, text: str, found: bool) -> None:
    assert Search(source).found(text) is found


@pytest.mark.parametrize("source", ["\\bx", "(?i)x", "(?=x)", "("])
def test_patterns_that_are_not_known(source: str) -> None:
    with pytest.raises(BadPattern):
        Search(source)


# ---- against another implementation -------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "cc"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, -2.5])
    | st.sampled_from(["", "a", "ab", "ba"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    small = st.integers(0, 3)
    words: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(
            ["null", "boolean", "object", "array", "string", "number", "integer", ["string", "array"]]
        ),
        "enum": st.lists(VALUES, min_size=1, max_size=3),
        "const": VALUES,
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "multipleOf": st.sampled_from([0.5, 2]),
        "minLength": small,
        "maxLength": small,
        "pattern": st.sampled_from(["^a", "b$", "a|b", "^[ab]*$"]),
        "minItems": small,
        "maxItems": small,
        "uniqueItems": st.booleans(),
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "contains": inner,
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "c"]), inner, max_size=1),
        "additionalProperties": inner,
        "propertyNames": inner,
        "required": st.lists(NAMES, max_size=2, unique=True),
        "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=1), max_size=1),
        "dependentSchemas": st.dictionaries(NAMES, inner, max_size=1),
        "minProperties": small,
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "oneOf": st.lists(inner, min_size=1, max_size=2),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
    }
    return st.fixed_dictionaries({}, optional=words) | st.sampled_from(sorted(words)).flatmap(
        lambda word: st.fixed_dictionaries({word: words[word]})
    )


@settings(max_examples=400)
@given(st.recursive(st.booleans(), schemas, max_leaves=4).filter(lambda found: isinstance(found, dict)), VALUES)
def test_it_agrees_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    theirs = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert problem(json.dumps(schema)) == ""
    assert (fits(json.dumps(schema), json.dumps(value)) == "") is theirs
