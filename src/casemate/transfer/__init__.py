"""Across the air gap: what is carried or sent from one region to another, and what is said of it on the outside.

Its parts (bundle, volumes, diode, guard) do not know each other, are pure, and never open a file or a socket: engines
do. Nothing is adopted here before it was verified whole.
"""
