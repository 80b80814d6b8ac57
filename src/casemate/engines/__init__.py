"""Adapters: each file implements a port that a room declares, with one library or one part of the machine.

Files, sockets, threads and child processes occur here (and in the cells) and nowhere else. Only wiring imports this.
"""
