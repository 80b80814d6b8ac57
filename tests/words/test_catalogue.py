"""The catalogue files themselves: each slug once, each room's two languages side by side."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest

from casemate.words import LANGUAGES, sentences
from casemate.words.say import _flatten

FILES = sorted(f.name for f in resources.files("casemate.words").joinpath("catalogue").iterdir())


def slugs(name: str) -> dict[str, Any]:
    text = resources.files("casemate.words").joinpath("catalogue", name).read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    _flatten("", tomllib.loads(text), found)
    return found


def test_each_room_has_a_file_in_each_language_with_the_same_slugs() -> None:
    rooms = {name.split(".")[0] for name in FILES}
    assert set(FILES) == {f"{room}.{language}.toml" for room in rooms for language in LANGUAGES}
    for room in rooms:
        first, *others = (set(slugs(f"{room}.{language}.toml")) for language in LANGUAGES)
        assert all(first == other for other in others), room


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_filled(language: str) -> None:
    """A stray brace would fail only when somebody is to be told."""

    class Anything(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return "x"

    for slug, text in sentences(language).items():
        assert isinstance(text, str), slug
        text.format_map(Anything())


def test_a_slug_of_two_files_is_a_defect() -> None:
    found: dict[str, Any] = {}
    _flatten("", {"a": {"b": "one"}}, found)
    with pytest.raises(ValueError, match=r"two sentences for a\.b"):
        _flatten("", {"a": {"b": "two"}}, found)
