"""Datasets in place: a tree of files that is recorded where it lies, and checked when it is used."""
