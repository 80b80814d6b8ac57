"""Laws of a bundle's bytes: round trips, one spelling, and no byte that can be another."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.engines.bundle_files import area_of
from casemate.errors import BadInput, Damaged, TooLarge
from casemate.labels import Label, Policies
from casemate.transfer.bundle import (
    AREA,
    LAYOUT,
    File,
    Reading,
    Thing,
    file_size,
    is_name,
    is_path,
    padded,
    planned,
    read_area,
    read_envelope,
    strict,
)
from casemate.transfer.bundle.face import Outside, Signature, signed
from casemate.transfer.bundle.frames import SMALLEST, frame_count
from casemate.transfer.bundle.members import Headers, Member, filling, header_of, tar_size, wanted
from casemate.transfer.bundle.names import is_banner, unlike
from casemate.transfer.lattice import lattice_of, read_label
from casemate.transfer.verify import verify
from tests.transfer.bundling import NOW, Made, judged, seen, signer, state

FEW = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return Made(folder, files={"one": b"1" * 700_000, "two": bytes(range(256)) * 2000, "empty": b""}).write()


@cache
def content() -> bytes:
    """What is sealed in a bundle of two small files."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = Made(Path(folder), files={"one": b"first", "two": b"second" * 99})
        whole, _ = made.content()
        raw = {f"sha512:{digest_hex(data)}": data for data in made.files.values()}
        parts = [each if isinstance(each, bytes) else raw[each.digest] for each in whole.pieces()]
    return b"".join(parts)


def digest_hex(data: bytes) -> str:
    import hashlib

    return hashlib.sha512(data).hexdigest()


def read_all(raw: bytes, chunks: int = 1 << 20) -> Any:
    reading = Reading()
    for at in range(0, len(raw), chunks):
        for piece in reading.feed(memoryview(raw)[at : at + chunks]):
            piece.running.update(piece.data)
    return reading.finish()


# ---- every byte ------------------------------------------------------------------------------------------------


def test_row_06_a_byte_that_is_another_anywhere_outside_is_refused(bundle: Path) -> None:
    facts = seen(bundle).facts
    used = len(facts.area.rstrip(b"\0"))
    chosen = {*range(180), *range(180, used, 211), used - 1, used, used + 1, AREA - 1, *range(used, AREA, 9973)}
    known = state()
    for at in sorted(chosen):
        area = bytearray(facts.area)
        area[at] ^= 1 << (at % 8)
        found = verify(dataclasses.replace(facts, area=bytes(area)), known, NOW)
        assert found.state == "refuse", at


@FEW
@given(seed=st.integers(0, 2**32))
def test_row_06_a_byte_that_is_another_anywhere_inside_is_refused(bundle: Path, seed: int) -> None:
    raw = bytearray(bundle.read_bytes())
    at = random.Random(seed).randrange(AREA, len(raw))
    raw[at] ^= 1 << (seed % 8)
    other = bundle.with_name("other.cmb")
    other.write_bytes(raw)
    opened = seen(other)
    assert judged(other, state()).rule == "frames"
    assert opened.facts.inside is None


def test_row_07_what_was_cut_or_has_more_at_its_end_is_refused(bundle: Path) -> None:
    raw = bundle.read_bytes()
    other = bundle.with_name("cut.cmb")
    for some in (b"", raw[:100], raw[:AREA], raw[:-1], raw + b"\0", raw[1:]):
        other.write_bytes(some)
        assert judged(other, state()).rule == "bounds"
        with pytest.raises(Damaged):
            area_of(other)


def test_row_24_parts_of_two_bundles_are_refused(tmp_path: Path) -> None:
    one, two = (Made(tmp_path, sequence=number, files={"a": bytes([number])}).write().read_bytes() for number in (1, 2))
    other = tmp_path / "mixed.cmb"
    for mixed, rule in (
        (one[:AREA] + two[AREA:], "frames"),
        (two[:AREA] + one[AREA:], "frames"),
        (swapped(one, two), "signature"),
    ):
        other.write_bytes(mixed)
        assert judged(other, state()).rule == rule


