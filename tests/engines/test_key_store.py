"""A key for each access class: drawn once, wrapped, agreed upon, destroyed for good."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from casemate.crypto import verify
from casemate.crypto.locked import Work, is_locked
from casemate.engines.key_store import KeyStore, PassingKeys
from casemate.engines.key_store_region import found_region_key, region_keys
from casemate.engines.key_store_signer import KeptSigner, public_key
from casemate.errors import BadInput, Damaged, Destroyed, KeyMissing, Misconfigured
from casemate.ids import DerivedEntropy

LEAST = Work(1, 10, 1)


def store(keys: Path, entropy: DerivedEntropy | None = None) -> KeyStore:
    return KeyStore(keys, entropy, durable=False)


def files(keys: Path) -> dict[str, bytes]:
    return {str(path.relative_to(keys)): path.read_bytes() for path in sorted(keys.rglob("*")) if path.is_file()}


def test_keys_are_made_when_they_are_first_used_and_are_their_owners_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    one = store(keys)
    assert sorted(files(keys)) == ["region.key"]
    sealed = one.seal("class_a", "p", b"content", b"")
    one.blind("", "f", "x")
    assert sorted(files(keys)) == ["classes/class_a.key", "classes/region.key", "region.key"]
    assert {path.stat().st_mode & 0o777 for path in keys.rglob("*.key")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (keys, keys / "classes")} == {0o700}
    assert store(keys).open("class_a", "p", sealed, b"") == b"content"


def test_each_class_has_a_key_of_its_own(tmp_path: Path) -> None:
    one = store(tmp_path)
    sealed = one.seal("a", "p", b"content", b"")
    one.seal("b", "p", b"content", b"")
    (tmp_path / "classes" / "b.key").write_bytes((tmp_path / "classes" / "a.key").read_bytes())
    with pytest.raises(Damaged):
        store(tmp_path).seal("b", "p", b"", b"")
    (tmp_path / "classes" / "a.key").unlink()
    with pytest.raises(Damaged):
        store(tmp_path).open("a", "p", sealed, b"")
    assert not (tmp_path / "classes" / "a.key").exists()  # opening draws no key


def test_a_class_that_was_written_to_never_gets_a_second_key(tmp_path: Path) -> None:
    known: set[str] = set()

    def process() -> KeyStore:
        return KeyStore(tmp_path, durable=False, written=known.__contains__)

    sealed = process().seal("a", "p", b"content", b"")
    process().blind("", "f", "x")
    known.update(("a", ""))
    before = files(tmp_path)
    for name, class_id in (("a", "a"), ("region", "")):
        kept = tmp_path / "classes" / f"{name}.key"
        kept.rename(tmp_path / "away")
        with pytest.raises(KeyMissing):
            process().seal(class_id, "p", b"", b"")
        with pytest.raises(KeyMissing):
            process().blind(class_id, "f", "x")
        assert not kept.exists()
        (tmp_path / "away").rename(kept)
    assert process().open("a", "p", sealed, b"") == b"content"
    assert files(tmp_path) == before
    process().seal("b", "p", b"", b"")  # of one that nobody has written to a key is drawn as ever


def test_whoever_draws_while_another_commits_finds_his_key(tmp_path: Path) -> None:
    first = store(tmp_path)

    def written(class_id: str) -> bool:
        """Looked at when the other has drawn and committed already."""
        first.blind(class_id, "f", "x")
        return True

    late = KeyStore(tmp_path, durable=False, written=written)
    assert late.blind("a", "f", "x") == first.blind("a", "f", "x")


def test_no_byte_of_a_key_file_may_differ(tmp_path: Path) -> None:
    store(tmp_path).seal("a", "p", b"", b"")
    path = tmp_path / "classes" / "a.key"
    raw = path.read_bytes()
    for at in (0, 22, 30, 60, len(raw) // 2, len(raw) - 48, len(raw) - 1):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        with pytest.raises(Damaged):
            store(tmp_path).seal("a", "p", b"", b"")
    path.write_bytes(raw[:-1])
    with pytest.raises(Damaged):
        store(tmp_path).seal("a", "p", b"", b"")


def test_whoever_writes_into_keys_cannot_bring_a_key_of_his(tmp_path: Path) -> None:
    from casemate.crypto import Keeper

    one = store(tmp_path)
    one.seal("a", "p", b"", b"")
    recipient = Keeper(region_keys(tmp_path)[0]).recipient
    body = b"casemate class key v1\n" + recipient.name.encode() + b"\n" + recipient.wrap(bytes(32), b"b")
    path = tmp_path / "classes" / "b.key"
    path.write_bytes(body + bytes(48))
    path.chmod(0o600)
    with pytest.raises(Damaged):
        one.seal("b", "p", b"secret", b"")


@pytest.mark.parametrize("name", ["region.key", "classes/a.key"])
def test_a_key_that_others_may_open_is_refused(tmp_path: Path, name: str) -> None:
    store(tmp_path).seal("a", "p", b"", b"")
    (tmp_path / name).chmod(0o640)
    with pytest.raises(Misconfigured):
        store(tmp_path).seal("a", "p", b"", b"")


def test_those_who_draw_at_once_agree(tmp_path: Path) -> None:
    found: list[bytes] = []
    start = threading.Barrier(8)
    one = store(tmp_path)
    several = [store(tmp_path) for _ in range(7)] + [one]

    def draw(own: KeyStore) -> None:
        start.wait()
        found.append(own.blind("a", "f", "x"))

    threads = [threading.Thread(target=draw, args=(own,)) for own in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sorted(files(tmp_path)) == ["classes/a.key", "region.key"]


def test_what_a_law_derives_is_the_same_whatever_else_is_drawn(tmp_path: Path) -> None:
    one, other = (store(tmp_path / name, DerivedEntropy(b"seed")) for name in ("one", "other"))
    other.seal("hidden", "p", b"something", b"")
    assert one.blind("c", "f", "x") == other.blind("c", "f", "x")
    assert one.seal("c", "p", b"content", b"") == other.seal("c", "p", b"content", b"")
    assert store(tmp_path / "third").blind("c", "f", "x") != one.blind("c", "f", "x")


def test_a_destroyed_key_is_gone_for_good_in_every_process(tmp_path: Path) -> None:
    one, other = store(tmp_path), store(tmp_path)
    sealed = one.seal("a", "p", b"content", b"")
    kept = one.seal("b", "p", b"content", b"")
    assert other.open("a", "p", sealed, b"") == b"content"
    none = other.destroyed()
    assert other.destroyed() is none
    one.destroy("a")
    one.destroy("a")
    assert other.destroyed() == {"a"}
    for each in (one, other, store(tmp_path)):
        assert each.destroyed() == {"a"}
        with pytest.raises(Destroyed):
            each.open("a", "p", sealed, b"")
        with pytest.raises(Destroyed):
            each.seal("a", "p", b"more", b"")
        with pytest.raises(Destroyed):
            each.blind("a", "f", "x")
        assert each.open("b", "p", kept, b"") == b"content"
    assert sorted(files(tmp_path)) == ["classes/.told", "classes/a.gone", "classes/b.key", "region.key"]


def test_a_destruction_that_was_cut_short_is_one(tmp_path: Path) -> None:
    one = store(tmp_path)
    sealed = one.seal("a", "p", b"content", b"")
    (tmp_path / "classes" / "a.gone").write_bytes(b"x")
    with pytest.raises(Destroyed):
        store(tmp_path).open("a", "p", sealed, b"")
    assert not (tmp_path / "classes" / "a.key").exists()


def test_a_locked_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    private = found_region_key(tmp_path, "caf\u00e9", "cnsa2", LEAST)
    assert is_locked((tmp_path / "region.key").read_bytes())
    assert private not in (tmp_path / "region.key").read_bytes()
    assert region_keys(tmp_path, lambda: "cafe\u0301") == (private,)
    with pytest.raises(BadInput):
        region_keys(tmp_path, lambda: "tea")
    with pytest.raises(Misconfigured, match="locked"):
        store(tmp_path)
    opened = KeyStore(tmp_path, opened=(private,))
    assert "passphrase" in opened.describe()
    assert opened.recipient.startswith("cnsa2-")


def test_a_bare_key_says_so(tmp_path: Path) -> None:
    assert "bare" in store(tmp_path).describe()


def test_keys_of_the_versions_before_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_bytes(bytes(32))
    for each in (lambda: store(tmp_path), lambda: region_keys(tmp_path)):
        with pytest.raises(Misconfigured, match="casemate init"):
            each()


@pytest.mark.parametrize("raw", [b"", b"x", bytes(32), bytes(113)])
def test_a_region_key_that_is_none_is_damaged(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "region.key").write_bytes(raw)
    (tmp_path / "region.key").chmod(0o600)
    with pytest.raises(Damaged):
        store(tmp_path)


def test_the_signing_key_lies_sealed_and_its_public_half_open(tmp_path: Path) -> None:
    sealer = store(tmp_path)
    first = KeptSigner(tmp_path, sealer, durable=False)
    again = KeptSigner(tmp_path, store(tmp_path), durable=False)
    assert first.public == again.public == public_key(tmp_path)
    assert first.key_id.startswith("hybrid-")
    assert verify(again.public, b"data", first.sign(b"data"))
    for profile, prefix in (("cnsa2", "mldsa87-"), ("ed25519", "ed25519-")):
        assert KeptSigner(tmp_path, sealer, profile, profile, False).key_id.startswith(prefix)  # type: ignore[arg-type]
    with pytest.raises(Damaged):
        KeptSigner(tmp_path, PassingKeys(), durable=False)
    (tmp_path / "ledger.key").write_bytes(bytes(32))
    with pytest.raises(Damaged):
        KeptSigner(tmp_path, sealer)


def test_passing_keys_are_in_no_file() -> None:
    one, other = PassingKeys(), PassingKeys()
    sealed = one.seal("a", "p", b"content", b"")
    assert one.open("a", "p", sealed, b"") == b"content"
    assert not Path("/nowhere").exists()
    assert "no file" in one.describe()
    with pytest.raises(Damaged):
        other.open("a", "p", sealed, b"")


def test_the_two_halves_of_the_signing_key_are_of_one_key(tmp_path: Path) -> None:
    """Another public half, or a private one that is gone: never two identities in silence."""
    sealer = store(tmp_path)
    own = KeptSigner(tmp_path, sealer, durable=False)
    other = KeptSigner(tmp_path, sealer, "other", durable=False)
    public, private = tmp_path / "ledger.pub", tmp_path / "ledger.key"
    whole = public.read_bytes()
    public.write_bytes(other.public)
    with pytest.raises(Misconfigured) as caught:
        KeptSigner(tmp_path, sealer, durable=False)
    assert all(each.key_id in str(caught.value.facts["why"]) for each in (own, other))
    public.write_bytes(whole)
    private.unlink()
    with pytest.raises(KeyMissing):
        KeptSigner(tmp_path, sealer, durable=False)
    assert not private.exists(), "none is drawn in its place"
    public.unlink()
    assert KeptSigner(tmp_path, sealer, durable=False).public != own.public
