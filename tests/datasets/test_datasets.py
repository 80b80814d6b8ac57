"""Datasets in place: recorded at a label, seen from there up, and found to have changed when they have."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from casemate.access import Flow
from casemate.datasets import Datasets, Digesting, Opened, Root, begin, checked_open, shown, verify
from casemate.datasets.dataset import DatasetRequest
from casemate.datasets.tree import Item
from casemate.engines.dataset_tree import DatasetTrees, real
from casemate.errors import Absent, BadInput, Conflict, FileChanged, TooLarge
from casemate.policy import Action
from tests.attacks.scene import LOW, SECRET, TOP, flow_of, label_of, principal
from tests.laws.world import World

ADD, READ, REMOVE = Action("add", "dataset"), Action("read", "dataset"), Action("remove", "dataset")
ODD = b"line\nend \xff\xfe \xe2\x80\xae.bin"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with a dataset of a few files, one of them with a name that is no text."""
    top = tmp_path / "root" / "set"
    (top / "deep" / "er").mkdir(parents=True)
    (top / "a.csv").write_bytes(b"a" * 100)
    (top / "deep" / "b.csv").write_bytes(b"b" * 3_000_000)
    (top / "deep" / "er" / "empty").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(top) + b"/" + ODD)).write_bytes(b"odd")
    return top


@dataclass
class Hall:
    """The room in a world; its root lies at SECRET."""

    world: World
    datasets: Datasets
    top: Path

    async def flow(self, action: Action, at: str = SECRET, name: str = "olga") -> Flow:
        return await flow_of(self.world, principal(self.world, name, TOP, "operator", "user"), action, at)

    async def add(self, name: str = "corpus", at: str = SECRET, path: Path | None = None) -> None:
        await self.datasets.add(await self.flow(ADD, at), DatasetRequest(name, str(path or self.top)))

    async def open(self, at: str = SECRET) -> Opened:
        return await checked_open(await self.flow(READ, at), self.datasets, "corpus")

    async def item(self, name: bytes) -> tuple[Opened, Item]:
        opened = await self.open()
        [item] = [item async for item in opened.items() if item.path == name]
        return opened, item

    async def digest(self) -> None:
        await begin(await self.flow(Action("digest", "dataset")), self.datasets, "corpus")
        digesting = Digesting(self.world.house.gate, self.datasets, patience=None)
        while await digesting._lanes.step():
            pass
        await digesting._lanes.step()


@pytest.fixture
def hall(world: World, tree: Path) -> Hall:
    root = Root(str(tree.parent), label_of(world, SECRET))
    return Hall(world, Datasets(DatasetTrees(), {"press": root}, 1000), tree)


async def read(opened: Opened, item: Item) -> bytes:
    return b"".join([piece async for piece in opened.read(item)])


async def test_it_is_recorded_read_and_forgotten(hall: Hall) -> None:
    await hall.add()
    opened = await hall.open(TOP)
    items = [item async for item in opened.items()]
    assert [item.path for item in items] == sorted([b"a.csv", b"deep/b.csv", b"deep/er/empty", ODD])
    assert {item.path: len(await read(opened, item)) for item in items}[b"deep/b.csv"] == 3_000_000
    assert (opened.found.value.files, opened.found.value.size) == (4, 3_000_103)
    assert all(c.isprintable() for c in shown(ODD))
    assert (await verify(await hall.flow(READ), hall.datasets, "corpus"))[1] == []
    await hall.datasets.remove(await hall.flow(REMOVE), "corpus")
    assert (hall.top / "a.csv").exists()
    with pytest.raises(Absent):
        await hall.open()


async def test_it_is_seen_from_its_label_up_alone(hall: Hall) -> None:
    """Below, a dataset that is hidden and one that never was are the same; so are their roots."""
    await hall.add()
    with pytest.raises(Absent) as hidden:
        await hall.open(LOW)
    with pytest.raises(Absent) as never:
        await checked_open(await hall.flow(READ, LOW), hall.datasets, "corpus"[:6])
    assert str(hidden.value) == str(never.value)
    refusals = []
    for path in (hall.top, Path("/nowhere/at/all"), hall.top / "never"):
        with pytest.raises(BadInput) as refused:
            await hall.add("other", LOW, path)
        refusals.append(str(refused.value))
    assert len(set(refusals)) == 1, "a root above the acting label is no root"
    with pytest.raises(Absent):
        await hall.datasets.remove(await hall.flow(REMOVE, LOW), "corpus")
    with pytest.raises(Absent):
        await hall.datasets.remove(await hall.flow(REMOVE, TOP), "corpus")
    with pytest.raises(Conflict):
        await hall.add("corpus", TOP)


