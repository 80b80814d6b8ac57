"""A thief has everything of a region but its keys, while it runs and after: he reads no word, no name and no vector.

A real region takes the exercise corpus in, answers, searches, gives keys and keeps records; then every byte of every
file that is not a key is looked through, as text, as UTF-16, in hexadecimal and in base64 at its three places.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

import casemate
from casemate.engines.hashing import hashed
from casemate.exercise import documents
from tests.cli.running import Place, running

NAMES = (
    "halvorsen-the-analyst",
    "harbour-lantern-base",
    "retry-key-of-halvorsen",
    "agency-of-lanterns",
    "quayside-study",
)
QUESTION = "Which convoy leaves Port Sable before the quayside ferry?"
OURS = {"casemate.toml", "keys", "papers"}


def words() -> set[str]:
    """The corpus's words that no schema, kind or field of ours is called by."""
    said = {word.lower() for document in documents() for word in re.findall(r"[A-Za-z]{7,}", document.text)}
    source = Path(casemate.__file__).parent
    ours: set[str] = set()
    for path in source.rglob("*.py"):
        for quoted in re.findall(r'"([^"\n]*)"|`', path.read_text(encoding="utf-8")):
            ours.update(word.lower() for word in re.findall(r"[A-Za-z]{7,}", quoted))
        ours.update(word.lower() for word in re.findall(r"[A-Za-z]{7,}", path.stem))
        if "schema" in path.name or "tables" in path.name:
            ours.update(word.lower() for word in re.findall(r"[A-Za-z]{7,}", path.read_text(encoding="utf-8")))
    every = "\n".join(ours)
    return {word for word in said if word not in every}


def disguises(text: str) -> Iterator[bytes]:
    """Other ways to write a text that a program may have chosen."""
    raw = text.encode()
    yield from (text.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode(), raw[::-1])
    for place in range(3):
        coded = base64.b64encode(b"\0" * place + raw)
        inner = coded[(0, 2, 3)[place] : len(coded) - 4]
        yield from (inner, inner.replace(b"+", b"-").replace(b"/", b"_"))
    yield base64.b32encode(raw).rstrip(b"=")[:-2]
    yield base64.b32encode(raw).rstrip(b"=")[:-2].lower()


def vectors() -> Iterator[bytes]:
    """The numbers that stand for each paragraph, as a file would hold some of them."""
    for document in documents():
        for paragraph in document.paragraphs:
            for text in (paragraph, paragraph.partition(") ")[2]):
                said = hashed(text)
                numbers = struct.unpack(f"<{len(said)}b", said)
                if sum(map(bool, numbers[:32])) >= 12:
                    yield said[:32]
                    yield struct.pack("<16f", *numbers[:16])


def loot(place: Place) -> dict[str, bytes]:
    """All files of the region but its keys and settings."""
    found: dict[str, bytes] = {}
    for path in place.path.rglob("*"):
        inner = path.relative_to(place.path)
        if path.is_file() and not OURS & set(inner.parts) and "home" not in inner.parts:
            found[str(inner)] = re.sub(rb"\x00{64,}", bytes(64), path.read_bytes())
    return found


def seen(stolen: dict[str, bytes], secret: Iterable[bytes], fold: bool = False) -> list[tuple[str, bytes]]:
    """Which of these stands in which file."""
    every = {name: data.lower() if fold else data for name, data in stolen.items()}
    whole = b"\n".join(every.values())
    begins: dict[int, list[bytes]] = {}
    for each in secret:
        begins.setdefault(int.from_bytes(each[:4], "little"), []).append(each)
    raw = np.frombuffer(whole + bytes(3), np.uint8).astype(np.uint32)
    here = raw[:-3] | raw[1:-2] << 8 | raw[2:-1] << 16 | raw[3:] << 24
    places = np.flatnonzero(np.isin(here, np.array(list(begins), np.uint32)))
    found = {each for at in places for each in begins[int(here[at])] if whole.startswith(each, int(at))}
    return [(name, each) for each in found for name, data in every.items() if each in data]


def look(stolen: dict[str, bytes], ids: list[str], texts: list[str]) -> None:
    assert seen(stolen, [word.encode() for word in words()], fold=True) == []
    names = [*NAMES, *ids, *texts, *(document.name for document in documents())]
    assert seen(stolen, [name.lower().encode() for name in names], fold=True) == []
    assert seen(stolen, [each for name in names for each in disguises(name)]) == []
    assert seen(stolen, vectors()) == []


def lived(place: Place) -> tuple[list[str], list[str]]:
    """What an owner and an analyst do in a day; the ids and the texts that came of it."""
    papers = place.path / "papers"
    papers.mkdir()
    for document in documents():
        (papers / document.name).write_bytes(document.data)
    assert place.run("principal", "add", NAMES[0], "--clearance", "INTERNAL").code == 0
    added = place.run("add", papers, "--base", NAMES[1], "--json")
    assert added.code in (0, 9), added
    key = place.run("key", "issue", "--name", NAMES[2], "--json").data
    told = place.run("ask", QUESTION, "--json").json
    assert place.run("search", "convoy ferry", "--json").code == 0
    assert place.run("project", "agency", NAMES[3]).code in (0, 2)
    principals = place.run("principal", "list", "--json").data["principals"]
    ids = [key["key"]["id"], told["entry"], *(each["id"] for each in principals)]
    return [id for id in ids if len(id) > 8], [QUESTION, key["secret"]]


@pytest.mark.parametrize("processes", [pytest.param("all", marks=pytest.mark.long), "split"])
def test_who_has_everything_but_the_keys_reads_nothing(place: Place, processes: str) -> None:
    place.init("--policy", "house,tlp,us,nato,fr", "--agency", "EXERCISE", processes=processes)
    place.set('embedder = "none"', 'embedder = "hashing"')
    with running(place):
        ids, texts = lived(place)
        live = loot(place)
        assert any(name.endswith("-wal") and data for name, data in live.items())
        assert len([name for name in live if "blobs" in name]) > 10
        look(live, ids, texts)
    look(loot(place), ids, texts)


def test_he_would_see_what_lay_in_the_open(place: Place) -> None:
    """The search itself finds what it looks for, however it is written."""
    for text in (QUESTION, NAMES[1]):
        for each in disguises(text):
            assert seen({"file": b"\0" * 7 + each + b"\1"}, disguises(text))
    for place_ in range(3):
        coded = base64.b64encode(b"x" * place_ + NAMES[0].encode() + b"yz")
        assert seen({"file": coded}, disguises(NAMES[0])), place_
    assert len(words()) > 300
    assert len(list(vectors())) > 100
    assert seen({"file": b".. CONVOY .."}, [b"convoy"], fold=True)
