"""The index: shards of one access class each, and what is asked of those that are visible. Pure, at one label.

It must never be given a shard that the acting label does not dominate, nor keep anything between two requests.
"""