Change = Callable[[Path], object]


def _swap(path: Path) -> None:
    told = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"x" * told.st_size)
    os.utime(other, ns=(told.st_atime_ns, told.st_mtime_ns))
    other.replace(path)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _special(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: dict[str, Change] = {
    "gone": Path.unlink,
    "size": lambda path: path.write_bytes(b"a" * 99),
    "time": lambda path: os.utime(path, ns=(1, 1)),
    "replaced": _swap,
    "kind": _link,
    "special": _special,
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_file_is_found_at_use_and_named(hall: Hall, change: str) -> None:
    await hall.add()
    opened, item = await hall.item(b"a.csv")
    CHANGES[change](hall.top / "a.csv")
    with pytest.raises(FileChanged) as found:
        await read(opened, item)
    why = "kind" if change == "special" else change
    assert found.value.facts == {"dataset": "corpus", "file": "a.csv", "why": why}
    _, wrong = await verify(await hall.flow(READ), hall.datasets, "corpus")
    assert [(each.path, said) for each, said in wrong] == [(b"a.csv", why)]


async def test_the_same_size_time_and_inode_is_found_once_it_is_digested(hall: Hall) -> None:
    await hall.add()
    await hall.digest()
    opened, item = await hall.item(b"a.csv")
    assert opened.found.value.digested == 4
    assert opened.found.value.changes == 0
    path = hall.top / "a.csv"
    told = path.stat()
    with path.open("r+b") as file:
        file.write(b"Z")
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert (await verify(await hall.flow(READ), hall.datasets, "corpus"))[1] == [], "nothing but reading tells"
    with pytest.raises(FileChanged) as found:
        await read(opened, item)
    assert found.value.facts["why"] == "content"
    await hall.digest()
    value = (await hall.open()).found.value
    assert [(each.path, each.why) for each in value.changed] == [(b"a.csv", "content")]


async def test_a_change_while_it_is_read_is_found(hall: Hall) -> None:
    """Whoever reads is told at the latest behind the last piece, and the last piece is never given."""
    await hall.add()
    opened, item = await hall.item(b"deep/b.csv")
    pieces = opened.read(item)
    got = len(await anext(pieces))
    with (hall.top / "deep" / "b.csv").open("r+b") as file:
        file.seek(2_999_999)
        file.write(b"Z")
    rest: list[bytes] = []

    async def on() -> None:
        rest.extend([piece async for piece in pieces])

    with pytest.raises(FileChanged) as found:
        await on()
    assert found.value.facts["why"] == "moving"
    assert got + sum(map(len, rest)) < 3_000_000


async def test_what_a_swapped_folder_leads_to_is_not_read(hall: Hall, tmp_path: Path) -> None:
    await hall.add()
    opened, item = await hall.item(b"deep/b.csv")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "b.csv").write_bytes(b"s" * 3_000_000)
    (hall.top / "deep").rename(hall.top / "was")
    (hall.top / "deep").symlink_to(tmp_path / "secret")
    with pytest.raises(FileChanged):
        await read(opened, item)
    assert len((await verify(await hall.flow(READ), hall.datasets, "corpus"))[1]) == 2


async def test_links_are_left_out_and_special_files_refused(hall: Hall) -> None:
    (hall.top / "out").symlink_to("/etc")
    (hall.top / "loop").symlink_to(hall.top)
    await hall.add()
    assert (await hall.open()).found.value.links == 2
    os.mkfifo(hall.top / "pipe")
    with pytest.raises(BadInput):
        await hall.add("second")
    with pytest.raises(Absent):
        await hall.add("third", path=hall.top / "out" / "ssl")


PATHS = ("relative", "/..", "/a\0b", "", "/" + "x" * 5000)


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_that_leads_nowhere_is_refused(hall: Hall, path: str) -> None:
    with pytest.raises(BadInput):
        await hall.datasets.add(await hall.flow(ADD), DatasetRequest("x", path))
    with pytest.raises(BadInput):
        await hall.datasets.add(await hall.flow(ADD), DatasetRequest("x", f"{hall.top}/../../secret"))
    with pytest.raises(BadInput):
        await hall.datasets.add(await hall.flow(ADD), DatasetRequest("../x", str(hall.top)))


async def test_the_number_of_files_is_bounded(hall: Hall) -> None:
    for number in range(1001):
        (hall.top / f"n{number}").touch()
    with pytest.raises(TooLarge):
        await hall.add()


async def test_a_hundred_thousand_files(hall: Hall, tmp_path: Path) -> None:
    """Registered and looked at within bounds; made of hard links, so that the test itself is quick."""
    many = tmp_path / "root" / "many"
    many.mkdir()
    (many / "0").write_bytes(b"x")
    held = os.open(many, os.O_RDONLY)
    for number in range(1, 100_000):
        if number % 50_000 == 0:  # a file has a bounded number of names
            (many / f"s{number}").write_bytes(b"x")
        os.link("0" if number < 50_000 else "s50000", str(number), src_dir_fd=held, dst_dir_fd=held)
    os.close(held)
    large = Hall(hall.world, Datasets(hall.datasets.trees, hall.datasets.roots, 200_000), many)
    await large.add()
    found, wrong = await verify(await large.flow(READ), large.datasets, "corpus")
    assert (found.value.files, wrong) == (100_001, [])


def test_a_race_of_links_reads_nothing_outside(tmp_path: Path) -> None:
    """A folder that turns into a link and back, again and again: what is read is the recorded file or nothing."""
    top, secret = tmp_path / "root" / "set", tmp_path / "secret"
    (top / "d").mkdir(parents=True)
    secret.mkdir()
    (top / "d" / "f").write_bytes(b"good")
    (secret / "f").write_bytes(b"evil")
    trees = DatasetTrees()

    def flips() -> Iterator[None]:
        while True:
            (top / "d").rename(top / "held")
            (top / "d").symlink_to(secret)
            yield
            (top / "d").unlink()
            (top / "held").rename(top / "d")
            yield

    async def race() -> None:
        [item] = (await trees.walk(str(top.parent), "set", 10, "c")).items
        turns, going = flips(), True

        def turn() -> None:
            while going:
                next(turns)

        other = asyncio.get_running_loop().run_in_executor(None, turn)
        told = [[piece async for piece in trees.read(str(top.parent), "set", item, "c")] for _ in range(300)]
        going = False
        await other
        assert {bytes(p) if isinstance(p, bytes) else p for each in told for p in each} <= {b"good", "gone", "kind"}

    asyncio.run(race())


async def test_a_root_is_reached_by_the_path_that_it_had_at_the_start(world: World, tree: Path, tmp_path: Path) -> None:
    """Whoever turns a link on the way to it turns nothing; where a link comes to stand there is nothing."""
    link, secret = tmp_path / "press", tmp_path / "secret"
    link.symlink_to(tree.parent)
    (secret / "set").mkdir(parents=True)
    (secret / "set" / "plan.csv").write_bytes(b"plan")
    roots = {"press": Root(str(link), label_of(world, SECRET), real(str(link)))}
    hall = Hall(world, Datasets(DatasetTrees(), roots, 1000), link / "set")
    link.unlink()
    link.symlink_to(secret)
    await hall.add()
    opened = await hall.open()
    assert (opened.found.value.root, opened.found.value.under) == ("press", "set")
    items = [item async for item in opened.items()]
    assert b"plan.csv" not in [item.path for item in items]
    assert len(items) == 4
    await hall.add("by-itself", path=tree)
    tree.parent.rename(tmp_path / "moved")
    tree.parent.symlink_to(secret)
    with pytest.raises(Absent):
        await hall.add("another")
    assert {why for _, why in (await verify(await hall.flow(READ), hall.datasets, "corpus"))[1]} == {"gone"}


async def test_what_lies_above_a_root_need_not_be_readable(tmp_path: Path) -> None:
    top = tmp_path / "closed" / "root" / "set"
    top.mkdir(parents=True)
    (top / "a.csv").write_bytes(b"a")
    with closed(tmp_path / "closed", 0o311):
        walked = await DatasetTrees().walk(str(top.parent), "set", 10, "d")
    assert [item.path for item in walked.items] == [b"a.csv"]
    assert len((await DatasetTrees().walk(str(top), "", 10, "d")).items) == 1


@contextmanager
def closed(folder: Path, mode: int) -> Iterator[None]:
    folder.chmod(mode)
    try:
        yield
    finally:
        folder.chmod(0o755)
