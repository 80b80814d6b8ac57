"""The region's embedder as a model that callers may name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemate.engines.minilm_model import default_folder
from casemate.wiring import Folder, open_house
from casemate.wiring.embedding import EMBEDDER

SETTINGS = '[region]\nname = "embeds"\n[knowledge]\nembedder = "{chosen}"\n'


def offered(folder: Path, chosen: str) -> tuple[list[str], list[list[float]]]:
    """The models that embed, and the vectors of a sentence by each."""
    region = Folder(folder / "region")
    for part in (region.data, region.keys, region.run):
        part.mkdir(parents=True)
    region.settings_file.write_text(SETTINGS.format(chosen=chosen))

    async def run() -> tuple[list[str], list[list[float]]]:
        house = await open_house(region, "all", durable=False)
        try:
            cards = [card for card in house.catalogue.cards.values() if card.vectors is not None]
            assert all(card.tasks == ("embeddings",) and card.engine is None for card in cards)
            assert all(card.accreditation is house.gate.vault.region.ceiling for card in cards)
            made = [await card.vectors.vectors(card.served, ["The ferry sails."], 60) for card in cards if card.vectors]
            return [card.name for card in cards], [vectors[0] for vectors in made]
        finally:
            await house.close()

    return asyncio.run(run())


@pytest.mark.parametrize(("chosen", "names"), [("none", []), ("hashing", ["casemate/hashing"])])
def test_the_embedder_that_the_settings_name(tmp_path: Path, chosen: str, names: list[str]) -> None:
    assert offered(tmp_path, chosen)[0] == names


def test_minilm_where_it_is_installed(tmp_path: Path) -> None:
    names, vectors = offered(tmp_path, "minilm")
    assert names == ([EMBEDDER] if default_folder().exists() else [])
    for vector in vectors:
        assert len(vector) == 384
        assert sum(x * x for x in vector) == pytest.approx(1.0)
