"""Custody: where every object came from, what is done when one was higher than it said, and how all comes back."""
