"""The two halves of a region's signing key, at its start: of one key, or there is no start."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemate.crypto import generate, public_of
from tests.cli.running import Place


@pytest.mark.parametrize("processes", ["all", "split"])
def test_a_region_with_two_identities_does_not_start(tmp_path: Path, processes: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    place = Place(tmp_path, home).init(processes=processes)
    public = place.region / "keys" / "ledger.pub"
    whole = public.read_bytes()
    public.write_bytes(public_of(generate("hybrid")))
    for words in (("up",), ("ledger", "verify")):
        told = place.run(*words)
        assert (told.code, "keys/ledger.pub" in told.err) == (15, True), told
    public.write_bytes(whole)
    private = place.region / "keys" / "ledger.key"
    private.rename(tmp_path / "ledger.key")
    told = place.run("up")
    assert (told.code, "keys/ledger.key" in told.err) == (10, True), told
    assert not private.exists()
    (tmp_path / "ledger.key").rename(private)
    assert place.run("ledger", "verify").code == 0
