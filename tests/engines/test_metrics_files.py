"""Metrics on the disk: sealed by class, replaced whole, and only those that were asked for are opened."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from casemate.engines.key_store import KeyStore
from casemate.engines.metrics_files import MetricsFiles
from casemate.telemetry import Kept
from casemate.telemetry.kept import BOUND, Counted

LOW, HIGH = "lowclass", "highclass"


@pytest.fixture
def sealer(tmp_path: Path) -> KeyStore:
    (tmp_path / "keys").mkdir()
    return KeyStore(tmp_path / "keys")


def kept(label: str, count: int = 1) -> Kept:
    return Kept(label, 5, (Counted("c", ("velspira",), count),))


def test_one_process_writes_and_another_reads(tmp_path: Path, sealer: KeyStore) -> None:
    folder = tmp_path / "metrics"
    reader = MetricsFiles(folder, sealer)
    assert reader.of(LOW) == []
    one, two = (MetricsFiles(folder, sealer, name) for name in ("data-0", "data-1"))
    one.write(LOW, kept("low"))
    one.write(LOW, kept("low", 2))
    two.write(LOW, kept("low", 3))
    two.write(HIGH, kept("high"))
    assert reader.of(LOW) == [kept("low", 2), kept("low", 3)]
    assert list(one.own()) == [kept("low", 2)]
    assert sorted(two.own(), key=lambda each: each.label) == [kept("high"), kept("low", 3)]
    assert list(MetricsFiles(folder, sealer, "data-2").own()) == []
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any(b"velspira" in path.read_bytes() for path in files)


def test_only_what_is_asked_for_is_opened(tmp_path: Path, sealer: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a class above can be of any size or none: whoever reads below does not meet it."""
    folder = tmp_path / "metrics"
    writer = MetricsFiles(folder, sealer, "data-0")
    writer.write(LOW, kept("low"))
    opened: list[str] = []
    real = os.open

    def noted(path: os.PathLike[str], *more: int) -> int:
        opened.append(Path(path).name)
        return real(path, *more)

    monkeypatch.setattr(os, "open", noted)
    for _ in range(2):
        assert MetricsFiles(folder, sealer).of(LOW) == [kept("low")]
        (folder / "data-0" / HIGH).write_bytes(b"x" * (BOUND * 2))
    assert opened == [LOW, LOW]


def test_what_is_damaged_too_long_or_of_another_place_is_left_out(tmp_path: Path, sealer: KeyStore) -> None:
    folder = tmp_path / "metrics"
    writer = MetricsFiles(folder, sealer, "data-0")
    writer.write(LOW, kept("low"))
    place = folder / "data-0"
    good = (place / LOW).read_bytes()
    (place / HIGH).write_bytes(good)
    (folder / "data-1").mkdir()
    (folder / "data-1" / LOW).write_bytes(good)
    (place / ".draft").write_bytes(b"half")
    (place / "link").symlink_to(place / LOW)
    reader = MetricsFiles(folder, sealer)
    assert reader.of(HIGH) == []
    assert reader.of(LOW) == [kept("low")], "what one process wrote is not another's"
    assert reader.of("link") == []
    assert list(writer.own()) == [kept("low")]
    for raw in (good[:-1], b"", msgspec.msgpack.encode(kept("low")), b"x" * (BOUND + 2000)):
        (place / LOW).write_bytes(raw)
        assert reader.of(LOW) == []


def test_a_full_disk_leaves_the_last_numbers(tmp_path: Path, sealer: KeyStore) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError):
        MetricsFiles(tmp_path / "file", sealer, "data-0").write(LOW, kept("low"))
