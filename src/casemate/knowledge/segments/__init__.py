"""Segments: the shards as they lie in the store, and the loops that write them anew; what is found stays."""
