"""Across the air gap: bundles, volumes, links and the guard, each a pure part that does not know the others.

What crosses is proven before anything of it is used. It opens no file and no socket: what reads and writes is an
engine. It may never let anything down: that is the release door's.
"""