def swapped(one: bytes, two: bytes) -> bytes:
    """The first with the second's signatures."""
    mine, theirs = read_area(one[:AREA]), read_area(two[:AREA])
    return dataclasses.replace(mine, signatures=theirs.signatures).written() + one[AREA:]


def test_a_signature_in_one_role_is_none_in_another(bundle: Path) -> None:
    outside, size = area_of(bundle)
    assert size == file_size(outside.face)
    first, second = outside.signatures
    as_signer = Signature("signer", second.public, second.value)
    as_approver = Signature("approver", first.public, first.value)
    turned = dataclasses.replace(outside, signatures=(as_signer, as_approver))
    assert outside.stands()
    assert not turned.stands()
    with pytest.raises(BadInput):
        signed(outside.face, signer("ann"), "approver", outside.signatures).written()
    with pytest.raises(BadInput):
        signed(outside.face, signer("ann", "cnsa2"), "signer")
    with pytest.raises(BadInput):
        Outside(outside.face, outside.raw, ()).written()


# ---- sizes -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 1 << 44))
def test_a_padded_size_hides_the_true_one_and_costs_little(size: int) -> None:
    found = padded(size)
    assert max(size, SMALLEST) <= found <= max(SMALLEST, size * 1.12)
    assert padded(found) == found
    high = found.bit_length() - 1
    assert found % (1 << (high - high.bit_length())) == 0  # so many sizes look alike
    assert (frame_count(found) - 1) << 20 < found <= frame_count(found) << 20


# ---- the tar file ----------------------------------------------------------------------------------------------


@given(st.integers(0, (1 << 44) - 1), st.sampled_from(["index.json", f"blobs/sha512/{'ab' * 64}"]))
def test_a_header_has_one_spelling_which_tarfile_reads(size: int, path: str) -> None:
    raw = header_of(Member(path, size))
    assert wanted(raw[:512]) == len(raw)
    with tarfile.open(fileobj=io.BytesIO(raw + bytes(1024))) as tar:
        found = tar.next()
    assert found is not None
    assert (found.name, found.size) == (path, size)
    headers = Headers()
    if path == "index.json":
        headers.read(header_of(Member("oci-layout", 1)))
    else:
        for each in ("oci-layout", "index.json", "release.dsse.json"):
            headers.read(header_of(Member(each, 1)))
    assert headers.read(raw) == Member(path, size)


def test_row_19_members_that_lead_elsewhere_are_refused() -> None:
    for name, kind in (
        ("../evil", tarfile.REGTYPE),
        ("/etc/passwd", tarfile.REGTYPE),
        ("blobs/sha512/../../evil", tarfile.REGTYPE),
        ("oci-layout", tarfile.SYMTYPE),
        ("oci-layout", tarfile.LNKTYPE),
        ("oci-layout", tarfile.CHRTYPE),
        ("oci-layout", tarfile.DIRTYPE),
        ("OCI-LAYOUT", tarfile.REGTYPE),
        ("oci-layout/", tarfile.REGTYPE),
        ("index.json", tarfile.REGTYPE),  # before the one that is first
        ("metadata/01.root.json", tarfile.REGTYPE),
    ):
        info = tarfile.TarInfo(name)
        info.type = kind
        with pytest.raises(Damaged):
            Headers().read(info.tobuf(tarfile.PAX_FORMAT))
    for change in ({"mtime": 1}, {"uid": 1}, {"mode": 0o755}, {"uname": "x"}):
        info = tarfile.TarInfo("oci-layout")
        for name, value in change.items():
            setattr(info, name, value)
        with pytest.raises(Damaged):
            Headers().read(info.tobuf(tarfile.PAX_FORMAT))
    with pytest.raises(Damaged):
        Headers().read(bytes(1024))
    again = Headers()
    again.read(header_of(Member("oci-layout", 1)))
    with pytest.raises(Damaged):
        again.read(header_of(Member("oci-layout", 1)))


