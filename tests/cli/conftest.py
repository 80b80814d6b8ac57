"""One region for all tests of a module; nothing may be written into HOME.

It runs as several processes; the long tests do the same in one. What depends on the form is tried in both elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Place, Up, running


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield from _place(tmp_path)


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    yield from _place(tmp_path_factory.mktemp("region"))


def _place(folder: Path) -> Iterator[Place]:
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    yield Place(work, home)
    assert list(home.iterdir()) == [], "something was written into HOME"


@pytest.fixture(scope="module", params=[pytest.param("all", marks=pytest.mark.long), "split"])
def region(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A region of two policies with three marked documents, up and loaded."""
    for found in _place(tmp_path_factory.mktemp(request.param)):
        found.init("--policy", "house,us", processes=request.param)
        papers, pier = found.path / "papers", found.path / "pier"
        papers.mkdir()
        pier.mkdir()
        (found.path / "alerts").mkdir()
        settings = found.region / "casemate.toml"
        settings.write_text(settings.read_text() + ROOTS.format(folder=pier, alerts=found.path / "alerts"))
        (papers / "harbour.txt").write_text(HARBOUR)
        (papers / "garden.md").write_text(GARDEN)
        with running(found) as up:
            added = up.run("add", papers, "--base", "intel", "--json")
            assert added.data["added"] == 2, added
            yield up


ROOTS = """
[datasets.roots.pier]
path = "{folder}"
label = "INTERNAL"
[missions.sinks.desk]
folder = "{alerts}"
accreditation = "INTERNAL"
"""
HARBOUR = """SECRET//NOFORN

(U) The harbour of Port Sable is closed until Friday.

(S//NF) The convoy leaves Port Sable on Thursday at 0400.

SECRET//NOFORN
"""
GARDEN = """INTERNAL

(INTERNAL) The garden of the harbour office opens at nine.

INTERNAL
"""
