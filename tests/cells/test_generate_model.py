"""The generation cell with its engine: what it writes, where it ends, what holds an answer, what its loop does."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from casemate import frames
from casemate.cells.generate.spoken import Ask, Began, Piece, Ready, Turn
from tests.engines import chat_tiny as tiny

HELLO = "Helo wrd."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.folder(tmp_path_factory.mktemp("model"), HELLO)


@pytest.fixture(scope="module")
def chat(folder: Path):
    pytest.importorskip("onnxruntime_genai", reason="the extra genai is not installed")
    pytest.importorskip("llguidance", reason="the extra genai is not installed")
    from casemate.cells.generate.loop import Chat

    return Chat(folder)


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory, chat):
    """A model without a script: what it writes depends on everything before."""
    return type(chat)(tiny.folder(tmp_path_factory.mktemp("loose")))


def asked(chat, text: str = "hi", **told) -> tuple[str, Piece, list[object]]:
    heard: list[object] = []
    ask = Ask(turns=(Turn("user", text),), **{"max_tokens": 40, "seconds": 60.0, **told})
    last = chat.answer(ask, heard.append, lambda: True)
    return "".join(piece.text for piece in heard if isinstance(piece, Piece)) + last.text, last, heard


def test_it_writes_until_its_end(chat) -> None:
    text, last, heard = asked(chat)
    assert (text, last.finish, last.tokens) == (HELLO, "stop", len(HELLO) + 1)
    assert isinstance(heard[0], Began)
    assert heard[0].prompt == len("<user\nhi<<assistant\n") + 1


def test_the_limit_of_tokens_and_of_the_window(chat, tmp_path) -> None:
    assert asked(chat, max_tokens=4)[:2] == ("Helo", Piece("", "length", 4))
    narrow = type(chat)(tiny.folder(tmp_path, HELLO, context=25))
    text, last, heard = asked(narrow)
    assert last == Piece("", "length", 25 - heard[0].prompt)
    assert text == HELLO[: last.tokens]
    assert asked(narrow, "x" * 30)[1].why.startswith("The conversation has")


def test_stop_strings_seeds_and_heat(chat, loose) -> None:
    assert asked(chat, stops=("wr",))[:2] == ("Helo ", Piece("", "stop", 7))
    hot = [asked(loose, temperature=1.5, seed=seed)[0] for seed in (1, 1, 2)]
    assert hot[0] == hot[1] != hot[2]
    assert asked(loose, temperature=1.5, top_k=1, seed=1)[0] == asked(loose, temperature=0.0)[0] == asked(loose)[0]
    assert asked(loose, temperature=1.5, top_p=0.000001, seed=1)[0] == asked(loose)[0]
    assert asked(loose, temperature=1.5)[0] != asked(loose, temperature=1.5)[0]


def test_a_long_prompt_is_read_in_chunks_as_if_in_one(loose, monkeypatch) -> None:
    from casemate.cells.generate import model

    long = "several words of a prompt " * 20
    found = asked(loose, long)[0]
    monkeypatch.setattr(model, "CHUNK", 1 << 20)
    assert asked(loose, long)[0] == found


def test_it_keeps_nothing_of_a_prompt(loose) -> None:
    first = asked(loose, "one")
    asked(loose, "something else entirely")
    assert asked(loose, "one") == first


@pytest.mark.parametrize(
    ("schema", "fits"),
    [
        ('{"type": "object"}', lambda told: isinstance(told, dict)),
        ('{"enum": ["red", "blue"]}', lambda told: told in ("red", "blue")),
        (
            '{"type":"object","properties":{"a":{"enum":[3,9]}},"required":["a"],"additionalProperties":false}',
            lambda told: told in ({"a": 3}, {"a": 9}),
        ),
        ('{"type":"array","items":{"const":null},"minItems":2,"maxItems":2}', lambda told: told == [None, None]),
        (
            '{"$ref":"#/$defs/n","$defs":{"n":{"type":"string","pattern":"^[ab]{3}$"}}}',
            lambda told: len(told) == 3 and set(told) <= set("ab"),
        ),
    ],
)
@pytest.mark.parametrize("heat", [0.0, 2.0])
def test_an_answer_is_held_to_its_schema(loose, schema, fits, heat) -> None:
    text, last, _ = asked(loose, schema=schema, temperature=heat, seed=3, max_tokens=400)
    assert last.finish in ("stop", "length")
    if last.finish == "stop":
        assert fits(json.loads(text))
    else:
        assert schema == '{"type": "object"}'


def test_a_held_answer_that_is_cut_off_says_so(loose) -> None:
    text, last, _ = asked(loose, schema='{"const": "a long word that does not fit"}', max_tokens=5)
    assert (last.finish, len(text)) == ("length", 5)


def test_one_that_is_whole_at_its_limit_is_whole(loose) -> None:
    assert asked(loose, schema='{"const": null}', max_tokens=4)[:2] == ("null", Piece("", "stop", 4))


@pytest.mark.parametrize(
    "schema", ['{"not": {}}', "[", '{"type":"array","uniqueItems":true}', '{"$ref":"file:///etc"}']
)
def test_a_schema_that_it_cannot_hold_is_refused(chat, schema) -> None:
    _, last, heard = asked(chat, schema=schema)
    assert last.failure == "unreadable"
    assert heard == []


def test_counting_writes_nothing(chat) -> None:
    _, last, heard = asked(chat, count=True)
    assert [type(each) for each in heard] == [Began]
    assert last == Piece(finish="stop")


def test_it_ends_when_it_is_not_wanted_and_when_its_time_is_over(loose) -> None:
    ask, heard = Ask(turns=(Turn("user", "hi"),), max_tokens=500, seconds=60.0), []
    assert loose.answer(ask, heard.append, lambda: len(heard) < 4).finish == "stopped"
    assert len(heard) == 4
    assert loose.answer(ask, heard.append, lambda: False) == Piece(finish="stopped")
    assert asked(loose, seconds=0.0)[1] == Piece(finish="stopped")


@pytest.mark.parametrize(
    ("error", "failure", "why"),
    [
        (MemoryError(), "memory", ""),
        (RecursionError(), "unreadable", "It is nested too deeply."),
        (RuntimeError("the prompt was: secret"), "broken", "RuntimeError"),
    ],
)
def test_a_failure_never_quotes(chat, monkeypatch, error, failure, why) -> None:
    def breaks(*_):
        raise error

    monkeypatch.setattr(chat.model, "running", breaks)
    last = asked(chat)[1]
    assert (last.failure, last.why) == (failure, why)


def test_the_loop_answers_ignores_a_late_stop_and_ends_with_its_pipe(chat) -> None:
    from casemate.cells.generate.loop import Exact, converse

    read, write = os.pipe()
    ask = Ask(turns=(Turn("user", "hi"),), max_tokens=40, seconds=60.0)
    os.write(write, frames.encode(Ask(stop=True)) + frames.encode(ask))
    os.close(write)  # a closed pipe is a wish to stop as well
    replies = io.BytesIO()
    with Exact(read) as requests:
        converse(chat, requests, replies)
    replies.seek(0)
    found = []
    while (each := frames.receive(replies, Ready | Began | Piece)) is not None:  # type: ignore[arg-type]
        found.append(each)
    assert found == [Ready(tiny.CONTEXT), Began(21), Piece(finish="stopped")]


def test_the_program_loads_the_folder_that_it_was_named(folder, chat, monkeypatch) -> None:
    from casemate.cells.generate import loop

    read, write = os.pipe()
    back, replies = os.pipe()
    monkeypatch.setattr(loop, "REQUESTS", read)
    monkeypatch.setattr(loop, "REPLIES", replies)
    os.close(write)
    assert loop.main([str(folder)]) == 0
    with os.fdopen(back, "rb") as heard:
        assert frames.receive(heard, Ready) == Ready(tiny.CONTEXT)


def test_after_running_out_of_memory_it_ends(chat, monkeypatch) -> None:
    from casemate.cells.generate.loop import Exact, converse

    monkeypatch.setattr(chat, "answer", lambda *_: Piece(failure="memory"))
    read, write = os.pipe()
    os.write(write, frames.encode(Ask()) * 2)
    replies = io.BytesIO()
    with Exact(read) as requests:
        converse(chat, requests, replies)
    os.close(write)
    assert replies.getvalue().count(b"memory") == 1


UNFENCED = """
import os, runpy, sys
os.dup2(0, 3), os.dup2(1, 4), os.dup2(2, 1)
sys.argv[0] = "generate"
try:
    runpy.run_module("casemate.cells.generate", run_name="__main__", alter_sys=True)
except SystemExit:
    pass
import json
held = [os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{number}")]
print(json.dumps({"held": held, "told": os.environ["ORT_DISABLE_TELEMETRY"]}))
"""


def test_even_without_a_fence_it_leaves_no_file_and_holds_no_socket(chat, folder, tmp_path) -> None:
    """The fence forbids both; here the program itself shows that it does not try. Nothing in its environment helps."""
    ask = Ask(turns=(Turn("user", "hi"),), max_tokens=40, seconds=60.0)
    done = subprocess.run(
        [sys.executable, "-I", "-c", UNFENCED, str(folder)],
        input=frames.encode(ask),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c")},
    )
    found = json.loads(done.stderr.splitlines()[-1])
    assert not [each for each in found["held"] if each.startswith(("socket", str(tmp_path)))]
    assert found["told"] == "1"
    assert list(tmp_path.iterdir()) == []
