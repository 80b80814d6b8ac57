"""Datasets in place: a tree of files that is recorded where it lies, and checked when it is used.

Nothing is copied. A manifest says what each file was: its size, time and inode, and its digest once that was taken;
whoever uses the dataset is told of the first file that is another one now. What must never happen: that a path leads
out of its root, or that a root above the acting label is known to be there.
"""

from __future__ import annotations

from casemate.datasets.check import Digesting, Opened, begin, checked_open, verify
from casemate.datasets.dataset import DATASET, Changed, Dataset, DatasetRequest, Datasets, Root
from casemate.datasets.tree import Item, Trees, Walked, shown

__all__ = [
    "DATASET",
    "Changed",
    "Dataset",
    "DatasetRequest",
    "Datasets",
    "Digesting",
    "Item",
    "Opened",
    "Root",
    "Trees",
    "Walked",
    "begin",
    "checked_open",
    "shown",
    "verify",
]
