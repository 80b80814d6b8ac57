"""Buckets: named places for objects of any size, each object at a label, seen as the visible world shows them."""
