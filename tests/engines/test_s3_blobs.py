"""Blobs in a bucket whose server fails as servers fail; what every engine promises is tests/contracts/test_blobs.py."""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from casemate.engines import blob_cache, files_publish
from casemate.engines.blob_cache import BlobCache
from casemate.engines.files import FileBlobs
from casemate.engines.files_frames import FRAME
from casemate.engines.key_store import KeyStore
from casemate.engines.s3_blobs import S3Blobs
from casemate.engines.s3_client import keys
from casemate.engines.sigv4_sign import AccessKey
from casemate.errors import Absent, Damaged, Misconfigured, StorageFull, Unavailable
from tests.crypto.authority import make
from tests.engines.s3_server import S3Server, serving

DATA = bytes(range(251)) * 9000  # three frames


@pytest.fixture
def server() -> Iterator[S3Server]:
    with serving() as made:
        yield made


@pytest.fixture
def sealer(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def blobs(server: S3Server, sealer: KeyStore) -> S3Blobs:
    return S3Blobs(server.bucket(seconds=5.0, retries=2), sealer)


@pytest.fixture
def cached(server: S3Server, sealer: KeyStore, tmp_path: Path) -> Iterator[S3Blobs]:
    cache = BlobCache(tmp_path / "cache", 16 << 20)
    yield S3Blobs(server.bucket(seconds=5.0, retries=2), sealer, cache)
    cache.close()


def write(blobs: S3Blobs, data: bytes = DATA) -> str:
    return asyncio.run(blobs.write("class_a", data))


def by_read(blobs: S3Blobs, name: str, domain: str = "") -> bytes:
    return asyncio.run(blobs.read("class_a", name, domain))


def by_frames(blobs: S3Blobs, name: str, domain: str = "") -> bytes:
    async def gathered() -> bytes:
        return b"".join([piece async for piece in blobs.frames("class_a", name, domain)])

    return asyncio.run(gathered())


def by_memory(blobs: S3Blobs, name: str, domain: str = "") -> bytes:
    taken = []

    def take(size: int) -> memoryview:
        taken.append(size)
        return memoryview(bytearray(size))

    whole = asyncio.run(blobs.read_into("class_a", name, take, domain))
    assert len(taken) == len(set(taken)) <= 2
    return bytes(whole)


WAYS = pytest.mark.parametrize("read", [by_read, by_frames, by_memory])


def asked(server: S3Server, method: str) -> int:
    return sum(1 for each, _ in server.asked if each == method)


def test_the_bucket_holds_the_bytes_that_a_file_would(
    blobs: S3Blobs, server: S3Server, sealer: KeyStore, tmp_path: Path
) -> None:
    name = write(blobs, b"content")
    assert list(server.objects) == [f"p/class_a/{name[:2]}/{name}"]
    assert b"content" not in server.objects[f"p/class_a/{name[:2]}/{name}"]
    local = FileBlobs(tmp_path / "blobs", sealer)
    assert asyncio.run(local.write("class_a", b"content")) == name
    place = tmp_path / "blobs" / "class_a" / name[:2] / name
    place.write_bytes(server.objects[f"p/class_a/{name[:2]}/{name}"])
    assert asyncio.run(local.read("class_a", name)) == b"content"


def test_writing_the_same_again_sends_nothing(blobs: S3Blobs, server: S3Server) -> None:
    assert write(blobs) == write(blobs)
    assert asked(server, "PUT") == 1


@WAYS
@pytest.mark.parametrize("kind", ["500", "503", "429", "reset", "cut"])
def test_a_fault_that_passes_is_not_felt(
    blobs: S3Blobs, server: S3Server, kind: str, read: Callable[..., bytes]
) -> None:
    name = write(blobs)
    server.faults = [("GET", kind)]
    assert read(blobs, name) == DATA


@WAYS
@pytest.mark.parametrize("kind", ["500", "reset", "hang", "stall", "403", "507"])
def test_a_server_that_keeps_failing_is_told_in_bounded_tries(
    blobs: S3Blobs,
    server: S3Server,
    sealer: KeyStore,
    kind: str,
    read: Callable[..., bytes],
) -> None:
    name = write(blobs)
    server.asked.clear()
    server.always = {"GET": kind}
    asking = S3Blobs(server.bucket(seconds=0.2, retries=2), sealer) if kind in ("hang", "stall") else blobs
    with pytest.raises(Unavailable) as told:
        read(asking, name)
    assert type(told.value) is (StorageFull if kind == "507" else Unavailable)
    assert "127.0.0.1" not in f"{told.value} {told.value.__cause__}"
    assert asked(server, "GET") <= 8
    server.always = {}
    assert read(blobs, name) == DATA


def test_a_server_that_hangs_for_one_domain_keeps_no_other_waiting(server: S3Server, sealer: KeyStore) -> None:
    """Mutants: one pool of threads for all domains; a call that keeps the loop from running."""
    blobs = S3Blobs(server.bucket(seconds=1.0, retries=1), sealer)

    async def run() -> None:
        name = await blobs.write("class_a", b"x")
        server.always = {"GET": "hang"}
        waiting = [asyncio.ensure_future(blobs.read("class_a", name, "high")) for _ in range(2)]
        for _ in range(2000):
            if asked(server, "GET") >= 4:  # two by the write, and one by each thread of the domain's
                break
            await asyncio.sleep(0.01)
        assert await blobs.exists("class_a", name)
        assert not any(each.done() for each in waiting)
        for told in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(told, Unavailable)

    asyncio.run(run())


@WAYS
def test_bytes_that_are_wrong_on_their_way_are_fetched_once_more(
    blobs: S3Blobs, server: S3Server, read: Callable[..., bytes]
) -> None:
    name = write(blobs)
    server.faults = [("GET", "wrong")]
    assert read(blobs, name) == DATA
    server.always = {"GET": "wrong"}
    with pytest.raises(Damaged):
        read(blobs, name)


@WAYS
@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw[: FRAME // 2], lambda raw: raw + b"x"])
def test_an_object_that_is_not_what_was_written_is_damage_and_is_written_anew(
    blobs: S3Blobs, server: S3Server, read: Callable[..., bytes], change: Callable[[bytes], bytes]
) -> None:
    name = write(blobs)
    [key] = server.objects
    server.objects[key] = change(server.objects[key])
    with pytest.raises(Damaged):
        read(blobs, name)
    assert write(blobs) == name
    assert read(blobs, name) == DATA


@pytest.mark.parametrize("kind", ["lose", "wrong", "forget"])
def test_a_write_is_told_as_done_only_once_it_was_read_back(blobs: S3Blobs, server: S3Server, kind: str) -> None:
    """Mutant: what the server says of a PUT is believed."""
    server.faults = [("PUT", kind)]
    assert by_read(blobs, write(blobs)) == DATA
    server.always = {"PUT": kind}
    with pytest.raises(Unavailable):
        write(blobs, b"another")


@pytest.mark.parametrize("kind", ["500", "reset", "late"])
def test_a_write_whose_answer_is_lost_is_tried_again_and_stands_once(
    blobs: S3Blobs, server: S3Server, kind: str
) -> None:
    server.faults = [("PUT", kind)]
    assert by_read(blobs, write(blobs)) == DATA
    assert len(server.objects) == 1


@pytest.mark.parametrize(
    ("kind", "told"), [("500", Unavailable), ("404", Unavailable), ("507", StorageFull), ("403", Unavailable)]
)
def test_a_write_that_keeps_failing_is_told(blobs: S3Blobs, server: S3Server, kind: str, told: type[Exception]) -> None:
    server.always = {"PUT": kind}
    with pytest.raises(told) as raised:
        write(blobs)
    assert type(raised.value) is told


def test_an_object_that_another_process_wrote_meanwhile_is_left(
    blobs: S3Blobs, server: S3Server, sealer: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found nothing there; the second one's bytes are sealed otherwise and must not replace the first's."""
    other = S3Blobs(server.bucket(), sealer)
    looked = other._intact

    def late(place: str, class_id: str, name: str) -> bool | None:
        found = looked(place, class_id, name)
        if not server.objects:
            write(blobs)
        return found

    monkeypatch.setattr(other, "_intact", late)
    name = write(other)
    assert (asked(server, "PUT"), by_read(other, name)) == (2, DATA)


def test_a_store_that_says_that_what_is_deleted_was_not_there_is_believed(blobs: S3Blobs, server: S3Server) -> None:
    server.always = {"DELETE": "404"}
    asyncio.run(blobs.delete("class_a", "ab" * 48))


@pytest.mark.parametrize("kind", ["500", "403"])
def test_asking_and_deleting_are_told_when_they_fail(blobs: S3Blobs, server: S3Server, kind: str) -> None:
    name = write(blobs, b"x")
    server.always = {"HEAD": kind, "DELETE": kind}
    for attempt in (blobs.exists, blobs.delete):
        with pytest.raises(Unavailable):
            asyncio.run(attempt("class_a", name))


def test_a_bucket_that_is_not_there_is_not_an_absent_blob(server: S3Server, sealer: KeyStore) -> None:
    lost = S3Blobs(server.bucket(name="other"), sealer)
    with pytest.raises(Unavailable):
        by_read(lost, "ab" * 48)
    with pytest.raises(Unavailable):
        write(lost)


def test_another_key_or_secret_does_not_come_in_and_a_new_one_does(server: S3Server, sealer: KeyStore) -> None:
    now = [AccessKey("AKIDTEST", "wrong")]
    blobs = S3Blobs(server.bucket(key=lambda: now[0]), sealer)
    with pytest.raises(Unavailable):
        write(blobs)
    now[0] = server.key = AccessKey("AKIDNEXT", "next", "a token")
    assert by_read(blobs, write(blobs)) == DATA


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
        ("AWS_SESSION_TOKEN", "x"),
        ("AWS_SKIP_SIGNATURE", "true"),
        ("AWS_UNSIGNED_PAYLOAD", "true"),
        ("AWS_CONDITIONAL_PUT", "disabled"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ],
)
def test_the_environment_decides_nothing(
    server: S3Server, sealer: KeyStore, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Mutant: obstore's own defaults, by which a variable sends every blob to another server."""
    monkeypatch.setenv(name, value)
    blobs = S3Blobs(server.bucket(), sealer)
    assert by_read(blobs, write(blobs, b"content")) == b"content"


def test_a_certificate_counts_only_where_somebody_known_has_signed_it(sealer: KeyStore, tmp_path: Path) -> None:
    now = time.time()
    authority = make("authority", now=now, ca=True)
    place = [x509.IPAddress(IPv4Address("127.0.0.1"))]
    leaf = make("s3", authority, now=now, purpose=ExtendedKeyUsageOID.SERVER_AUTH, alternative=list(place))
    (tmp_path / "leaf.pem").write_bytes(leaf.pem + leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem")
    with serving(context) as server:
        with pytest.raises(Unavailable):
            write(S3Blobs(server.bucket(retries=0), sealer))
        assert not server.objects
        blobs = S3Blobs(server.bucket(ca=authority.pem.decode()), sealer)
        assert by_read(blobs, write(blobs)) == DATA


@WAYS
def test_what_was_read_is_not_fetched_again_by_that_domain_and_is_by_another(
    cached: S3Blobs, server: S3Server, read: Callable[..., bytes]
) -> None:
    """Mutant: a cache without a domain."""
    name = write(cached)
    server.asked.clear()
    for _ in range(2):
        assert read(cached, name, "low") == DATA
    assert asked(server, "GET") == 1
    assert read(cached, name, "high") == DATA
    assert asked(server, "GET") == 2


@WAYS
def test_a_copy_that_was_changed_is_fetched_anew(
    cached: S3Blobs, server: S3Server, tmp_path: Path, read: Callable[..., bytes]
) -> None:
    name = write(cached)
    read(cached, name)
    [copy] = (tmp_path / "cache").rglob(f"class_a.{name}")
    for place in (0, 8, FRAME // 2, 2 * FRAME + 5000):
        raw = bytearray(copy.read_bytes())
        raw[place] ^= 1
        copy.write_bytes(raw)
        assert read(cached, name) == DATA
    assert copy.read_bytes() == next(iter(server.objects.values()))


def test_copies_are_sealed_and_go_with_the_blob(cached: S3Blobs, tmp_path: Path) -> None:
    name = write(cached, b"content of a passage")
    for domain in ("low", "high"):
        assert by_read(cached, name, domain) == b"content of a passage"
    copies = list((tmp_path / "cache").rglob(f"class_a.{name}"))
    assert len(copies) == 2
    assert all(b"content" not in copy.read_bytes() and copy.stat().st_mode & 0o777 == 0o600 for copy in copies)
    asyncio.run(cached.delete("class_a", name))
    assert not any(copy.exists() for copy in copies)
    with pytest.raises(Absent):
        by_read(cached, name, "low")


@WAYS
def test_where_no_copy_can_be_kept_it_is_read_all_the_same(
    server: S3Server, sealer: KeyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    read: Callable[..., bytes],
) -> None:  # fmt: skip
    small = S3Blobs(server.bucket(), sealer, BlobCache(tmp_path / "small", 1000))
    assert read(small, write(small)) == DATA
    full = S3Blobs(server.bucket(), sealer, BlobCache(tmp_path / "full", 16 << 20))

    def fail(*args: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, "no")

    monkeypatch.setattr(blob_cache, "publish", fail)
    assert read(full, write(full)) == DATA
    assert list((tmp_path / "full").rglob("class_a.*")) == []
    assert files_publish.publish is not fail


def test_the_key_comes_from_a_file_of_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s3.key"
    with pytest.raises(Misconfigured):
        keys(path, "")
    path.write_text("aws_access_key_id = A\naws_secret_access_key = B\n")
    path.chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        keys(path, "")
    path.chmod(0o600)
    key = keys(path, "")
    assert key() == AccessKey("A", "B")
    path.write_text("aws_access_key_id = A2\naws_secret_access_key = B2\naws_session_token = C\n")
    assert key() == AccessKey("A2", "B2", "C")
    path.write_text("a bearer key")
    with pytest.raises(Misconfigured):
        key()


def test_or_from_a_variable_that_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION_S3", "A B")
    key = keys(None, "REGION_S3")
    assert key() == AccessKey("A", "B")
    monkeypatch.setenv("REGION_S3", "A B C")
    assert key() == AccessKey("A", "B", "C")
    for wrong in ("", "A", "A B C D"):
        monkeypatch.setenv("REGION_S3", wrong)
        with pytest.raises(Misconfigured):
            keys(None, "REGION_S3")
