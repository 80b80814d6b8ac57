"""Personal data, by a package that would download what it does not find; here it may not."""

from __future__ import annotations

import socket

import pytest

from casemate.models import Inspector

pytest.importorskip("presidio_analyzer", reason="presidio-analyzer is not installed")


@pytest.fixture
def inspector(monkeypatch: pytest.MonkeyPatch) -> Inspector:
    from casemate.engines.presidio import Presidio

    def never(*_: object) -> None:
        raise AssertionError("it reached for the network")

    monkeypatch.setattr(socket.socket, "connect", never)
    return Presidio()


def test_numbers_of_people_are_found(inspector: Inspector) -> None:
    texts = ["The ferry sails at nine.", "IBAN GB82 WEST 1234 5698 7654 32, card 4111 1111 1111 1111"]
    found = {(each.rule, each.place): texts[each.place][each.start : each.end] for each in inspector.look(texts)}
    assert found == {("iban-code", 1): "GB82 WEST 1234 5698 7654 32", ("credit-card", 1): "4111 1111 1111 1111"}