@pytest.mark.parametrize("chunks", [7, 512, 1000, 1 << 20])
def test_content_is_read_in_whatever_pieces_it_comes(chunks: int) -> None:
    raw = content()
    small = raw[: tar_end(raw) + 2048] if chunks < 100 else raw
    found = read_all(small, chunks)
    assert found == read_all(raw)
    assert all(blob.true for blob in found.blobs.values())


def content_index() -> bytes:
    return bytes(read_all(content()).index_raw)


def tar_end(raw: bytes) -> int:
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        members = tar.getmembers()
    return tar_size([Member(each.name, each.size) for each in members])


@FEW
@given(at=st.integers(0, 1 << 20), bit=st.integers(0, 7))
def test_a_changed_byte_of_the_content_is_refused_or_seen_in_a_digest(at: int, bit: int) -> None:
    raw = bytearray(content())
    at %= tar_end(bytes(raw)) + 4096
    raw[at] ^= 1 << bit
    try:
        found = read_all(bytes(raw))
    except Damaged:
        return
    honest = read_all(content())
    assert found != honest or not all(blob.true for blob in found.blobs.values())


def test_row_18_what_says_that_it_is_huge_is_refused_before_it_is_read() -> None:
    order = ["oci-layout", "index.json", "release.dsse.json"]
    small = {"oci-layout": LAYOUT, "index.json": content_index()}
    for path in order:
        reading = Reading()
        for each in order[: order.index(path)]:
            raw = small[each]
            reading.feed(memoryview(header_of(Member(each, len(raw))) + raw + bytes(filling(len(raw)))))
        with pytest.raises(Damaged):
            reading.feed(memoryview(header_of(Member(path, 1 << 33))))
    for bomb in (b"[" * 17 + b"]" * 17, b"[" + b"0," * 400_001 + b"0]", b"9" * 40, b"1e999", b"NaN", b"-0"):
        with pytest.raises(Damaged):
            strict.read(bomb, 1 << 20, "bomb")
    with pytest.raises(Damaged):
        strict.read(b'"' + b"a" * 100 + b'"', 50, "long")


# ---- JSON ------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_read_in_its_one_spelling_alone(value: Any) -> None:
    raw = strict.spelled(value)
    assert strict.read(raw, len(raw), "value") == value
    spaced = json.dumps(value, indent=1, ensure_ascii=False).encode()
    if spaced != raw:
        with pytest.raises(Damaged):
            strict.read(spaced, 1 << 20, "value")
        assert strict.read(spaced, 1 << 20, "value", spelling=False) == value


@pytest.mark.parametrize("raw", [b'{"a":1,"a":1}', b'"\\ud800"', b"\xff", b"1.5", b"1 ", b"", b'{"b":1,"a":1}', b"tru"])
def test_json_that_two_readers_might_read_differently_is_refused(raw: bytes) -> None:
    with pytest.raises(Damaged):
        strict.read(raw, 100, "value")


# ---- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "a/../b", "/a", "a//b", "a/", "con", "CON.txt", "a/lpt1", "a\\b", "c:d", "a.", "a ", " a", "a\0b",
     "a\nb", "e\u0301", "\u202eabc", "a" * 256, "/".join("a" * 33), "a?", "\ud800"],
)  # fmt: skip
def test_row_19_paths_that_are_unsafe_somewhere_are_refused(path: str) -> None:
    assert not is_path(path)


