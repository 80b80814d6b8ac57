"""The loop of a cell, without a fence: one reply to each request, and no words of a library in any."""

from __future__ import annotations

import os

import pytest

from casemate import frames
from casemate.cells import serve
from casemate.cells.serve import CannotRead, Reply


def talk(monkeypatch, work, *requests):
    """Serve these requests through real pipes; the replies."""
    asked, ask = os.pipe()
    hear, tell = os.pipe()
    monkeypatch.setattr(serve, "REQUESTS", asked)
    monkeypatch.setattr(serve, "REPLIES", tell)
    with os.fdopen(ask, "wb") as pipe:
        for request in requests:
            frames.send(pipe, request)
    serve.serve(int, work)
    with os.fdopen(hear, "rb") as pipe:
        replies = []
        while (reply := frames.receive(pipe, Reply)) is not None:
            replies.append(reply)
    return replies


def test_until_the_parent_closes(monkeypatch):
    assert [reply.value for reply in talk(monkeypatch, lambda x: x + 1, 1, 2, 3)] == [2, 3, 4]


def test_nothing_to_do(monkeypatch):
    assert talk(monkeypatch, lambda x: x) == []


@pytest.mark.parametrize(
    ("error", "failure", "why"),
    [
        (CannotRead("It is empty."), serve.UNREADABLE, "It is empty."),
        (RecursionError("the text of the document"), serve.UNREADABLE, "It is nested too deeply."),
        (ValueError("the text of the document"), serve.BROKEN, "ValueError"),
    ],
)
def test_a_failure_is_told_by_its_kind_and_the_next_request_is_served(monkeypatch, error, failure, why):
    def work(x):
        if x == 1:
            raise error
        return x

    first, second = talk(monkeypatch, work, 1, 2)
    assert (first.value, first.failure, first.why) == (None, failure, why)
    assert (second.value, second.failure) == (2, "")


def test_after_running_out_of_memory_it_ends(monkeypatch):
    def work(x):
        raise MemoryError

    (only,) = talk(monkeypatch, work, 1, 2)
    assert only.failure == serve.MEMORY
