"""Programs that run alone in a sandbox: one request in, one reply out, and nothing else of the machine.

A cell never imports a service, the gate or the store, and nobody imports a cell: engines start one by its name.
"""