def test_row_19_paths_that_are_one_on_another_system_are_refused() -> None:
    assert unlike(["a", "b/c", "b/d"])
    assert not unlike(["Read", "READ"])
    assert not unlike(["straße", "STRASSE"])
    assert not unlike(["a", "A/b"])
    assert all(map(is_path, ["a", "b/c.txt", "Modèle/poids.bin", "x y", ".hidden"]))
    assert not any(map(is_name, ["", ".", "a/b", "a.", "é", "a b", "-a", "a" * 129]))
    assert not any(map(is_banner, ["", "a\nb", "a\u00a0b", "\u202ea", "a" * 1001, "\ud800"]))


def test_a_bundle_that_nobody_would_read_is_not_made() -> None:
    file = File("a", f"sha512:{'0' * 128}", 1)
    for things in (
        [],
        [Thing("a", "KIND", (file,), "bottom")],
        [Thing("a", "kind", (), "bottom")],
        [Thing("a", "kind", (dataclasses.replace(file, path="../x"),), "bottom")],
        [Thing("a", "kind", (file,), "bottom"), Thing("A", "other", (file,), "bottom")],
        [Thing("a", "kind", (file, dataclasses.replace(file, path="b", size=2)), "bottom")],
        [Thing("a", "kind", (file,), "bottom", sbom=(f"sha512:{'1' * 128}",))],
    ):
        with pytest.raises((BadInput, TooLarge)):
            planned(things)


# ---- labels ----------------------------------------------------------------------------------------------------

POLICIES = Policies.load(("us", "fr", "nato"))
MARKS = ["us:SECRET//NOFORN", "us:TOP SECRET//SI/TK//NOFORN", "bottom", "fr:SECRET", "nato:NATO SECRET"]


@given(st.lists(st.sampled_from(MARKS), min_size=1, max_size=3), st.sets(st.sampled_from(["ORION", "VEGA"])))
def test_a_label_is_the_same_by_a_states_lattice_as_by_its_policies(marks: list[str], needs: set[str]) -> None:
    label: Label = POLICIES.bottom()
    for mark in marks:
        label = label | POLICIES.parse(mark)
    label = label.with_needs(needs)
    assert read_label(lattice_of(POLICIES), label.text) is label
    assert read_label(lattice_of(POLICIES), f"{label.text} + zz:NONE") is None


def test_a_face_that_cannot_be_read_is_not_written(bundle: Path) -> None:
    face = area_of(bundle)[0].face
    wrapped = face.recipients[0]
    for wrong in (
        {"sequence": 0},
        {"sequence": 1 << 53},
        {"sequence": -1},
        {"size": (1 << 20) + 1},
        {"banner": ""},
        {"recipients": ()},
        {"recipients": (wrapped, wrapped)},
        {"recipients": ((wrapped[0], wrapped[1][:-1]),)},
        {"recipients": ((wrapped[0], b"\x07" + wrapped[1][1:]),)},
        {"profile": "cnsa2"},
        {"id": b"short"},
    ):
        with pytest.raises(BadInput):
            dataclasses.replace(face, **wrong).written()  # type: ignore[arg-type]
    assert face.wrapped_for(other_keeper().recipient) is None


def other_keeper() -> Any:
    from casemate.crypto import Keeper, generate_keeper

    return Keeper(generate_keeper())


def test_a_release_that_nobody_would_read_is_not_written() -> None:
    import msgspec

    from casemate.transfer.bundle import envelope_of

    inside = read_all(content())
    release, subjects = inside.envelope.release, inside.envelope.subjects
    for wrong in ({"label": "x" * 20_000}, {"sequence": 0}, {"objects": ()}, {"bundle": "AB" * 16}):
        with pytest.raises(BadInput):
            envelope_of(msgspec.structs.replace(release, **wrong), subjects, [signer("ann")])
    sealed = json.loads(inside.sealed)
    for change in ({"payload": "!"}, {"payload": sealed["payload"] + "===="}, {"payload": "YR=="}, {"payload": "YQ"}):
        with pytest.raises(Damaged):
            read_envelope(strict.spelled({**sealed, **change}))
