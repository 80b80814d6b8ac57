"""The snapshot's bytes: what is signed comes back, and whatever else stands there is refused for a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.crypto import KeySigner, generate
from casemate.engines.key_store import KeyStore
from casemate.errors import TooLarge
from casemate.store import NotOurs, Snapshot, pack_snapshot, read_snapshot
from casemate.store import snapshot as module

SIGNER = KeySigner(generate())


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    return KeyStore(tmp_path_factory.mktemp("keys"))


def snapshot(**changed: Any) -> Snapshot:
    made = Snapshot(1, "r", 7, 1_000, 1, 2_000, 3_000, {"directory": b"secret digests"})
    return msgspec.structs.replace(made, **changed)


def refused(raw: bytes, sealer: KeyStore, public: bytes = SIGNER.public, region: str = "r") -> str:
    with pytest.raises(NotOurs) as told:
        read_snapshot(raw, public, sealer, region)
    return told.value.why


def test_what_was_packed_comes_back_and_shows_nothing(sealer: KeyStore) -> None:
    raw = pack_snapshot(snapshot(), SIGNER, sealer)
    assert read_snapshot(raw, SIGNER.public, sealer, "r") == snapshot()
    assert raw.startswith(b"CMSNAP1\n")
    assert b"secret" not in raw


@pytest.mark.parametrize("size", [0, 1, 40_000, 65_000, 66_000, 131_000, 300_000])
def test_its_size_is_a_class_and_no_number(sealer: KeyStore, size: int) -> None:
    overhead = len(pack_snapshot(snapshot(), SIGNER, sealer)) - module.LEAST
    length = len(pack_snapshot(snapshot(sections={"x": b"." * size}), SIGNER, sealer)) - overhead
    assert length >= module.LEAST
    assert length & (length - 1) == 0
    assert length < max(2 * (size + 300), 2 * module.LEAST)


def test_what_is_too_large_is_not_made(sealer: KeyStore) -> None:
    with pytest.raises(TooLarge):
        pack_snapshot(snapshot(sections={"x": bytes(module.MOST)}), SIGNER, sealer)


@given(place=st.integers(0, module.LEAST + 36), bit=st.integers(0, 7))
def test_no_bit_of_it_may_differ(place: int, bit: int, sealer: KeyStore) -> None:
    raw = bytearray(RAW.setdefault("raw", pack_snapshot(snapshot(), SIGNER, sealer)))
    raw[place] ^= 1 << bit
    assert refused(bytes(raw), sealer) in {"form", "seal"}


RAW: dict[str, bytes] = {}


def test_whatever_is_not_the_next_one_is_refused_for_its_reason(sealer: KeyStore, tmp_path: Path) -> None:
    raw = pack_snapshot(snapshot(), SIGNER, sealer)
    thief = KeySigner(generate())
    other = KeyStore(tmp_path)
    assert refused(b"", sealer) == "size"
    assert refused(raw[:1000], sealer) == "size"
    assert refused(bytes(module.BOUND + 1), sealer) == "size"
    assert refused(bytes(len(raw)), sealer) == "form"
    assert refused(raw[:-1], sealer) == "seal"
    assert refused(raw + b"\0", sealer) == "seal"
    assert refused(pack_snapshot(snapshot(), SIGNER, other), sealer) == "seal"
    assert refused(pack_snapshot(snapshot(), thief, sealer), sealer) == "signature"
    assert refused(raw, sealer, thief.public) == "signature"
    assert refused(raw, sealer, region="another") == "region"
    for wrong in (
        {"sequence": 0},
        {"sequence": 1 << 63},
        {"rate": 0},
        {"not_after": 1_000},
        {"ends": 1_999},
    ):
        assert refused(pack_snapshot(snapshot(**wrong), SIGNER, sealer), sealer) == "times", wrong
    assert refused(pack_snapshot(snapshot(version=2), SIGNER, sealer), sealer) == "version"


def test_a_signature_over_something_else_is_none_over_a_snapshot(sealer: KeyStore) -> None:
    """The same key signs checkpoints: what it signed there must never pass here, whatever it says."""
    body = msgspec.msgpack.encode(snapshot())

    def file(signed: object) -> bytes:
        plain = msgspec.msgpack.encode(signed)
        filled = (len(plain).to_bytes(4, "big") + plain).ljust(module.LEAST, b"\0")
        return module.MAGIC + sealer.seal("snapshot", "snapshot", filled, module.MAGIC)

    right = SIGNER.sign(module.SIGNED + body)
    assert read_snapshot(file([SIGNER.key_id, right, body]), SIGNER.public, sealer, "r") == snapshot()
    assert refused(file([SIGNER.key_id, SIGNER.sign(body), body]), sealer) == "signature"
    assert refused(file(["ed25519-other", right, body]), sealer) == "signature"
    assert refused(file([SIGNER.key_id, right]), sealer) == "form"
    nonsense = b"\xc1"
    assert refused(file([SIGNER.key_id, SIGNER.sign(module.SIGNED + nonsense), nonsense]), sealer) == "version"


def test_sealed_for_something_else_it_does_not_open(sealer: KeyStore) -> None:
    other = module.MAGIC + sealer.seal("", "carry", bytes(module.LEAST), module.MAGIC)
    assert refused(other, sealer) == "seal"
