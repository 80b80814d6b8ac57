"""More forms of secrets, by a package that must not reach for the network while it looks."""

from __future__ import annotations

import socket

import pytest

from casemate.models import Inspector

pytest.importorskip("detect_secrets", reason="detect-secrets is not installed (casemate[secrets])")


@pytest.fixture
def inspector(monkeypatch: pytest.MonkeyPatch) -> Inspector:
    from casemate.engines.detect_secrets import DetectSecrets

    def never(*_: object) -> None:
        raise AssertionError("it reached for the network")

    monkeypatch.setattr(socket.socket, "connect", never)
    return DetectSecrets()


def test_spans_are_those_of_the_text(inspector: Inspector) -> None:
    token = "SK" + "1234567890abcdef" * 2
    texts = ["The ferry sails at nine.", f"first\nTWILIO {token}\nlast"]
    (found,) = inspector.look(texts)
    assert (found.kind, found.rule, texts[found.place][found.start : found.end]) == ("secret", "twilio-api-key", token)


def test_words_are_no_secrets(inspector: Inspector) -> None:
    assert inspector.look(["The convoy leaves at dawn, 10.0.0.1, password = 'x'."]) == []
    assert inspector.name == "detect-secrets"
