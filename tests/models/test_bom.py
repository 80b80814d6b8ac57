"""Bills of materials: what came is held against the files, and what we write holds by the same check."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.models.bom import BadBill, billed, is_bill, written
from casemate.models.record import Described, FileDigest, ModelRecord

FILE = FileDigest("w.gguf", 4, "ab" * 32, "cd" * 48)
FILES = {FILE.path: FILE}
MODEL = {"type": "machine-learning-model", "name": "m"}


def bill(**more: Any) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [MODEL], **more}).encode()


def hashed(content: str, alg: str = "SHA-256", **more: Any) -> bytes:
    return bill(components=[{**MODEL, "hashes": [{"alg": alg, "content": content}], **more}])


@pytest.mark.parametrize(
    "raw",
    [
        bill(),
        bill(components=[], metadata={"component": MODEL}),
        hashed("AB" * 32),
        hashed("cd" * 48, "SHA-384"),
        hashed("00", "MD5"),
        hashed("ab" * 32, name="w.gguf", components=[{"type": "file", "name": "x"}]),
    ],
)
def test_bills_that_hold(raw: bytes) -> None:
    billed(raw, FILES)


def deep(depth: int) -> Any:
    found: Any = MODEL
    for _ in range(depth):
        found = {**MODEL, "components": [found]}
    return found


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\xff", b"{}", b"[" * 100_000, b" " * (9 << 20), bill(bomFormat="SPDX"), bill(specVersion="0.9"),
        bill(components=[]), bill(components=[{"type": "library", "name": "x"}]), bill(components=[deep(20)]),
        bill(components=[MODEL] * 10_001), hashed("00" * 32), hashed("zz" * 32), hashed("ab"),
        hashed("cd" * 48, "SHA-384", name="w.gguf", hashes=[{"alg": "SHA-384", "content": "00" * 48}]),
        bill(components=[MODEL, {"type": "file", "name": "x", "hashes": [{"alg": "SHA-256", "content": "ab" * 32}]}]),
    ],
)  # fmt: skip
def test_bills_that_do_not(raw: bytes) -> None:
    with pytest.raises(BadBill):
        billed(raw, FILES)


def test_ours_holds_and_is_the_same_each_time() -> None:
    described = Described(vendor="acme", licence="MIT", languages=("fr",), context=4096, takes=("images",))
    record = ModelRecord(
        name="m", described=described, proposed="x", files=(FILE,), formats=("gguf",), signed_by="00", at=5_000_000
    )
    made = written(record)
    assert made == written(record)
    billed(json.dumps(made).encode(), FILES)
    component = made["metadata"]["component"]
    assert component["components"][0]["hashes"][1]["content"] == FILE.sha384
    assert component["licenses"] == [{"license": {"name": "MIT"}}]
    bare = written(ModelRecord(name="m", described=Described(), proposed="x"))["metadata"]["component"]
    assert "licenses" not in bare
    assert "components" not in bare


def test_which_files_are_bills() -> None:
    assert [is_bill(path) for path in ("bom.json", "m.cdx.json", "sub/bom.json", "sub/m.cdx.json", "x.json")] == [
        True, True, False, False, False,
    ]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "name", "hashes", "components"]), inner)
        ),
        max_leaves=10,
    )
)
def test_anything_is_judged(components: Any) -> None:
    with contextlib.suppress(BadBill):
        billed(bill(components=components), FILES)
