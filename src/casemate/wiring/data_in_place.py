"""Datasets in place: the roots that the settings allow, what reads them, and the loop that takes digests."""

from __future__ import annotations

from pathlib import PurePosixPath

from casemate.datasets import Datasets, Digesting, Root
from casemate.engines.dataset_tree import DatasetTrees, real
from casemate.errors import MarkingError, Misconfigured
from casemate.wiring.house import House

__all__ = ["datasets_of"]


def datasets_of(house: House) -> Datasets:
    """The room, with its loop in the house.

    Raises Misconfigured for a root without a readable marking, and for one that lies in another one: what lies there
    would be registered at the other's label.
    """
    told, region = house.settings.datasets, house.gate.vault.region
    roots: dict[str, Root] = {}
    for name, root in told.roots.items():
        try:
            roots[name] = Root(root.path, region.label(root.label), real(root.path))
        except MarkingError as error:
            raise Misconfigured(setting=f"datasets.roots.{name}.label", why=str(error.facts.get("why", ""))) from None
    for name, inner in roots.items():
        for other, outer in roots.items():
            if name != other and PurePosixPath(inner.place).is_relative_to(outer.place):
                why = f"it leads into datasets.roots.{other}"
                raise Misconfigured(setting=f"datasets.roots.{name}.path", why=why)
    datasets = Datasets(DatasetTrees(), roots, told.files)
    digesting = Digesting(house.gate, datasets, patience=None if house.extractor else 0.5)
    house.loops += digesting.loops()
    house.closers.append(digesting.stop)
    return datasets
