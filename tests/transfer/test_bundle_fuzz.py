"""Whatever comes: every parser of a bundle gives an answer or an error of our tree, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.errors import CasemateError
from casemate.transfer.bundle import AREA, read_area, read_envelope, read_root, strict
from casemate.transfer.bundle.layout import read_index, read_manifest
from casemate.transfer.state import read_state
from tests.transfer.bundling import Made
from tests.transfer.test_bundle_laws import FEW, VALUES, content, read_all


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Made(tmp_path_factory.mktemp("bundle")).write()


def whatever(raw: bytes) -> None:
    """Every parser, over these bytes: an answer, or an error of our tree."""
    for parse in (read_area, read_index, read_manifest, read_envelope, read_root, read_state, read_all):
        try:
            parse(raw)  # type: ignore[operator]
        except CasemateError:
            continue


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000) | VALUES.map(strict.spelled))
def test_no_parser_fails_in_another_way(raw: bytes) -> None:
    whatever(raw)
    whatever(raw.ljust(AREA, b"\0"))


@FEW
@given(st.data())
def test_no_parser_fails_over_what_is_nearly_right(bundle: Path, data: st.DataObject) -> None:
    inside = read_all(content())
    seeds = [bundle.read_bytes()[:AREA], inside.sealed, inside.index_raw, *inside.metadata.values(), content()[:30_000]]
    raw = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    whatever(bytes(raw))
