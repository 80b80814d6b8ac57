"""Datasets in place: the roots that the settings allow, what reads them, and the loop that takes digests."""

from __future__ import annotations

from casemate.datasets import Datasets, Digesting, Root
from casemate.engines.dataset_tree import DatasetTrees
from casemate.errors import MarkingError, Misconfigured
from casemate.wiring.house import House

__all__ = ["datasets_of"]


def datasets_of(house: House) -> Datasets:
    """The room, with its loop in the house. Raises Misconfigured for a root without a readable marking."""
    told, region = house.settings.datasets, house.gate.vault.region
    roots: dict[str, Root] = {}
    for name, root in told.roots.items():
        try:
            roots[name] = Root(root.path, region.label(root.label))
        except MarkingError as error:
            raise Misconfigured(setting=f"datasets.roots.{name}.label", why=str(error.facts.get("why", ""))) from None
    datasets = Datasets(DatasetTrees(), roots, told.files)
    digesting = Digesting(house.gate, datasets, patience=None if house.extractor else 0.5)
    house.loops += digesting.loops()
    house.closers.append(digesting.stop)
    return datasets
