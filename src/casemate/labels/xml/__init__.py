"""Marks and labels as XML, both ways: ISM (with its authority block and document) and STANAG 4774, bound by 4778.

What comes in is read by `markup` alone, which refuses document types and entities and is bounded everywhere.
"""
