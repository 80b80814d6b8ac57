"""Custody: where every object came from, what is done when one was higher than it said, and what brings all of it back."""
