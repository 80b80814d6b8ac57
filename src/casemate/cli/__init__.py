"""The command line: a client of the native API over the region's local socket, and the supervisor's handle.

It decides nothing and opens nothing: what may be done is the gate's business, at the other end of the socket. Besides
`wiring`, which it needs to make, start and verify a region, it stands on pure rooms alone. Data goes to standard
output, talk to standard error; no secret is ever an argument.
"""

from __future__ import annotations

from casemate.cli.root import main

__all__ = ["main"]
